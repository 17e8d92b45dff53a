"""A nonce is signed for only once, whatever uses it and on however many chains that is valid."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.domain.network import Network
from strongroom.domain.signing import Message
from tests.unit.chains.evm.evm_cases import (
    DYNAMIC,
    ETHEREUM,
    EVM,
    FROM,
    LEGACY,
    OURS,
    SET_CODE,
    check,
    our_key,
    signature,
)
from tests.unit.chains.evm.test_evm_messages import SPENDER

POLYGON = EVM.network_for("eip155:137")
PRE155 = {name: value for name, value in LEGACY.items() if name != "chainId"}
Place = tuple[str, str, str]


def of_transaction(form: dict[str, Any], network: Network | None = ETHEREUM) -> dict[Place, bytes]:
    assert network is not None
    return _places(EVM.prepare(EVM.decode(network, form), OURS).guards)


def of_authorization(
    chain_id: int, nonce: int = 9, contract: str = SPENDER, network: Network | None = ETHEREUM
) -> dict[Place, bytes]:
    assert network is not None
    document = {"chain_id": chain_id, "address": contract, "nonce": nonce}
    return _places(EVM.prepare_message(network, Message("eip7702", document=document), OURS)[0].guards)


def _places(guards: Any) -> dict[Place, bytes]:
    return {(guard.chain_id, guard.address, guard.sequence): guard.payload_hash for guard in guards}


def conflict(one: dict[Place, bytes], other: dict[Place, bytes]) -> bool:
    return any(one[place] != other[place] for place in one.keys() & other.keys())


ORDINARY = of_transaction(DYNAMIC)
ELSEWHERE = of_transaction(DYNAMIC | {"chainId": "0x89"}, POLYGON)
PRE155_HERE = of_transaction(PRE155)
PRE155_ELSEWHERE = of_transaction(PRE155 | {"value": "0x1"}, POLYGON)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ORDINARY, of_authorization(1)),
        (ORDINARY, of_authorization(0)),
        (of_authorization(1), of_authorization(1, contract=FROM)),
        (of_authorization(1), of_authorization(0)),
        (of_authorization(0), of_authorization(0, contract=FROM)),
        (of_authorization(0), of_authorization(0, contract=FROM, network=POLYGON)),
        (ORDINARY, PRE155_HERE),
        (PRE155_HERE, PRE155_ELSEWHERE),
        (PRE155_HERE, of_authorization(0, network=POLYGON)),
        (PRE155_HERE, of_authorization(1)),
        (ELSEWHERE, PRE155_ELSEWHERE),
    ],
)
def test_two_that_spend_one_nonce_conflict(one: dict[Place, bytes], other: dict[Place, bytes]) -> None:
    assert conflict(one, other)
    assert conflict(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ORDINARY, ORDINARY),
        (ORDINARY, ELSEWHERE),
        (ORDINARY, of_transaction(DYNAMIC | {"nonce": "0xa"})),
        (ORDINARY, of_authorization(1, nonce=10)),
        (ORDINARY, of_authorization(137, network=POLYGON)),
        (ELSEWHERE, PRE155_HERE),
        (ELSEWHERE, of_authorization(0)),
        (of_authorization(0), of_authorization(0, network=POLYGON)),
        (PRE155_HERE, of_transaction(PRE155, POLYGON)),
    ],
)
def test_what_can_both_be_meant_does_not_conflict(one: dict[Place, bytes], other: dict[Place, bytes]) -> None:
    assert not conflict(one, other)


def test_what_is_valid_everywhere_has_a_guard_without_a_chain() -> None:
    address = our_key().address.hex()
    assert PRE155_HERE.keys() == {("eip155:1", address, "9"), ("eip155:0", address, "9")}
    assert of_authorization(0).keys() == PRE155_HERE.keys()
    assert of_authorization(1).keys() == ORDINARY.keys() == {("eip155:1", address, "9")}


def authorization(nonce: int, chain_id: int = 1) -> dict[str, Any]:
    document = {"chain_id": chain_id, "address": SPENDER, "nonce": nonce}
    prepared, _ = EVM.prepare_message(ETHEREUM, Message("eip7702", document=document), OURS)
    details = EVM.assemble_message(prepared, signature(prepared)).details
    return {"chainId": chain_id, "address": SPENDER, "nonce": nonce} | {
        "yParity": details["y_parity"], "r": details["r"], "s": details["s"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("nonces", "effective"),
    [([10], True), ([9], False), ([11], False), ([0], False), ([10, 11], True), ([10, 10], False), ([11, 10], False)],
)
def test_an_authorization_of_the_sender_must_follow_the_transaction(nonces: list[int], effective: bool) -> None:
    form = SET_CODE | {"gas": hex(10**5), "authorizationList": [authorization(nonce) for nonce in nonces]}
    assert ("no_effect" in [caution.code for caution in check(form)]) is not effective
