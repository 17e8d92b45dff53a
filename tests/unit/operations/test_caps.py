"""What counts as leaving a wallet on each chain, and what cannot be counted."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.codecs import eip55
from strongroom.domain.asset import coin_of
from strongroom.domain.restriction import Restriction
from strongroom.domain.signing import SignOptions
from strongroom.domain.summary import Action, Caution, Fee, Summary
from strongroom.errors import LimitExceeded
from strongroom.operations.caps import check_message, check_transaction

NETWORKS = {network.name: (network, chain) for chain in CHAINS.values() for network in chain.networks}
COINS = {
    "ethereum": "eip155:1/slip44:60",
    "bitcoin": "bip122:000000000019d6689c085ae165831e93/slip44:0",
    "solana": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501",
}
TOKEN = "0x7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e"


def coin_id(name: str) -> str:
    return coin_of(NETWORKS[name][0]).id


def checked(
    name: str,
    actions: list[Action],
    most: dict[str, int],
    *,
    fee: int | None = 10,
    codes: tuple[str, ...] = (),
    options: SignOptions | None = None,
    details: dict[str, Any] | None = None,
) -> bool:
    network, chain = NETWORKS[name]
    cost = None if fee is None else Fee(amount=str(fee), asset=network.symbol)
    summary = Summary(network=name, type="test", actions=actions, fee=cost, details=details or {})
    cautions = [Caution(code=code, message="") for code in codes]
    restriction = Restriction(max_values=most)
    try:
        check_transaction(restriction, network, chain, summary, cautions, options or SignOptions())
    except LimitExceeded:
        return False
    return True


def coin(name: str, amount: int, kind: str = "transfer", **more: Any) -> Action:
    return Action(kind=kind, amount=str(amount), asset=NETWORKS[name][0].symbol, **more)


@pytest.mark.parametrize(("name", "expected"), COINS.items())
def test_ids_of_coins(name: str, expected: str) -> None:
    assert coin_id(name) == expected


@pytest.mark.parametrize("name", ["ethereum", "bitcoin", "solana", "tron"])
def test_value_and_fee_to_the_last_unit(name: str) -> None:
    assert checked(name, [coin(name, 90)], {coin_id(name): 100})
    assert not checked(name, [coin(name, 91)], {coin_id(name): 100})
    assert not checked(name, [coin(name, 50), coin(name, 41)], {coin_id(name): 100})


def test_bitcoin_counts_outputs_that_do_not_come_back() -> None:
    spend, change = coin("bitcoin", 10**9, "spend"), coin("bitcoin", 10**8, "change")
    most = {coin_id("bitcoin"): 100}
    assert checked("bitcoin", [spend, change, coin("bitcoin", 90)], most)
    assert not checked("bitcoin", [spend, change, coin("bitcoin", 80), coin("bitcoin", 11, "data")], most)
    assert not checked("bitcoin", [spend, coin("bitcoin", 1)], most, fee=None)
    assert not checked("bitcoin", [spend], most, options=SignOptions(allowed_sighashes=("NONE",)))
    assert not checked("bitcoin", [spend], most, options=SignOptions(allow=frozenset({"unverified_amounts"})))


def test_what_costs_only_the_fee() -> None:
    idle = [Action(kind=kind) for kind in ("vote", "withdraw_rewards", "memo", "nonce", "unstake")]
    assert checked("tron", idle, {coin_id("tron"): 10})
    assert not checked("tron", idle, {coin_id("tron"): 9})


@pytest.mark.parametrize(
    "action",
    [
        Action(kind="contract_call", method="0x12345678"),
        Action(kind="contract_creation", amount="0", asset="ETH"),
        Action(kind="authorization"),
        Action(kind="permission_update"),
        Action(kind="token_transfer", asset=TOKEN, details={"token_id": "7", "amount": "1"}),
        Action(kind="token_transfer", asset=TOKEN, amount="1", details={"token_id": "7"}),
        Action(kind="token_approve", asset=TOKEN, details={"all": True}),
        Action(kind="token_approve", asset=TOKEN),
        Action(kind="token_transfer", amount="1"),
        Action(kind="token_transfer", amount="1", asset="no address"),
        Action(kind="something new", amount="1", asset="ETH"),
        Action(kind="swap", details={"amount": "1"}),
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_refused(action: Action) -> None:
    most = {coin_id("ethereum"): 10**30, f"eip155:1/erc20:{TOKEN}": 10**30}
    assert checked("ethereum", [coin("ethereum", 1)], most)
    assert not checked("ethereum", [coin("ethereum", 1), action], most)


@pytest.mark.parametrize("code", ["unknown_call", "delegate_call", "approval_for_all"])
def test_cautions_that_leave_effects_open(code: str) -> None:
    assert not checked("ethereum", [coin("ethereum", 1)], {coin_id("ethereum"): 100}, codes=(code,))


def test_a_nonce_account_is_used_and_not_given_away() -> None:
    """What is in it would leave with it."""
    most = {coin_id("solana"): 100}
    assert checked("solana", [Action(kind="nonce"), coin("solana", 90)], most)
    assert not checked("solana", [Action(kind="nonce"), coin("solana", 90)], most, codes=("nonce_authority",))


def test_what_a_test_network_and_the_main_network_both_take() -> None:
    network, chain = NETWORKS["ton-testnet"]
    summary = Summary(network=network.name, type="test", actions=[])
    codes = [Caution(code="valid_on_main_network", message="")]

    def check(*networks: str) -> None:
        seen = Restriction(networks=frozenset(networks) or None)
        check_transaction(seen, network, chain, summary, codes, SignOptions())

    check()
    check(network.caip2, NETWORKS["ton"][0].caip2)
    with pytest.raises(LimitExceeded):
        check(network.caip2, "eip155:1")


def test_what_the_main_network_takes_too_counts_there() -> None:
    """Otherwise the value of worthless coins would bound what leaves in coins of the main network."""
    network, chain = NETWORKS["ton-testnet"]
    summary = Summary(network=network.name, type="test", actions=[coin("ton-testnet", 90)], details={"mode": 3})
    codes = [Caution(code="valid_on_main_network", message="")]
    test, main = coin_id("ton-testnet"), coin_id("ton")

    def check(most: dict[str, int], codes: list[Caution]) -> None:
        check_transaction(Restriction(max_values=most), network, chain, summary, codes, SignOptions())

    check({test: 90}, [])
    check({test: 90, main: 90}, codes)
    for most in ({test: 90}, {test: 90, main: 89}, {main: 90}):
        with pytest.raises(LimitExceeded):
            check(most, codes)


def test_tokens_of_each_case_and_the_allowance_as_if_it_were_spent() -> None:
    most = {coin_id("ethereum"): 10, f"eip155:1/erc20:{TOKEN}": 7}
    shown = eip55.checksum(bytes.fromhex(TOKEN[2:]))
    assert checked("ethereum", [Action(kind="token_approve", asset=shown, amount="7")], most)
    assert not checked("ethereum", [Action(kind="token_approve", asset=shown, amount="8")], most)
    both = [
        Action(kind="token_transfer", asset=shown, amount="4"),
        Action(kind="token_approve", asset=shown, amount="4"),
    ]
    assert not checked("ethereum", both, most)


def test_an_nft_with_the_id_0_is_not_nothing() -> None:
    """The calls of ERC-721 are those of ERC-20, with the id in the place of the amount."""
    shown = eip55.checksum(bytes.fromhex(TOKEN[2:]))
    for kind in ("token_transfer_from", "token_approve"):
        action = Action(kind=kind, asset=shown, amount="0")
        assert not checked("ethereum", [action], {coin_id("ethereum"): 100})
        assert checked("ethereum", [action], {coin_id("ethereum"): 100, f"eip155:1/erc20:{TOKEN}": 0})
        assert not message([action], Restriction(max_values={coin_id("ethereum"): 100}))
    assert checked("ethereum", [coin("ethereum", 0)], {f"eip155:1/erc20:{TOKEN}": 7}, fee=0)


def test_what_is_valid_on_every_chain_moves_assets_that_have_no_value() -> None:
    most = {coin_id("ethereum"): 100}
    assert checked("ethereum", [coin("ethereum", 1)], most)
    assert not checked("ethereum", [coin("ethereum", 1)], most, options=SignOptions(allow_pre155=True))
    permit = Action(kind="typed_data", spender=TOKEN, asset=TOKEN, amount="7")
    capped = Restriction(max_values={f"eip155:1/erc20:{TOKEN}": 7})
    assert message([permit], capped)
    assert not message([permit], capped, "no_chain_binding")


def test_a_hash_can_stand_for_anything() -> None:
    text = [Action(kind="message", data_size=32)]
    for restriction in (Restriction(max_values={coin_id("ethereum"): 1}), Restriction(refuses_unknown_calls=True)):
        assert message(text, restriction)
        assert not message(text, restriction, "unknown_hash")


def test_ton_sends_what_it_names_and_no_jettons() -> None:
    most = {coin_id("ton"): 100}
    assert checked("ton", [coin("ton", 100)], most, fee=None, details={"mode": 3})
    for mode in (64, 128, 160):
        assert not checked("ton", [coin("ton", 1)], most, fee=None, details={"mode": mode})
    assert not checked("ton", [Action(kind="jetton_transfer", amount="1")], most, fee=None, details={"mode": 3})


def message(actions: list[Action], restriction: Restriction, *codes: str) -> bool:
    network, chain = NETWORKS["ethereum"]
    summary = Summary(network="ethereum", type="eip712", actions=actions)
    try:
        check_message(restriction, network, chain, summary, [Caution(code=code, message="") for code in codes])
    except LimitExceeded:
        return False
    return True


def test_messages() -> None:
    capped = Restriction(max_values={f"eip155:1/erc20:{TOKEN}": 7})
    text = [Action(kind="message", data_size=3)]
    assert message(text, capped)
    permit = Action(kind="typed_data", spender=TOKEN, asset=TOKEN, amount="7")
    assert message([permit], capped)
    assert not message([Action(kind="typed_data", spender=TOKEN, asset=TOKEN, amount="8")], capped)
    assert not message([Action(kind="typed_data", method="Mail")], capped)
    assert not message([permit], capped, "unknown_typed_data")
    assert not message([Action(kind="authorization", details={"chain_id": "1"})], capped)
    head = Action(kind="typed_data", method="Order")
    offer = Action(kind="offer", asset=TOKEN, amount="7")
    assert message([head, offer, Action(kind="consideration", amount="9", asset="ETH")], capped)
    assert not message([head, offer], capped, "nothing_in_return")
    assert not message([head, Action(kind="offer", asset=TOKEN, amount="1", details={"end_amount": "99"})], capped)

    unread = Restriction(refuses_unknown_calls=True)
    assert message(text, unread)
    assert not message([head], unread, "unknown_typed_data")
    assert not message([Action(kind="authorization", details={"chain_id": "1"})], unread)

    one = Restriction(networks=frozenset({"eip155:1"}))
    assert message([permit], one)
    assert not message([permit], one, "no_chain_binding")
    assert not message([Action(kind="authorization", details={"chain_id": "0"})], one)
