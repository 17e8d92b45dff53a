import sys
from pathlib import Path

# Last on the path, so whatever is installed goes before it.
sys.path.append(str(Path(__file__).with_name("without_wheels")))
