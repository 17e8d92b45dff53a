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
api_key = typer.Typer(name="api-key", no_args_is_help=True, help="Create, list and revoke API keys.")
revocation = typer.Typer(
    name="revocation", no_args_is_help=True, help="Refuse subjects and tokens of accepted issuers."
)
client_networks = typer.Typer(
    name="client-networks", no_args_is_help=True, help="The networks from which the tenant's callers may come."
)
audit = typer.Typer(name="audit", no_args_is_help=True, help="Read and verify the audit records.")
tasks = typer.Typer(name="tasks", no_args_is_help=True, help="List, retry and cancel background work.")

_TaskKind = Annotated[str, typer.Argument(metavar="KIND", help="Kind of the task, such as verify.")]
_TaskKey = Annotated[str, typer.Argument(metavar="KEY", help="Key of the task, such as audit.")]
_Names = Annotated[list[str] | None, typer.Option(help="Restrict it to this network. Repeatable.")]


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
        "api-key create till --scope sign:transaction --only-wallet $WALLET --max-value eip155:1/slip44:60=5000000000",
        "api-key create first --all-scopes --tenant 7c1f0c9e-…    (in the database: needs no server and no key)",
    ),
)
def create_api_key(
    name: Annotated[str, typer.Argument(help="Name of the key, such as what it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; repeatable.")] = None,
    all_scopes: Annotated[bool, typer.Option("--all-scopes", help="Every scope.")] = False,
    expires_at: Annotated[str | None, typer.Option(help="Time in RFC 3339, such as 2030-01-01T00:00:00Z.")] = None,
    only_network: _Names = None,
    only_wallet: Annotated[
        list[str] | None, typer.Option(help="Restrict it to the wallet with this id. Repeatable.")
    ] = None,
    client_network: Annotated[list[str] | None, typer.Option(help="Where it may be used from; repeatable.")] = None,
    rate: Annotated[list[str] | None, typer.Option(help="Rate limit, such as sign=10/second. Repeatable.")] = None,
    refuse_unknown_calls: Annotated[bool, typer.Option("--refuse-unknown-calls", help="Sign no unknown call.")] = False,
    max_value: Annotated[
        list[str] | None,
        typer.Option(
            help="Most that one transaction may move, such as eip155:1/slip44:60=1000000000000000000. Repeatable."
        ),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Create it for this tenant, directly in the database.")] = None,
) -> Fields | str:
    """Create an API key. It is shown only once."""
    from strongroom.access.scopes import SCOPES

    scopes = sorted(SCOPES) if all_scopes else scope or []
    if not scopes:
        failure.fail("give --scope or --all-scopes; the scopes are " + ", ".join(SCOPES), failure.USAGE)
    asked = {
        "networks": only_network,
        "wallets": only_wallet,
        "client_networks": client_network,
        "rates": options.pairs(rate),
        "unknown_calls": "refuse" if refuse_unknown_calls else None,
        "max_values": options.pairs(max_value),
    }
    restriction = {field: value for field, value in asked.items() if value}
    if tenant is not None:
        from strongroom.entrypoints.cli import local

        if restriction:
            failure.fail(
                "a key created in the database cannot be restricted: leave out --tenant, or the restrictions",
                failure.USAGE,
            )
        return local.create_api_key(_uuid(tenant), name, scopes, _time(expires_at))
    return {"name": name, "scopes": scopes, "expires_at": expires_at, "restriction": restriction or None}


@operation(api_key, "list", "api_keys.list", pages="api_keys")
def list_api_keys(cursor: options.Cursor = None, limit: options.PageSize = None) -> Fields:
    """List API keys."""
    return {"cursor": cursor, "limit": limit}


@operation(api_key, "revoke", "api_keys.revoke", mutates=True)
def revoke_api_key(key_id: Annotated[str, typer.Argument(metavar="KEY", help="Id of the API key.")]) -> Fields:
    """Revoke an API key. Within seconds it is refused everywhere."""
    return {"key_id": key_id}


@operation(
    revocation,
    "create",
    "revocations.create",
    mutates=True,
    examples=("revocation create --issuer https://login.example.com --subject payout-worker --reason 'left'",),
)
def revoke(
    issuer: Annotated[str | None, typer.Option(help="iss of the tokens.")] = None,
    subject: Annotated[str | None, typer.Option(help="The sub, whose tokens are all refused.")] = None,
    token_id: Annotated[str | None, typer.Option(help="jti of a single token.")] = None,
    principal: Annotated[str | None, typer.Option(help="Id of the principal, as the audit shows it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; the audit records it.")] = None,
) -> Fields:
    """Refuse the tokens of a subject, or a single token. Within seconds it takes effect everywhere."""
    return {"issuer": issuer, "subject": subject, "token_id": token_id, "principal_id": principal, "reason": reason}


@operation(revocation, "list", "revocations.list", pages="revocations")
def list_revocations(cursor: options.Cursor = None, limit: options.PageSize = None) -> Fields:
    """List revocations of subjects and tokens."""
    return {"cursor": cursor, "limit": limit}


@operation(revocation, "lift", "revocations.lift", mutates=True)
def lift_revocation(
    revocation_id: Annotated[str, typer.Argument(metavar="REVOCATION", help="Id of the revocation.")],
) -> Fields:
    """Accept the subject's tokens, or the token, again."""
    return {"revocation_id": revocation_id}


@operation(client_networks, "show", "client_networks.get")
def show_client_networks() -> Fields:
    """Show the networks from which the tenant's callers may come."""
    return {}


@operation(
    client_networks,
    "set",
    "client_networks.set",
    mutates=True,
    examples=("client-networks set 10.0.0.0/8 2001:db8::/32", "client-networks set    (from anywhere)"),
)
def set_client_networks(
    networks: Annotated[list[str] | None, typer.Argument(metavar="NETWORK...", help="None means anywhere.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if they leave out your own address, or cover every address.")
    ] = False,
) -> Fields:
    """Replace the networks from which the tenant's callers may come."""
    return {"networks": networks or [], "force": force}


@operation(
    audit,
    "list",
    "audit.list",
    pages="records",
    examples=("audit list --outcome denied", "audit list --wallet $WALLET"),
)
def list_audit(
    wallet: Annotated[str | None, typer.Option(help="Only those of this wallet.")] = None,
    operation_: Annotated[
        str | None, typer.Option("--operation", help="Only records of this operation, such as transactions.sign.")
    ] = None,
    operation_id: Annotated[str | None, typer.Option(help="Only those of this operation.")] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Only this outcome: requested, succeeded, failed or denied.")
    ] = None,
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
        Path | None, typer.Option(help="File of heads kept outside the database. Default: that of audit.heads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Verify every audit chain in the database. Exit code 1 if a record was changed, moved or removed."""
    from strongroom.entrypoints.cli import local

    local.verify_audit(heads, as_json=as_json)


@audit.command("heads")
def show_heads(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line per head.")] = False) -> None:
    """Show the head of each audit chain. Keep it elsewhere, and verify against it later."""
    from strongroom.entrypoints.cli import local

    local.show_heads(as_json=as_json)


@operation(tasks, "list", "tasks.list", pages="tasks", examples=("tasks list", "tasks list --kind verify"))
def list_tasks(
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """List background work of the tenant and of the service itself."""
    return {"kind": kind, "cursor": cursor, "limit": limit}


@operation(tasks, "retry", "tasks.retry", mutates=True, examples=("tasks retry verify audit",))
def retry_task(kind: _TaskKind, key: _TaskKey) -> Fields:
    """Run a task now instead of when it is due."""
    return {"kind": kind, "key": key}


@operation(tasks, "cancel", "tasks.cancel", mutates=True)
def cancel_task(kind: _TaskKind, key: _TaskKey) -> Fields:
    """Cancel a task of the tenant. It does not run again until a new event wakes it."""
    return {"kind": kind, "key": key}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        failure.fail("--tenant must be a UUID", failure.USAGE)


def _time(text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 refused below, like every time without a zone
    if at is not None and at.tzinfo is None:
        failure.fail("--expires-at must be a time with its zone, such as 2030-01-01T00:00:00Z", failure.USAGE)
    return at
