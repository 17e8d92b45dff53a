"""Commands on the wrapping key."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.entrypoints.cli import output

keys = typer.Typer(name="keys", no_args_is_help=True, help="The keys that wrap the data keys of all wallets.")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@keys.command("status")
def show_status(as_json: AsJson = False) -> None:
    """Show how many secrets each version of each wrapping key has wrapped, and which version is current."""
    from strongroom.entrypoints.cli import local

    local.show_keys(as_json=as_json)


@keys.command("rewrap", epilog=output.examples("keys rewrap", "keys rewrap --json"))
def rewrap(as_json: AsJson = False) -> None:
    """Move every data key, and finally the service secret, to the newest version of the wrapping key.

    Run it after a rotation, or with keywrap.previous set when another key wrap has taken over. You can interrupt and
    repeat it at any time. On PostgreSQL it can run beside servers, on SQLite only alone.
    """
    from strongroom.entrypoints.cli import local

    local.rewrap_keys(as_json=as_json)


@keys.command("authenticate")
def authenticate(as_json: AsJson = False) -> None:
    """Put the rows of a database from before 1.1 under their MACs. Run it once, when nothing of 1.0.8 runs any more.

    Until then those rows are trusted as they are. You can interrupt and repeat it at any time, beside servers on
    PostgreSQL. With SQLite, `serve` does it.
    """
    from strongroom.entrypoints.cli import integrity

    integrity.authenticate(as_json=as_json)
