"""`strongroom tokens`: the registry of tokens, whose decimals hold whatever a contract says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strongroom.entrypoints.cli import output

tokens = typer.Typer(name="tokens", no_args_is_help=True, help="The tokens whose balances are shown.")


@tokens.command("import", epilog=output.examples("tokens import uniswap.tokenlist.json > tokens.json"))
def import_(
    file: Annotated[Path, typer.Argument(help="A list in the format of Uniswap's token lists.")],
) -> None:
    """Turn a token list into one that STRONGROOM_TOKENS takes, and print it.

    What cannot be taken is told on standard error. Look through the list before you name it in STRONGROOM_TOKENS:
    whoever wrote it decides which contracts count.
    """
    from strongroom.entrypoints.cli import local, options

    local.import_tokens(options.read_bytes(f"@{file}"))
