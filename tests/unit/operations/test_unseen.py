"""What a transaction takes from a wallet or moves within it, and when a balance shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.domain.asset import Asset, coin_of, token_id
from strongroom.domain.network import Network
from strongroom.domain.summary import Action, Fee, Summary
from strongroom.operations.reading import Sighting
from strongroom.operations.unseen import _is_shown, _moves
from strongroom.rpc.base import Balances, Head, State
from tests.vectors.run import OWN

NETWORKS = {network.name: network for chain in CHAINS.values() for network in chain.networks}
OURS, OTHERS = "0x7dcd17433742f4c0ca53122ab541d0ba67fc27df", "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
TOKEN = "0xdAC17F958D2ee523a2206206994597C13D831ec7"


def moves(network: Network, summary: Summary, tokens: Mapping[str, Asset] | None = None) -> dict[tuple[str, str], int]:
    """By address in hex, and the last part of the asset's id."""
    found = _moves(network, CHAINS[network.chain], summary, tokens or {})
    return {(who.hex(), asset.rpartition(":")[2]): amount for (who, asset), amount in found.items()}


def summary(network: Network, *actions: Action, fee: str | None = "7", sender: str | None = None) -> Summary:
    paid = None if fee is None else Fee(amount=fee, asset=network.symbol)
    return Summary(network=network.name, type="any", actions=list(actions), from_address=sender, fee=paid)


def test_coins_and_tokens() -> None:
    network = NETWORKS["ethereum"]
    listed = Asset(token_id(network, TOKEN), network.caip2, "USDT", 6, TOKEN)
    ours, others = OURS[2:], OTHERS[2:].lower()
    told = moves(
        network,
        summary(
            network,
            Action(kind="transfer", from_address=OURS, to=OTHERS, amount="5", asset="ETH"),
            Action(kind="token_transfer", from_address=OURS, to=OTHERS, amount="3", asset=TOKEN),
            Action(kind="token_transfer", from_address=OURS, to=OTHERS, amount="9", asset=OTHERS),  # listed by nobody
            Action(kind="token_approve", from_address=OURS, to=OTHERS, amount="8", asset=TOKEN),
            sender=OURS,
        ),
        {listed.id: listed},
    )
    assert told == {(ours, "60"): -12, (others, "60"): 5, (ours, TOKEN.lower()): -3, (others, TOKEN.lower()): 3}


def test_inputs_and_change() -> None:
    """The fee is what the outputs leave, and is not counted twice."""
    network = NETWORKS["bitcoin-regtest"]
    one, two = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x"
    told = moves(
        network,
        summary(
            network,
            Action(kind="spend", from_address=one, amount="100", asset=network.symbol),
            Action(kind="transfer", to=two, amount="60", asset=network.symbol),
            Action(kind="change", to=one, amount="33", asset=network.symbol),
        ),
    )
    assert sorted(told.values()) == [-67, 60]


def test_accounts_of_tokens_are_their_owners() -> None:
    network = NETWORKS["solana"]
    mint, owner = "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", "7v91N7iZ9mNicL8WfG6cgSCKyRXydQjLh6UYBWwm6y1Q"
    listed = Asset(token_id(network, mint), network.caip2, "USDT", 6, mint)
    transfer = Action(
        kind="token_transfer", from_address=mint, to="an account of a lookup table[1]", amount="4", asset=mint,
        details={"authority": owner},
    )  # fmt: skip
    told = moves(network, summary(network, transfer, fee=None), {listed.id: listed})
    assert list(told.values()) == [-4]


def vectors(chain: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((OWN / f"{chain}.signing.json").read_text())["vectors"]
    return found


@pytest.mark.parametrize(
    ("network", "field"), [("tron", "signed_transaction_protobuf_hex"), ("solana", "signed_tx_base64")]
)
def test_signed_bytes_tell_who_signed_and_what_moves(network: str, field: str) -> None:
    given, chain = NETWORKS[network], CHAINS[NETWORKS[network].chain]
    vector = next(each for each in vectors(network) if field in each["expected"] and "ransfer" in each["id"])
    raw = vector["expected"][field]
    told = chain.summarise(chain.decode(given, raw), None)
    assert told.from_address is not None
    sender = chain.parse_address(given, told.from_address).canonical.hex()
    assert sender in chain.identify(given, raw).signers
    assert moves(given, told)[sender, coin_of(given).id.rpartition(":")[2]] < 0


@pytest.mark.parametrize(
    ("sighting", "tells_pending", "shown"),
    [
        (Sighting(State.UNKNOWN), True, False),
        (Sighting(State.DROPPED), True, False),
        (Sighting(State.PENDING), False, False),
        (Sighting(State.PENDING), True, True),
        (Sighting(State.CONFIRMED, 100), False, True),
        (Sighting(State.FAILED, 100), False, True),
        (Sighting(State.CONFIRMED, 101), False, False),
        (Sighting(State.REPLACED), False, True),
        (Sighting(State.EXPIRED), False, True),
    ],
)
def test_a_balance_shows_what_is_in_its_block_or_in_a_mempool_that_it_counts(
    sighting: Sighting, tells_pending: bool, shown: bool
) -> None:
    at = Head(100, "0x1", datetime(2026, 1, 1, tzinfo=UTC), 36)
    assert _is_shown(sighting, Balances(at, [], tells_pending=tells_pending)) is shown
