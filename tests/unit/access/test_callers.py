"""What is asked before what: the cheapest first, and nothing of a credential from an address that may not call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from strongroom.access.callers import Callers
from strongroom.access.refusals import NOT_FROM_HERE, REFUSAL, why
from strongroom.domain.client_networks import Network, means_everybody, parse_network, permits
from strongroom.domain.principal import Principal
from strongroom.errors import AccessError, Forbidden, Unauthenticated
from tests.support.rows import NOW, TENANT


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(parse_network, texts))


class World:
    """Everything that `Callers` asks. It writes down what it was asked."""

    def __init__(self, *, tenant: Sequence[Network] = (), key: tuple[Network, ...] = ()) -> None:
        self.events: list[str] = []
        self._tenant = tenant
        self._principal = Principal(UUID(int=1), TENANT, "key", frozenset(), client_networks=key)

    async def authenticate(self, text: str, now: datetime, client: str) -> Principal:
        self.events.append(text)
        return self._principal

    async def of(self, tenant_id: UUID, targets: Sequence[UUID] | None = None) -> Any:
        if targets is not None:
            return set()
        self.events.append("tenant")
        return self._tenant

    def principal(self, certificate: bytes, now: datetime) -> Principal:
        return self._principal

    def callers(self, **options: Any) -> Callers:
        itself: Any = self
        return Callers(itself, itself, itself, **{"tokens": itself, **options})


async def refusal(callers: Callers, credential: str | None, client: str = "192.0.2.1") -> AccessError:
    with pytest.raises(AccessError) as caught:
        await callers.identify(credential, client, NOW)
    return caught.value


@pytest.mark.parametrize("credential", ["sr_key", "a.b.c"])
async def test_order(credential: str) -> None:
    world = World(tenant=networks("192.0.2.0/24"), key=networks("192.0.2.1"))
    principal = await world.callers(networks=networks("192.0.0.0/16")).identify(credential, "192.0.2.1", NOW)
    assert principal.id == UUID(int=1)
    assert world.events == [credential, "tenant"]


class Revoked(World):
    async def of(self, tenant_id: UUID, targets: Sequence[UUID] | None = None) -> Any:
        return set(targets or ())


async def test_who_comes_with_a_certificate_can_be_revoked() -> None:
    assert await World().callers(certificates=World()).identify(None, "192.0.2.1", NOW, certificate=b"x")
    with pytest.raises(Unauthenticated) as caught:
        await Revoked().callers(certificates=World()).identify(None, "192.0.2.1", NOW, certificate=b"x")
    found = why(caught.value)
    assert found is not None
    assert found.reason == "client certificate: its subject is revoked"


@pytest.mark.parametrize("credential", ["sr_key", "a.b.c", None])
async def test_from_a_network_of_nobody_nothing_else_is_asked(credential: str | None) -> None:
    world = World()
    error = await refusal(world.callers(networks=networks("10.0.0.0/8")), credential)
    assert (type(error), error.message) == (Forbidden, NOT_FROM_HERE)
    assert world.events == []


@pytest.mark.parametrize(
    ("tenant", "key", "reason"),
    [
        (("10.0.0.0/8",), (), "address outside the tenant's client networks"),
        ((), ("10.0.0.0/8",), "address outside the key's client networks"),
        (("10.0.0.0/8",), ("10.0.0.0/8",), "address outside the tenant's client networks"),
        (("192.0.2.0/24",), ("10.0.0.0/8",), "address outside the key's client networks"),
    ],
)
async def test_from_a_wrong_network_a_good_key_is_as_good_as_none(
    tenant: tuple[str, ...], key: tuple[str, ...], reason: str
) -> None:
    world = World(tenant=networks(*tenant), key=networks(*key))
    error = await refusal(world.callers(), "sr_key")
    nobody = await refusal(world.callers(), None)
    assert (type(error), error.message) == (type(nobody), nobody.message) == (Unauthenticated, REFUSAL)
    found = why(error)
    assert found is not None
    assert (found.reason, found.principal and found.principal.id) == (reason, UUID(int=1))


async def test_without_an_issuer_or_with_keys_turned_off_nobody_is_asked() -> None:
    world = World()
    for callers, credential in ((world.callers(tokens=None), "a.b.c"), (world.callers(takes_keys=False), "sr_key")):
        assert (await refusal(callers, credential)).message == REFUSAL
    assert world.events == []


@pytest.mark.parametrize(
    "texts",
    [("0.0.0.0/0",), ("::/0",), ("::ffff:0.0.0.0/96",), ("0.0.0.0/1", "128.0.0.0/1"), ("2000::/3",), ("::/1",),
     ("2000::/4", "10.0.0.0/8", "3000::/4")],
)  # fmt: skip
def test_everybody_is_told_also_in_parts(texts: tuple[str, ...]) -> None:
    assert means_everybody(networks(*texts))


@pytest.mark.parametrize("texts", [(), ("0.0.0.0/1",), ("10.0.0.0/8", "fe80::/10"), ("2000::/4",), ("::/3",)])
def test_less_than_everybody_is_not(texts: tuple[str, ...]) -> None:
    assert not means_everybody(networks(*texts))


@pytest.mark.parametrize("address", ["unknown", "", "unix:/run/x", "10.0.0.1/8"])
def test_what_is_no_address_is_in_no_list(address: str) -> None:
    assert permits((), address)
    assert not permits(networks("0.0.0.0/0", "::/0"), address)


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "10.0.0.0/33", "", "localhost", "10.0.0.0/8 ", "::/129", "10.0.0", "fe80::1%eth0", "fe80::%eth0/64"],
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits|no zone"):
        parse_network(text)
