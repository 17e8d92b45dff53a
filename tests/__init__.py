import os
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("coincurve") is None:  # Python 3.14
    sys.path.append(str(Path(__file__).with_name("without_wheels")))
    os.environ["ECC_BACKEND_CLASS"] = "eth_keys.backends.NativeECCBackend"  # it would need more of coincurve
