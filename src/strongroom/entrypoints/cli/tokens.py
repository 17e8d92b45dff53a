"""`strongroom tokens`: the registry of tokens, whose decimals hold whatever a contract says."""

from __future__ import annotations

import sys
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
    from strongroom import bootstrap
    from strongroom.config import load
    from strongroom.entrypoints.cli import failure, options

    with failure.errors_in_words():
        listed, taken, refused = bootstrap.import_tokens(load(), options.read_bytes(f"@{file}"))
    for each in refused:
        typer.echo(f"entry {each.position}: {each.reason}", err=True)
    typer.echo(f"{taken} taken, {len(refused)} refused", err=True)
    sys.stdout.write(listed.decode())
