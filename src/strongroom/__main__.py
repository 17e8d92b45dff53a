"""`python -m strongroom` is the `strongroom` command."""

import gc
import sys
from typing import Final

_COLLECT: Final = 50_000
"""New objects until garbage is looked for. Imports make many and leave none, so looking more often, as Python does by
default, would take a tenth of a start.
"""


def main() -> None:
    gc.set_threshold(_COLLECT)
    if sys.argv[1:] == ["serve"]:
        from strongroom.entrypoints.cli.start import serve

        serve()
    else:
        from strongroom.entrypoints.cli.main import app

        app(prog_name="strongroom")


if __name__ == "__main__":
    main()
