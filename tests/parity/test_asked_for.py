"""An address is listed on the network that it was requested for, and an external id names one address of a tenant."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.service import Face, Outcome, RunningService


class Asking:
    def __init__(self, service: RunningService, face: Face, key: str = "") -> None:
        self._service, self._face, self._key = service, face, key or service.key
        self.wallet = ""

    async def call(self, operation: str, **command: Any) -> Outcome:
        whole = {"wallet_id": self.wallet, **command} if self.wallet else command
        return await self._face.call(operation, whole, key=self._key)

    async def listed(self, **where: Any) -> list[tuple[str, int]]:
        answer = await self.call("addresses.list", limit=200, **where)
        assert answer.code == "ok", answer
        return [(each["network"], each.get("index", 0)) for each in answer.result.get("addresses", [])]


@pytest.fixture(params=["http", "grpc"])
async def asking(service: RunningService, request: pytest.FixtureRequest) -> Asking:
    made = Asking(service, service.faces[request.param == "grpc"])
    made.wallet = (await made.call("wallets.create", networks=["polygon"])).result["id"]
    return made


async def test_a_list_has_what_was_asked_for_on_the_network_that_it_was_asked_for(asking: Asking) -> None:
    assert await asking.listed() == [("polygon", 0)]
    assert await asking.listed(network="ethereum") == []
    assert await asking.listed(network="ethereum", all=True) == [("ethereum", 0)]
    assert (await asking.call("addresses.next", network="polygon")).result["network"] == "polygon"
    assert await asking.listed(network="polygon") == [("polygon", 0), ("polygon", 1)]


async def test_what_is_asked_for_on_a_second_network_is_listed_on_both(asking: Asking) -> None:
    for _ in range(2):
        assert (await asking.call("addresses.derive", network="base", index=0)).code == "ok"
    await asyncio.gather(*(asking.call("addresses.derive", network=name, index=5) for name in ("ethereum", "base")))
    assert await asking.listed(network="base") == [("base", 0), ("base", 5)]
    assert await asking.listed(network="ethereum") == [("ethereum", 5)]
    assert (await asking.listed())[0] == ("polygon", 0)
    asking.wallet = ""
    made = await asking.call("wallets.create", networks=["base", "ethereum"])
    assert [each["network"] for each in made.result["addresses"]] == ["base", "ethereum"]
    asking.wallet = made.result["id"]
    assert [await asking.listed(**where) for where in ({}, {"network": "ethereum"})] == [
        [("base", 0)],
        [("ethereum", 0)],
    ]


@pytest.mark.parametrize("network", ["bitcoin", "solana"])
async def test_what_was_opened_for_another_reason_is_not_listed(asking: Asking, network: str) -> None:
    """`addresses.next` gives index 1, because a wallet is created with its first address."""
    assert (await asking.call("addresses.next", network=network)).result["index"] == 1
    assert await asking.listed(network=network) == [(network, 1)]
    assert await asking.listed(network=network, all=True) == [(network, 0), (network, 1)]
    await asking.call("addresses.derive", network=network, index=0)
    assert await asking.listed(network=network) == [(network, 0), (network, 1)]


async def test_an_extended_key_hands_out_no_address(asking: Asking) -> None:
    assert (await asking.call("accounts.get", network="bitcoin")).code == "ok"
    assert await asking.listed(network="bitcoin") == []


async def test_who_sees_one_network_is_shown_what_was_handed_out_for_it(
    service: RunningService, asking: Asking
) -> None:
    await asking.call("addresses.next", network="ethereum")
    command = {"name": "e", "scopes": ["addresses:read", "wallets:read"], "restriction": {"networks": ["ethereum"]}}
    made = await service.http.call("api_keys.create", command, key=service.key)
    restricted = Asking(service, service.http, made.result["api_key"])
    restricted.wallet = asking.wallet
    assert await restricted.listed() == [("ethereum", 1)]
    assert await restricted.listed(all=True) == [("ethereum", 0), ("ethereum", 1)]


async def test_an_external_id_is_of_one_address_of_the_tenant(service: RunningService, asking: Asking) -> None:
    first = await asking.call("addresses.next", network="polygon", external_id="customer-1")
    assert first.code == "ok"
    for network, where in (("polygon", asking.wallet), ("bitcoin", asking.wallet)):
        refused = await asking.call("addresses.next", network=network, external_id="customer-1")
        assert (refused.code, refused.field) == ("external_id_taken", "external_id")
        assert where in (refused.message or "")
    other = Asking(service, service.http)
    other.wallet = (await other.call("wallets.create")).result["id"]
    assert (await other.call("addresses.next", network="polygon", external_id="customer-1")).code == "external_id_taken"
    following = await asking.call("addresses.next", network="polygon", external_id="customer-2")
    assert following.result["index"] == first.result["index"] + 1, "a refusal uses no index up"


@pytest.mark.parametrize("network", ["ethereum", "solana"])
async def test_of_many_at_one_moment_one_gets_the_external_id(asking: Asking, network: str) -> None:
    calls = [asking.call("addresses.next", network=network, external_id="at once") for _ in range(8)]
    codes = [answer.code for answer in await asyncio.gather(*calls)]
    assert sorted(codes) == ["external_id_taken"] * 7 + ["ok"]


async def test_a_wallet_says_which_one_has_the_external_id(asking: Asking) -> None:
    asking.wallet = ""
    made = await asking.call("wallets.create", external_id="treasury")
    refused = await asking.call("wallets.create", external_id="treasury")
    assert refused.code == "external_id_taken"
    assert made.result["id"] in (refused.message or "")
