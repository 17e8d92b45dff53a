"""Commands on the wrapping key."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.entrypoints.cli import output

keys = typer.Typer(name="keys", no_args_is_help=True, help="The key that wraps the data keys of all wallets.")

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@keys.command("status")
def show_status(as_json: AsJson = False) -> None:
    """How many secrets are under which version of which wrapping key, and which one wraps now."""
    from strongroom.entrypoints.cli import local

    local.show_keys(as_json=as_json)


@keys.command("rewrap", epilog=output.examples("keys rewrap", "keys rewrap --json"))
def rewrap(as_json: AsJson = False) -> None:
    """Move every data key, and the service secret last, under the newest version of the wrapping key.

    After a rotation, or with keywrap.previous set when another key wrap has taken over. It may be stopped and begun
    again at any time; beside running servers on PostgreSQL, alone on SQLite.
    """
    from strongroom.entrypoints.cli import local

    local.rewrap_keys(as_json=as_json)


@keys.command("authenticate")
def authenticate(as_json: AsJson = False) -> None:
    """Put the rows of a database from before 1.1 under their MACs. Once, when nothing of 1.0.8 runs any more.

    Until then those rows are believed as they stand. It may be stopped and begun again at any time, beside running
    servers on PostgreSQL. SQLite does it by itself when it serves.
    """
    from strongroom.entrypoints.cli import integrity

    integrity.authenticate(as_json=as_json)
