"""`python -m strongroom` is the `strongroom` command."""

from strongroom.entrypoints.cli.main import app

app(prog_name="strongroom")
