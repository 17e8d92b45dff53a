"""`strongroom network`, `api-key`, `audit`, `tasks`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from strongroom.entrypoints.cli import failure, options, output
from strongroom.entrypoints.cli.rest import Fields, operation

network = typer.Typer(name="network", no_args_is_help=True, help="The networks of this deployment.")
api_key = typer.Typer(name="api-key", no_args_is_help=True, help="Make, list and revoke API keys.")
audit = typer.Typer(name="audit", no_args_is_help=True, help="Read and verify the audit records.")
tasks = typer.Typer(name="tasks", no_args_is_help=True, help="List, retry and cancel background work.")

_TaskKind = Annotated[str, typer.Argument(metavar="KIND", help="Such as verify.")]
_TaskKey = Annotated[str, typer.Argument(metavar="KEY", help="Such as audit.")]


@operation(network, "list", "networks.list")
def list_networks() -> Fields:
    """List networks with their schemes and limits."""
    return {}


@operation(
    api_key,
    "create",
    "api_keys.create",
    mutates=True,
    examples=(
        "api-key create shop --scope wallets:read --scope addresses:derive",
        "api-key create first --all-scopes --tenant 7c1f0c9e-…    (in the database: needs no server and no key)",
    ),
)
def create_api_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; may be repeated.")] = None,
    all_scopes: Annotated[bool, typer.Option("--all-scopes", help="Everything.")] = False,
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339, such as 2030-01-01T00:00:00Z.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Make it for this tenant, directly in the database.")] = None,
) -> Fields | str:
    """Make an API key. It is shown this once."""
    from strongroom.access.scopes import SCOPES

    scopes = sorted(SCOPES) if all_scopes else scope or []
    if not scopes:
        failure.fail("give --scope or --all-scopes; there are " + ", ".join(SCOPES), failure.USAGE)
    if tenant is not None:
        from strongroom.entrypoints.cli import local

        return local.create_api_key(_uuid(tenant), name, scopes, _time(expires_at))
    return {"name": name, "scopes": scopes, "expires_at": expires_at}


@operation(api_key, "list", "api_keys.list")
def list_api_keys(cursor: options.Cursor = None, limit: options.PageSize = None) -> Fields:
    """List API keys."""
    return {"cursor": cursor, "limit": limit}


@operation(api_key, "revoke", "api_keys.revoke", mutates=True)
def revoke_api_key(key_id: Annotated[str, typer.Argument(metavar="KEY", help="Id of the API key.")]) -> Fields:
    """Revoke an API key: within seconds nobody accepts it."""
    return {"key_id": key_id}


@operation(audit, "list", "audit.list", examples=("audit list --outcome denied", "audit list --wallet $WALLET"))
def list_audit(
    wallet: Annotated[str | None, typer.Option(help="Only of this wallet.")] = None,
    operation_: Annotated[str | None, typer.Option("--operation", help="Such as transactions.sign.")] = None,
    operation_id: Annotated[str | None, typer.Option(help="Only of this operation.")] = None,
    outcome: Annotated[str | None, typer.Option(help="requested, succeeded, failed or denied.")] = None,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """Read audit records, newest first."""
    return {
        "wallet_id": wallet,
        "operation": operation_,
        "operation_id": operation_id,
        "outcome": outcome,
        "cursor": cursor,
        "limit": limit,
    }


@audit.command(
    "verify", epilog=output.examples("audit verify", "audit verify --heads /mnt/elsewhere/audit-heads.jsonl")
)
def verify_audit(
    heads: Annotated[
        Path | None, typer.Option(help="Heads that were kept outside the database; those of audit.heads if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Walk every audit chain in the database; exit 1 where a record was changed, moved or taken out."""
    from strongroom.entrypoints.cli import local

    local.verify_audit(heads, as_json=as_json)


@audit.command("heads")
def show_heads(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line a head.")] = False) -> None:
    """Where each audit chain in the database stands now: keep it somewhere else, and verify against it later."""
    from strongroom.entrypoints.cli import local

    local.show_heads(as_json=as_json)


@operation(tasks, "list", "tasks.list", examples=("tasks list", "tasks list --kind verify"))
def list_tasks(
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """List background work: the tenant's, and the service's own."""
    return {"kind": kind, "cursor": cursor, "limit": limit}


@operation(tasks, "retry", "tasks.retry", mutates=True, examples=("tasks retry verify audit",))
def retry_task(kind: _TaskKind, key: _TaskKey) -> Fields:
    """Have a task run now, and not when it is due."""
    return {"kind": kind, "key": key}


@operation(tasks, "cancel", "tasks.cancel", mutates=True)
def cancel_task(kind: _TaskKind, key: _TaskKey) -> Fields:
    """Cancel a task of the tenant: nobody looks at it again until something new wakes it."""
    return {"kind": kind, "key": key}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        failure.fail("--tenant is a UUID", failure.USAGE)


def _time(text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 refused below like every time without a zone
    if at is not None and at.tzinfo is None:
        failure.fail("--expires-at is a time with its zone, such as 2030-01-01T00:00:00Z", failure.USAGE)
    return at
