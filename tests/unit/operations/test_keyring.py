"""Finding the keys of a wallet, and handing out the next address."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.registry import CHAINS
from strongroom.domain.wallet import WalletKind
from strongroom.errors import InvalidField, InvalidPath, StrongroomError, UnknownScheme
from strongroom.operations.fields import KeySelector
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.places import account_id
from tests.support.rows import wallet
from tests.support.service import RunningService, running

EVM = CHAINS["evm"]
ETHEREUM = EVM.networks[0]
KEYRING = Keyring(
    Networks(CHAINS, EVM.networks, limits={}, any_network=False), TieredCache(MemoryCache(1 << 20), None, {})
)
BIP39 = wallet()
RAW = wallet(kind=WalletKind.RAW_KEY, keyspace="evm")


@pytest.mark.parametrize(
    ("selector", "scheme", "path"),
    [
        ({}, "bip44", "m/44'/60'/0'/0/0"),
        ({"index": 7}, "bip44", "m/44'/60'/0'/0/7"),
        ({"account": 2, "change": 1, "index": 2**31 - 1}, "bip44", "m/44'/60'/2'/1/2147483647"),
        ({"scheme": "ledger-live", "index": 3}, "ledger-live", "m/44'/60'/3'/0/0"),
        ({"scheme": "ledger-legacy", "account": 1, "index": 3}, "ledger-legacy", "m/44'/60'/1'/3"),
        ({"path": "m/44'/60'/0'/0/7"}, "bip44", "m/44'/60'/0'/0/7"),
        ({"path": "m/44h/60H/5'/0/0"}, "bip44", "m/44'/60'/5'/0/0"),
        ({"path": "m/44'/60'/0'/9"}, "ledger-legacy", "m/44'/60'/0'/9"),
        ({"path": "m/44'/60'/5'/0/0", "scheme": "ledger-live"}, "ledger-live", "m/44'/60'/5'/0/0"),
    ],
    ids=str,
)
def test_place(selector: dict[str, Any], scheme: str, path: str) -> None:
    place = KEYRING.place(BIP39, ETHEREUM, KeySelector(**selector))
    assert (place.scheme.name, place.path) == (scheme, path)
    assert place.account_id == account_id(BIP39.id, "evm", scheme, place.at.account)


def test_place_of_a_raw_key() -> None:
    assert KEYRING.place(RAW, ETHEREUM, KeySelector()).path == "m"
    assert KEYRING.place(RAW, ETHEREUM, KeySelector(path="m")).scheme.name == "raw"
    elsewhere = wallet(kind=WalletKind.RAW_KEY, keyspace="solana")
    selectors = (KeySelector(index=1), KeySelector(account=1), KeySelector())
    for owner, selector in zip((RAW, RAW, elsewhere), selectors, strict=True):
        with pytest.raises(InvalidField):
            KEYRING.place(owner, ETHEREUM, selector)


@pytest.mark.parametrize(
    ("selector", "error", "field"),
    [
        ({"path": "m"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/2/0"}, InvalidPath, "path"),
        ({"path": "m/44'/0'/0'/0/0"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/0'/0"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/0/0/0"}, InvalidPath, "path"),
        ({"path": "44'/60'/0'/0/0"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/0/4294967295"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/0/1", "scheme": "ledger-live"}, InvalidPath, "path"),
        ({"path": "m/44'/60'/0'/0/1", "index": 1}, InvalidField, "path"),
        ({"path": "m/44'/60'/0'/0/1", "account": 0}, InvalidField, "path"),
        ({"scheme": "nothing"}, UnknownScheme, "scheme"),
        ({"scheme": "raw"}, UnknownScheme, "scheme"),
        ({"scheme": "ledger-live", "account": 1}, InvalidField, "scheme"),
        ({"scheme": "ledger-legacy", "change": 1}, InvalidField, "scheme"),
        ({"change": 2}, InvalidField, "scheme"),
        ({"index": 2**31}, InvalidField, "scheme"),
    ],
    ids=str,
)
def test_no_such_place(selector: dict[str, Any], error: type[StrongroomError], field: str) -> None:
    with pytest.raises(error) as caught:
        KEYRING.place(BIP39, ETHEREUM, KeySelector(**selector))
    assert caught.value.field == field


def test_default_account_of_each_keyspace_that_is_named_is_opened_once() -> None:
    assert KEYRING.openings(WalletKind.BIP39, []) == []
    [opening] = KEYRING.openings(WalletKind.BIP39, ["evm", "evm"])
    assert (opening.keyspace, opening.want.path, opening.want.node) == ("evm", "m/44'/60'/0'", True)
    [single] = KEYRING.openings(WalletKind.RAW_KEY, ["evm"])
    assert (single.want.path, single.want.node) == ("m", False)


async def new_wallet(service: RunningService) -> str:
    made = await service.http.call("wallets.create", {"words": 12}, key=service.key)
    wallet_id: str = made.result["id"]
    return wallet_id


async def take(service: RunningService, wallet_id: str, scheme: str, n: int) -> int:
    command = {"wallet_id": wallet_id, "network": "ethereum", "scheme": scheme}
    answer = await service.faces[n % 2].call("addresses.next", command, key=service.key)
    assert answer.code == "ok", answer
    index: int = answer.result["index"]
    return index


@pytest.mark.parametrize("scheme", ["bip44", "ledger-live"])
async def test_fifty_at_once_get_fifty_addresses_in_a_row(service: RunningService, scheme: str) -> None:
    wallet_id = await new_wallet(service)
    taken = await asyncio.gather(*(take(service, wallet_id, scheme, n) for n in range(50)))
    assert sorted(taken) == list(range(1, 51))
    for also_stored, count in ((False, 50), (True, 51)):  # nobody has asked for the first one
        listed = await service.http.call(
            "addresses.list",
            {"wallet_id": wallet_id, "network": "ethereum", "scheme": scheme, "all": also_stored, "limit": 200},
            key=service.key,
        )
        assert len({address["address"] for address in listed.result["addresses"]}) == count


async def test_two_processes_never_give_out_the_same(service: RunningService, tmp_path: Path) -> None:
    async with running(service.settings.data_dir, {}) as other:
        wallet_id = await new_wallet(service)
        other.key = service.key
        asked = [take(each, wallet_id, "bip44", n) for n in range(10) for each in (service, other)]
        taken = await asyncio.gather(*asked)
    assert sorted(taken) == list(range(1, 21))


async def test_address_that_was_asked_for_by_its_index_is_not_given_out_again(service: RunningService) -> None:
    wallet_id = await new_wallet(service)
    for index in (1, 3):
        command = {"wallet_id": wallet_id, "network": "ethereum", "index": index}
        assert (await service.grpc.call("addresses.derive", command, key=service.key)).code == "ok"
    assert [await take(service, wallet_id, "bip44", n) for n in range(3)] == [2, 4, 5]


@pytest.mark.parametrize("scheme", ["bip44", "ledger-live"])
@pytest.mark.parametrize("where", [{"index": 2**31 - 1}, {"index": 7}])
async def test_an_account_that_was_opened_by_an_index_still_begins_at_its_first(
    service: RunningService, scheme: str, where: dict[str, int]
) -> None:
    wallet_id = await new_wallet(service)
    command = {"wallet_id": wallet_id, "network": "ethereum", "scheme": scheme, **where}
    assert (await service.grpc.call("addresses.derive", command, key=service.key)).code == "ok"
    assert [await take(service, wallet_id, scheme, n) for n in range(2)] == [1, 2]


async def test_a_change_address_that_opened_its_account_takes_no_receiving_index(service: RunningService) -> None:
    wallet_id = await new_wallet(service)
    command = {"wallet_id": wallet_id, "network": "bitcoin", "change": 1, "index": 5}
    assert (await service.http.call("addresses.derive", command, key=service.key)).code == "ok"
    account = await service.http.call("accounts.get", {"wallet_id": wallet_id, "network": "bitcoin"}, key=service.key)
    assert account.result["next_index"] == 0
