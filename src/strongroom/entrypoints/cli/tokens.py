"""`strongroom tokens`: the registry of tokens. Its decimals apply whatever a contract says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strongroom.entrypoints.cli import output

tokens = typer.Typer(name="tokens", no_args_is_help=True, help="Tokens whose balances are shown.")


@tokens.command("import", epilog=output.examples("tokens import uniswap.tokenlist.json > tokens.json"))
def import_(
    file: Annotated[Path, typer.Argument(help="A token list in Uniswap's format.")],
) -> None:
    """Convert a token list to one for STRONGROOM_TOKENS, and print it.

    Entries that cannot be used are reported on standard error. Check the list before you name it in STRONGROOM_TOKENS,
    because its author decides which contracts count.
    """
    from strongroom.entrypoints.cli import local, options

    local.import_tokens(options.read_bytes(f"@{file}"))
