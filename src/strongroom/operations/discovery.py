"""Finds the addresses of a wallet that were used on a chain before, typically with words from another wallet program.

Keys are opened only in the request, for a caller that may derive addresses, and never in the background. The task walks
with the account's public node or, if every index is hardened, with public keys that were derived for it in advance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain
from strongroom.codecs import bip32
from strongroom.domain.discovery import (
    KEYS_AT_ONCE,
    Discovery,
    DiscoveryState,
    StopReason,
    discovery_id,
    keys_of,
    resumed,
    stopped,
    walked,
    window,
)
from strongroom.domain.network import Network
from strongroom.domain.record import AuditEntry
from strongroom.domain.scheme import MAX_INDEX, Position, Scheme
from strongroom.domain.task import Task
from strongroom.domain.wallet import Account, Address, Wallet, WalletState
from strongroom.errors import IntegrityError, NotFound, SourceMissing, UnknownScheme
from strongroom.keys.base import Want
from strongroom.operations.call import Call
from strongroom.operations.duties import Duties
from strongroom.operations.fields import AccountNumber, KeySelector, NetworkName, SchemeName, Timestamp
from strongroom.operations.places import Place, address_at
from strongroom.rpc.base import Capability, Holder
from strongroom.storage.base import Change, Unit, Wake
from strongroom.tasks.base import Done
from strongroom.telemetry import failpoints

KIND: Final = "discover"
BUDGET: Final = 1_000
_CHANGING: Final = (
    "operation_id", "state", "reason", "gap", "budget", "change", "index", "unused", "checked", "used", "keys", "epoch",
)  # fmt: skip

Gap = Annotated[
    int,
    Meta(
        ge=1,
        le=KEYS_AT_ONCE,
        description="Number of unused addresses in a row that ends a branch. Default: that of the previous discovery, "
        "or else `STRONGROOM_NODES__GAP` of the service, usually 20",
    ),
]
Budget = Annotated[int, Meta(ge=1, le=100_000, description="Maximum addresses to check, on both branches together")]


class DiscoverAddresses(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    scheme: SchemeName | None = None
    account: AccountNumber = 0
    gap: Gap | None = None
    budget: Budget = BUDGET


class GetDiscovery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    discovery_id: Annotated[UUID, Meta(description="Id of the discovery, returned when it was started")]


class DiscoveryView(msgspec.Struct, kw_only=True, frozen=True):
    id: Annotated[UUID, Meta(description="Id of the discovery, and key of its task, whose kind is discover")]
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    state: Annotated[
        Literal["running", "done", "stopped"],
        Meta(
            description="done: the gap was reached on every branch. stopped: it ended before that; ask again to "
            "continue"
        ),
    ]
    reason: Annotated[
        str | None,
        Meta(
            description="Why it stopped. budget: it is used up. keys: every index is hardened; ask again, and the "
            "keys of more addresses are derived. archived: the wallet was archived. failed: no source "
            "responded for hours"
        ),
    ]
    gap: Annotated[int, Meta(description="Number of unused addresses in a row that ends a branch")]
    budget: Annotated[int, Meta(description="Number of addresses that may still be checked")]
    change: Annotated[int, Meta(description="Branch that is being walked: 0 receiving, 1 change")]
    index: Annotated[int, Meta(description="Index that is checked next")]
    checked: Annotated[int, Meta(description="Number of addresses checked so far")]
    used: Annotated[
        int, Meta(description="Number of used addresses among them. They are listed with the wallet's addresses")
    ]
    error: Annotated[str | None, Meta(description="Error code of the last attempt, while it is being retried")]
    created_at: Timestamp

    @classmethod
    def of(cls, row: Discovery, network: Network, error: str | None = None) -> DiscoveryView:
        given: dict[str, Any] = {name: getattr(row, name) for name in cls.__struct_fields__ if hasattr(row, name)}
        return cls(**(given | {"state": row.state.value, "network": network.name, "error": error}))


async def discover(command: DiscoverAddresses, call: Call) -> DiscoveryView:
    """Starts a discovery, continues a stopped one, or reports the progress of a running one.

    Raises NotFound, WalletArchived, Forbidden, SourceMissing, UnknownScheme.
    """
    network, _ = call.networks.resolve(command.network)
    usable = await call.usable_wallet(command.wallet_id)
    require_able(call, network)
    place = call.keyring.place(usable.wallet, network, KeySelector(scheme=command.scheme, account=command.account))
    if not has_indexes(place.scheme):
        raise UnknownScheme("the scheme has only one address: leave out the index", field="scheme")
    await call.keyring.derive(call, replace(place, asked=False))
    found = await call.storage.discovery(call.tenant_id, _id_of(place))
    opens = is_hardened(place.scheme) and not _runs(found)
    async with call.journal.intent(
        wallet_id=usable.wallet.id,
        network=network.name,
        opens=usable.secret if opens else None,
        details={"path": place.path, "scheme": place.scheme.name},
    ) as intent:
        row = found if found is not None and _runs(found) else _begun(command, call, place, found, intent.operation_id)
        if opens:
            places = [replace(place, at=at) for at in _from(row)]
            row = replace(row, keys=b"".join(await call.keyring.public_keys(places, usable.secret, call.signer)))
        intent.settle(
            DiscoveryView.of(row, network),
            rows=[row] if found is None else [],
            changes=[] if found is None or row is found else [_change(found, row)],
            wakes=[_wake(row)],
            met=lambda met: DiscoveryView.of(met, network) if isinstance(met, Discovery) else None,
        )
    return DiscoveryView.of(row, network)


async def get(command: GetDiscovery, call: Call) -> DiscoveryView:
    await call.wallet(command.wallet_id)
    row = await call.storage.discovery(call.tenant_id, command.discovery_id)
    if row is None or row.wallet_id != command.wallet_id or not call.networks.has(row.network):
        raise NotFound("there is no discovery with this id", field="discovery_id")
    network, _ = call.networks.resolve(row.network)
    task = await call.storage.task(KIND, str(row.id)) if _runs(row) else None
    return DiscoveryView.of(row, network, None if task is None else task.last_error_code)


def require_able(call: Call, network: Network) -> None:
    """Checks the caller's rights and the sources before anything is stored or opened. Raises Forbidden,
    SourceMissing.
    """
    call.require_scope("addresses:derive", "discovery")
    call.require_scope("balances:read", "discovery")
    if Capability.USED not in call.reading.reader(network).capabilities:
        raise SourceMissing("no configured source of this network can tell which addresses were used", field="network")


def has_indexes(scheme: Scheme) -> bool:
    return "{index}" in scheme.template


def is_hardened(scheme: Scheme) -> bool:
    """Whether only an open wallet can derive the scheme's keys."""
    return scheme.account_template is None


