"""`python -m strongroom` is the `strongroom` command."""

import sys


def main() -> None:
    if sys.argv[1:] == ["serve"]:
        from strongroom.entrypoints.cli.start import serve

        serve()
    else:
        from strongroom.entrypoints.cli.main import app

        app(prog_name="strongroom")


if __name__ == "__main__":
    main()
