"""What an operator does: API keys, audit records, the list of networks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.access.api_keys import MAX_GENERATIONS, new_key
from strongroom.access.scopes import SCOPES
from strongroom.chains.base import Chain
from strongroom.domain.network import Network
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import AuditRecord
from strongroom.domain.secret import Secret
from strongroom.errors import Forbidden, InvalidField, MalformedRequest, NotFound
from strongroom.operations.call import Call
from strongroom.operations.fields import (
    Cursor,
    PageSize,
    Timestamp,
    clean_text,
    cursor_uuid,
    decode_cursor,
    encode_cursor,
    parse_cursor_uuid,
)
from strongroom.storage.base import AuditFilter, Change, Row

_MOST_REVOKED: Final = 1000
"""Keys that one call marks as revoked."""


class CreateApiKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    scopes: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=64)]
    expires_at: Timestamp | None = None


class ListApiKeys(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor | None = None
    limit: PageSize = 50


class RevokeApiKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    key_id: UUID


class ListAudit(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID | None = None
    operation: Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")] | None = None
    operation_id: UUID | None = None
    outcome: Literal["requested", "succeeded", "failed", "denied"] | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class ListNetworks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    pass


class ApiKeyView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    name: str
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    made_by: Annotated[UUID | None, Meta(description="The key that made it; null: the command line")] = None

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyView:
        return cls(
            id=key.id,
            name=key.name,
            scopes=list(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            made_by=key.made_by,
        )


class CreatedApiKey(ApiKeyView, kw_only=True, frozen=True):
    api_key: Annotated[Secret | None, Meta(description="Shown once; null in the answer to a repeated request")] = None


class ApiKeyPage(msgspec.Struct, kw_only=True, frozen=True):
    api_keys: list[ApiKeyView]
    next_cursor: str | None


class AuditView(msgspec.Struct, kw_only=True, frozen=True):
    writer_id: UUID
    sequence: int
    at: Timestamp
    principal_id: UUID
    operation: str
    operation_id: UUID
    outcome: str
    wallet_id: UUID | None
    network: str | None
    request_id: str
    client: str
    details: dict[str, Any]

    @classmethod
    def of(cls, record: AuditRecord) -> AuditView:
        entry = record.entry
        return cls(
            writer_id=record.writer_id,
            sequence=record.sequence,
            at=entry.at,
            principal_id=entry.principal_id,
            operation=entry.operation,
            operation_id=entry.operation_id,
            outcome=entry.outcome.value,
            wallet_id=entry.wallet_id,
            network=entry.network,
            request_id=entry.request_id,
            client=entry.client,
            details=msgspec.json.decode(entry.details, type=dict[str, Any]),
        )


class AuditPage(msgspec.Struct, kw_only=True, frozen=True):
    records: list[AuditView]
    next_cursor: str | None


class SchemeView(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    template: str
    default: bool
    kinds: list[str]
    description: str


class NetworkView(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    chain: str
    keyspace: str
    caip2: str
    chain_id: int | None
    symbol: str
    decimals: int
    testnet: bool
    aliases: list[str]
    schemes: list[SchemeView]
    limits: Annotated[dict[str, str | None], Meta(description="Limits in force, decimal; null: none")]


class NetworkList(msgspec.Struct, kw_only=True, frozen=True):
    networks: list[NetworkView]


async def create_api_key(command: CreateApiKey, call: Call) -> CreatedApiKey:
    """A caller gives no right that he does not hold himself, and none for longer than he holds it."""
    scopes = tuple(sorted(set(command.scopes)))
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise InvalidField(f"scopes: {len(unknown)} of them are not known", field="scopes")
    if not set(scopes) <= call.principal.scopes:
        raise Forbidden("a key may be given only scopes that its maker holds")
    if command.expires_at is not None and command.expires_at <= call.now:
        raise InvalidField("expires_at is in the past", field="expires_at")
    limit = call.principal.expires_at
    if limit is not None and command.expires_at is not None and command.expires_at > limit:
        raise Forbidden("a key may not outlive its maker: expires_at is at most the maker's")
    expires_at = command.expires_at or limit
    await _require_generations(call)
    name = clean_text(command.name, "name") or ""
    made = new_key(
        call.tenant_id, name, scopes, expires_at, call.authenticator.secret_mac, call.now, made_by=call.principal.id
    )
    async with call.journal.intent(details={"key_id": str(made.row.id), "scopes": list(scopes)}) as intent:
        stored = CreatedApiKey(**msgspec.structs.asdict(ApiKeyView.of(made.row)))
        intent.settle(stored, rows=[made.row])
    return msgspec.structs.replace(stored, api_key=made.text)


async def list_api_keys(command: ListApiKeys, call: Call) -> ApiKeyPage:
    found = await call.storage.api_keys(call.tenant_id, cursor_uuid(command.cursor), command.limit + 1)
    page = found[: command.limit]
    more = encode_cursor(page[-1].id) if len(found) > command.limit else None
    return ApiKeyPage(api_keys=[ApiKeyView.of(key) for key in page], next_cursor=more)


async def revoke_api_key(command: RevokeApiKey, call: Call) -> ApiKeyView:
    """Idempotent: a key that is revoked stays revoked since the first time. Keys that it made are revoked with it.

    A caller may revoke keys whose scopes he holds all, himself, and what he made.
    """
    key = await _api_key(command.key_id, call)
    if not set(key.scopes) <= call.principal.scopes and call.principal.id not in await _makers(key, call):
        raise Forbidden("a key may be revoked only by one that holds its scopes, or made it")
    if key.revoked_at is None:
        revoked = msgspec.structs.replace(ApiKeyView.of(key), revoked_at=call.now)
        below = [each for each in await _made_by(key, call) if each.revoked_at is None]
        changes = [Change(ApiKey, each.id, {"revoked_at": None}, {"revoked_at": call.now}) for each in (key, *below)]
        details = {"key_id": str(key.id), **({"made_by_it": [str(each.id) for each in below]} if below else {})}
        async with call.journal.intent(details=details) as intent:
            intent.settle(revoked, changes=changes, met=lambda found: _revoked(found, key.id))
        for each in (key, *below):
            call.authenticator.forget(each.id)
        key = await _api_key(key.id, call)
    return ApiKeyView.of(key)


async def _makers(key: ApiKey, call: Call) -> list[UUID]:
    """The key itself, then who made it, and so on."""
    found = [key.id]
    while key.made_by is not None and len(found) <= MAX_GENERATIONS:
        found.append(key.made_by)
        maker = await call.storage.api_key(key.made_by)
        if maker is None:
            break
        key = maker
    return found


async def _require_generations(call: Call) -> None:
    """Raises Forbidden for a maker that is the last of as many generations as there may be."""
    maker = await call.storage.api_key(call.principal.id)
    if maker is not None and len(await _makers(maker, call)) >= MAX_GENERATIONS:
        raise Forbidden(f"keys may make keys for {MAX_GENERATIONS} generations only")


async def _made_by(key: ApiKey, call: Call) -> list[ApiKey]:
    """All that this key made, directly or not, up to a bound. What is over it is refused all the same: whoever
    authenticates looks at the makers.
    """
    found: list[ApiKey] = []
    makers = [key.id]
    for _ in range(MAX_GENERATIONS):
        made = await call.storage.api_keys_made_by(call.tenant_id, makers, _MOST_REVOKED - len(found))
        found.extend(made)
        makers = [each.id for each in made]
        if not makers or len(found) >= _MOST_REVOKED:
            break
    return found


async def _api_key(key_id: UUID, call: Call) -> ApiKey:
    key = await call.storage.api_key(key_id)
    if key is None or key.tenant_id != call.tenant_id:
        raise NotFound("there is no such API key", field="key_id")
    return key


def _revoked(found: Row | None, key_id: UUID) -> ApiKeyView | None:
    """Another call revoked it meanwhile."""
    if isinstance(found, ApiKey) and found.id == key_id and found.revoked_at is not None:
        return ApiKeyView.of(found)
    return None


async def list_audit(command: ListAudit, call: Call) -> AuditPage:
    where = AuditFilter(call.tenant_id, command.wallet_id, command.operation, command.operation_id, command.outcome)
    found = await call.storage.audit_records(where, _audit_cursor(command.cursor), command.limit + 1)
    page = found[: command.limit]
    await call.journal.require_authentic(page)
    more = None
    if len(found) > command.limit:
        last = page[-1]
        more = encode_cursor(last.entry.at.isoformat(), last.writer_id, last.sequence)
    return AuditPage(records=[AuditView.of(record) for record in page], next_cursor=more)


async def list_networks(_: ListNetworks, call: Call) -> NetworkList:
    return NetworkList(networks=[_network_view(call, network, chain) for network, chain in call.networks.listed()])


def _network_view(call: Call, network: Network, chain: Chain) -> NetworkView:
    found = chain.schemes(network.keyspace).values()
    kinds = {kind for scheme in found for kind in scheme.kinds}
    defaults = {chain.default_scheme(network.keyspace, kind).name for kind in kinds}
    schemes = [
        SchemeView(
            name=scheme.name,
            template=scheme.template,
            default=scheme.name in defaults,
            kinds=sorted(scheme.kinds),
            description=scheme.description,
        )
        for scheme in found
    ]
    limits = call.networks.limits(network)
    return NetworkView(
        name=network.name,
        chain=network.chain,
        keyspace=network.keyspace,
        caip2=network.caip2,
        chain_id=network.chain_id,
        symbol=network.symbol,
        decimals=network.decimals,
        testnet=network.testnet,
        aliases=list(network.aliases),
        schemes=schemes,
        limits={key: None if value is None else str(value) for key, value in limits.items()},
    )


def _audit_cursor(cursor: str | None) -> tuple[datetime, UUID, int] | None:
    parts = decode_cursor(cursor, 3)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        sequence = int(parts[2])
    except ValueError:
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor") from None
    if at.tzinfo is None or not 0 <= sequence < 2**63:
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor")
    return at, parse_cursor_uuid(parts[1]), sequence