def at_import(call: Call, wallet: Wallet, networks: Sequence[str]) -> list[Place]:
    """The first account on each of these networks, unless its scheme has one address only. Raises as `require_able`."""
    found: dict[UUID, Place] = {}
    for name in networks:
        network, _ = call.networks.resolve(name)
        require_able(call, network)
        place = Place(wallet, network, call.networks.default_scheme(network, wallet.kind), Position())
        if has_indexes(place.scheme):
            found[_id_of(place)] = place
    return list(found.values())


def wants(place: Place) -> list[Want]:
    """The keys that have to be derived while the wallet is open."""
    if not is_hardened(place.scheme):
        return []
    return [Want(place.scheme.path(Position(0, 0, n)), place.scheme.curve) for n in range(KEYS_AT_ONCE)]


def begun_at_import(call: Call, place: Place, keys: Sequence[bytes], operation_id: UUID) -> tuple[Discovery, Wake]:
    """A discovery that starts with an imported wallet, and the wake of its task. ``keys``: the derived `wants`."""
    row = _new(place, call.gap, BUDGET, operation_id, call.now)
    return replace(row, keys=b"".join(keys)), _wake(row)


def _runs(row: Discovery | None) -> bool:
    return row is not None and row.state is DiscoveryState.RUNNING


def _begun(
    command: DiscoverAddresses, call: Call, place: Place, found: Discovery | None, operation_id: UUID
) -> Discovery:
    if found is None:
        return _new(place, command.gap or call.gap, command.budget, operation_id, call.now)
    return resumed(found, gap=command.gap or found.gap, budget=command.budget, operation_id=operation_id)


def _new(place: Place, gap: int, budget: int, operation_id: UUID, now: datetime) -> Discovery:
    return Discovery(
        id=_id_of(place),
        tenant_id=place.wallet.tenant_id,
        wallet_id=place.wallet.id,
        operation_id=operation_id,
        network=place.network.caip2,
        scheme=place.scheme.name,
        account=place.at.account,
        state=DiscoveryState.RUNNING,
        reason=None,
        gap=gap,
        budget=budget,
        change=0,
        index=0,
        unused=0,
        checked=0,
        used=0,
        keys=b"",
        epoch=1,
        created_at=now,
    )


