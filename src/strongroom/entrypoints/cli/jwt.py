"""`strongroom jwt`: tokens of issuers."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.entrypoints.cli import output

jwt = typer.Typer(name="jwt", no_args_is_help=True, help="Check tokens of the configured issuers.")


@jwt.command("check", epilog=output.examples("jwt check < token.txt", "jwt check eyJhbGciOi…"))
def check(
    token: Annotated[
        str, typer.Argument(help="The token, or - for standard input, which other users cannot see.")
    ] = "-",  # noqa: S107
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say whether the service would accept a token, and why not. Exit code 1 if it would not.

    Uses the settings of the service, reads the issuer's keys again, and checks the database for revocations.
    """
    import sys

    from strongroom.entrypoints.cli import local

    local.check_token(sys.stdin.read(local.LONGEST_TOKEN).strip() if token == "-" else token, as_json=as_json)  # noqa: S105
