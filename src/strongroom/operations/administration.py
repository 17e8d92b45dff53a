"""What an operator does: API keys, audit records, the list of networks."""

from __future__ import annotations

from collections.abc import Sequence
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
from strongroom.errors import Forbidden, InvalidField, NotFound
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_moment, cursor_uuid, page_of
from strongroom.operations.fields import Cursor, PageSize, Timestamp, clean_text, in_utc
from strongroom.operations.restrictions import NewRestriction, RestrictionView, handed_on
from strongroom.storage.base import AuditFilter, Change, Row

_MOST_REVOKED: Final = 1000
"""How many keys one call marks as revoked."""


class CreateApiKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: Annotated[Annotated[str, Meta(min_length=1, max_length=128)], Meta(description="Your own name for the key")]
    scopes: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=64)]
    expires_at: Timestamp | None = None
    restriction: Annotated[
        NewRestriction | None,
        Meta(description="What the key is restricted to. Without it the key has no restriction of its own"),
    ] = None


class ListApiKeys(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor | None = None
    limit: PageSize = 50


class RevokeApiKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    key_id: Annotated[UUID, Meta(description="Id of the API key")]


class ListAudit(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: Annotated[UUID | None, Meta(description="Only records of this wallet")] = None
    operation: Annotated[
        Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")] | None,
        Meta(description="Only records of this operation, such as transactions.sign"),
    ] = None
    operation_id: Annotated[UUID | None, Meta(description="Only records with this operation id")] = None
    outcome: Annotated[
        Literal["requested", "succeeded", "failed", "denied"] | None, Meta(description="Only records with this outcome")
    ] = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class ListNetworks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    pass


class ApiKeyView(msgspec.Struct, kw_only=True, frozen=True):
    id: Annotated[UUID, Meta(description="Id of the API key")]
    name: Annotated[str, Meta(description="Your own name for the key")]
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    made_by: Annotated[
        UUID | None, Meta(description="Id of the key that made this one; null if the command line did")
    ] = None
    restriction: Annotated[
        RestrictionView | None, Meta(description="What the key is restricted to; null if nothing")
    ] = None

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
            restriction=RestrictionView.of(key.restriction),
        )


class CreatedApiKey(ApiKeyView, kw_only=True, frozen=True):
    api_key: Annotated[
        Secret | None,
        Meta(description="The key itself. It is shown once, and is null in the response to a repeated request"),
    ] = None


class ApiKeyPage(msgspec.Struct, kw_only=True, frozen=True):
    api_keys: Annotated[list[ApiKeyView], Meta(description="API keys of this page, without the secrets")]
    next_cursor: str | None


class AuditView(msgspec.Struct, kw_only=True, frozen=True):
    writer_id: Annotated[
        UUID, Meta(description="Id of the process that wrote the record. Each process has its own chain")
    ]
    sequence: Annotated[int, Meta(description="Place of the record in its writer's chain")]
    at: Timestamp
    principal_id: UUID
    operation: Annotated[str, Meta(description="Name of the operation, such as transactions.sign")]
    operation_id: UUID
    outcome: Annotated[str, Meta(description="requested, succeeded, failed or denied")]
    wallet_id: UUID | None
    network: str | None
    request_id: str
    client: Annotated[str, Meta(description="Network address of the caller; empty for the service itself")]
    details: Annotated[
        dict[str, Any], Meta(description="Summary, transaction id, error code …, depending on the operation")
    ]

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
    records: Annotated[list[AuditView], Meta(description="Audit records of this page")]
    next_cursor: str | None


class SchemeView(msgspec.Struct, kw_only=True, frozen=True):
    name: Annotated[str, Meta(description="Name of the scheme, as requests take it")]
    template: Annotated[
        str, Meta(description="Derivation path with its variables, such as m/44'/60'/{account}'/{change}/{index}")
    ]
    default: Annotated[bool, Meta(description="Whether the scheme is used if a request names none")]
    kinds: Annotated[list[str], Meta(description="Kinds of wallets that can use the scheme")]
    description: Annotated[str, Meta(description="What the scheme is for")]


class NetworkView(msgspec.Struct, kw_only=True, frozen=True):
    name: Annotated[str, Meta(description="Name of the network, as requests take it")]
    chain: Annotated[str, Meta(description="Kind of chain: evm, bitcoin, tron, solana or ton")]
    keyspace: str
    caip2: str
    chain_id: Annotated[int | None, Meta(description="EVM chain id; null on other chains")]
    symbol: str
    decimals: int
    testnet: Annotated[bool, Meta(description="Whether its coins have no value")]
    aliases: Annotated[list[str], Meta(description="Other names that requests may use")]
    schemes: Annotated[list[SchemeView], Meta(description="Derivation schemes of the network")]
    limits: Annotated[dict[str, str | None], Meta(description="Limits in force, decimal; null means no limit")]


class NetworkList(msgspec.Struct, kw_only=True, frozen=True):
    networks: Annotated[list[NetworkView], Meta(description="Networks that the service knows")]


async def create_api_key(command: CreateApiKey, call: Call) -> CreatedApiKey:
    """Makes an API key. A caller cannot pass on rights that it does not hold, nor for longer than it holds them.

    Raises InvalidField, Forbidden.
    """
    scopes = tuple(sorted(set(command.scopes)))
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise InvalidField(f"scopes: {len(unknown)} of them are unknown", field="scopes", allowed=list(SCOPES))
    if not set(scopes) <= call.principal.scopes:
        raise Forbidden("a key can only have scopes that its maker has")
    asked = None if command.expires_at is None else in_utc(command.expires_at, "expires_at")
    if asked is not None and asked <= call.now:
        raise InvalidField("expires_at must be in the future", field="expires_at")
    limit = call.principal.expires_at
    if limit is not None and asked is not None and asked > limit:
        raise Forbidden("a key cannot outlive its maker: expires_at must not be later than the maker's")
    expires_at = asked or limit
    await _require_generations(call)
    restriction = await handed_on(command.restriction, call)
    name = clean_text(command.name, "name") or ""
    made = new_key(
        call.tenant_id,
        name,
        scopes,
        expires_at,
        call.authenticator.secret_mac,
        call.now,
        made_by=call.principal.id,
        restriction=restriction,
    )
    view = ApiKeyView.of(made.row)
    details: dict[str, Any] = {"key_id": str(made.row.id), "scopes": list(scopes)}
    if view.restriction is not None:
        details["restriction"] = view.restriction
    async with call.journal.intent(details=details) as intent:
        stored = CreatedApiKey(**msgspec.structs.asdict(view))
        intent.settle(stored, rows=[made.row])
    return msgspec.structs.replace(stored, api_key=made.text)


async def list_api_keys(command: ListApiKeys, call: Call) -> ApiKeyPage:
    """Lists the tenant's keys. A restricted caller sees only itself and the keys below it."""
    under = call.principal.id if call.principal.restriction.hides else None
    found = await call.storage.api_keys(call.tenant_id, cursor_uuid(command.cursor), command.limit + 1, under)
    page, more = page_of(found, command.limit, lambda each: (each.id,))
    return ApiKeyPage(api_keys=[ApiKeyView.of(key) for key in page], next_cursor=more)


async def revoke_api_key(command: RevokeApiKey, call: Call) -> ApiKeyView:
    """Revokes a key and every key that it made. Idempotent: a revoked key keeps its first date of revocation.

    A caller may revoke itself, the keys below it, and any key whose scopes it holds. Raises NotFound, Forbidden.
    """
    key = await _api_key(command.key_id, call)
    if not set(key.scopes) <= call.principal.scopes and call.principal.id not in await _makers(key, call):
        raise Forbidden("to revoke a key, the caller must have all its scopes or have made it")
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
    """The ids of the key, of its maker, of its maker's maker, and so on."""
    found = [key.id]
    while key.made_by is not None and len(found) <= MAX_GENERATIONS:
        found.append(key.made_by)
        maker = await call.storage.api_key(key.made_by)
        if maker is None:
            break
        key = maker
    return found


async def _require_generations(call: Call) -> None:
    """Raises Forbidden if the caller belongs to the last generation of keys that may exist."""
    maker = await call.storage.api_key(call.principal.id)
    if maker is not None and len(await _makers(maker, call)) >= MAX_GENERATIONS:
        raise Forbidden(
            f"this key cannot make keys: at most {MAX_GENERATIONS} generations of keys can make one another"
        )


async def _made_by(key: ApiKey, call: Call) -> list[ApiKey]:
    """The keys that this key made, directly or not, at most `_MOST_REVOKED` of them.

    Keys beyond that bound are refused anyway, because authentication also looks at the makers of a key.
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
    if key is None or key.tenant_id != call.tenant_id or await _is_hidden(key, call):
        raise NotFound("there is no API key with this id", field="key_id")
    return key


async def _is_hidden(key: ApiKey, call: Call) -> bool:
    return call.principal.restriction.hides and call.principal.id not in await _makers(key, call)


def _revoked(found: Row | None, key_id: UUID) -> ApiKeyView | None:
    """The view, if another call has just revoked this key."""
    if isinstance(found, ApiKey) and found.id == key_id and found.revoked_at is not None:
        return ApiKeyView.of(found)
    return None


async def list_audit(command: ListAudit, call: Call, known: Sequence[str]) -> AuditPage:
    """``known`` are the operations of this release. Records of others may be older or newer, so their names are not
    refused if there are any.
    """
    where = AuditFilter(
        call.tenant_id,
        command.wallet_id,
        command.operation,
        command.operation_id,
        command.outcome,
        wallets=call.principal.restriction.wallets,
        networks=_names(call),
    )
    found = await call.storage.audit_records(where, cursor_moment(command.cursor), command.limit + 1)
    if not found and command.cursor is None and command.operation not in (None, *known):
        raise InvalidField(
            "operation: there is no operation with this name, and no record of one", field="operation", allowed=known
        )
    page, more = page_of(found, command.limit, lambda each: (each.entry.at.isoformat(), each.writer_id, each.sequence))
    await call.journal.require_authentic(page)
    return AuditPage(records=[AuditView.of(record) for record in page], next_cursor=more)


def _names(call: Call) -> frozenset[str] | None:
    """The names of the networks that the caller may see, as audit records have them. None means all."""
    seen = call.principal.restriction.networks
    return (
        None
        if seen is None
        else frozenset(call.networks.resolve(each)[0].name for each in seen if call.networks.has(each))
    )


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