def _from(row: Discovery) -> list[Position]:
    """The positions whose keys are derived in advance."""
    most = min(row.budget, KEYS_AT_ONCE, MAX_INDEX + 1 - row.index)
    return [Position(row.account, row.change, row.index + n) for n in range(most)]


def _id_of(place: Place) -> UUID:
    return discovery_id(place.wallet.id, place.network.caip2, place.scheme.name, place.at.account)


def _wake(row: Discovery) -> Wake:
    return Wake(KIND, str(row.id), row.tenant_id)


def _change(old: Discovery, new: Discovery) -> Change:
    return Change(Discovery, old.id, {"epoch": old.epoch}, {name: getattr(new, name) for name in _CHANGING})


async def walk(task: Task, duties: Duties) -> Done:
    """The handler of the task: asks about a few addresses at once, and stores what it found together with its
    progress.
    """
    found = await duties.storage.find(Discovery, ("id",), [(UUID(task.key),)])
    if not found or not _runs(found[0]):
        return Done()
    row = found[0]
    wallet = await duties.storage.wallet(row.tenant_id, row.wallet_id)
    if wallet is None or wallet.state is not WalletState.ACTIVE:
        return await _ended(row, StopReason.ARCHIVED, duties)
    network, chain = duties.networks.resolve(row.network)
    scheme = duties.networks.scheme(network, wallet.kind, row.scheme)
    account = await duties.storage.account(row.tenant_id, wallet.id, network.keyspace, scheme.name, row.account)
    if account is None:
        raise IntegrityError("the account under discovery no longer exists")
    places = [Place(wallet, network, scheme, at) for at in window(row, scheme)]
    addresses = await asyncio.to_thread(_addresses, row, account, places, chain, duties.clock())
    shown = [chain.render(network, scheme, each.public_key).address for each in addresses]
    holders = [Holder(each.canonical, name) for each, name in zip(addresses, shown, strict=True)]
    told = await duties.reading.reader(network).used(holders)
    failpoints.reached("discover.asked")
    are_used = [name in told.addresses for name in shown[: told.asked]]
    used = [each for each, is_used in zip(addresses, are_used, strict=False) if is_used]
    new = walked(row, scheme, are_used)
    unit = Unit(same=used, changes=[_change(row, new), *_moved_on(account, used)])
    audit = [await _told(new, used, duties)] if used or not _runs(new) else []
    pause = timedelta(seconds=len(are_used) / duties.discovery_rate)
    return Done(unit, audit, again=pause if _runs(new) else None)


def _addresses(row: Discovery, account: Account, places: Sequence[Place], chain: Chain, now: datetime) -> list[Address]:
    """The addresses at ``places``, from the account's node or from keys that were derived for this walk."""
    if account.node is None:
        keys = keys_of(row, places[0].scheme, len(places))
    else:
        keys = [bip32.derive_public(account.node, each.path).public_key for each in places]
    return [address_at(chain, place, key, now) for place, key in zip(places, keys, strict=True)]


def _moved_on(account: Account, used: Sequence[Address]) -> list[Change]:
    """Moves the counter of the account forward, so that `addresses.next` never hands out a used address."""
    after = max((each.index + 1 for each in used if each.change == 0), default=0)
    if after <= account.next_index:
        return []
    return [Change(Account, account.id, {"next_index": account.next_index}, {"next_index": after})]


async def give_up(task: Task, _code: str, duties: Duties) -> Done:
    """Stops the discovery after the last attempt. Nothing is lost, because a new request continues it."""
    found = await duties.storage.find(Discovery, ("id",), [(UUID(task.key),)])
    return await _ended(found[0], StopReason.FAILED, duties) if found and _runs(found[0]) else Done()


async def _ended(row: Discovery, reason: StopReason, duties: Duties) -> Done:
    new = replace(stopped(row, reason), epoch=row.epoch + 1)
    return Done(Unit(changes=[_change(row, new)]), [await _told(new, [], duties)])


async def _told(row: Discovery, used: Sequence[Address], duties: Duties) -> AuditEntry:
    details: dict[str, Any] = {"scheme": row.scheme, "account": row.account, "state": row.state.value}
    details |= {"checked": row.checked, "used": row.used}
    if row.reason is not None:
        details["reason"] = row.reason
    if used:
        wrote = [[str(each.account_id), each.change, each.index] for each in used]
        details["wrote"] = {"addresses": wrote}  # in the form that `journal.facts` reads
    return await duties.entry(row, "addresses.discover", details)
