"""One refusal per rule and limit, and the same transaction accepted when it is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.chains.evm.checks import LIMITS, intrinsic_gas
from strongroom.codecs import rlp
from strongroom.domain.signing import Policy, SignOptions
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired, WrongKey
from tests.unit.chains.evm.evm_cases import (
    AUTHORIZATION,
    BLOB,
    DEFAULT,
    DYNAMIC,
    ETHEREUM,
    EVERY,
    EVM,
    LEGACY,
    NOW,
    OURS,
    PERMISSIVE,
    SET_CODE,
    TOKEN,
    check,
    our_key,
)

PRE155 = {name: value for name, value in LEGACY.items() if name != "chainId"}


@pytest.mark.parametrize("form", EVERY.values(), ids=map(str, EVERY))
def test_an_ordinary_transaction_passes(form: dict[str, Any]) -> None:
    check(form)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (DYNAMIC | {"chainId": "0x89"}, "chainId"),
        (LEGACY | {"chainId": "0x89"}, "chainId"),
        (DYNAMIC | {"chainId": "0x0"}, "chainId"),
        (DYNAMIC | {"nonce": hex(2**64 - 1)}, "nonce"),
        (DYNAMIC | {"maxPriorityFeePerGas": "0x77359401"}, "maxPriorityFeePerGas"),
        (DYNAMIC | {"gas": "0x0"}, "gas"),
        (DYNAMIC | {"gas": "0x5207"}, "gas"),
        (DYNAMIC | {"gas": hex(21_015), "data": "0x01"}, "gas"),
        (DYNAMIC | {"gas": hex(2**64)}, "gas"),
        (DYNAMIC | {"gas": hex(21_039), "data": "0x01"}, "gas"),
        (DYNAMIC | {"to": None, "gas": hex(53_000), "data": "0x00"}, "gas"),
        (BLOB | {"to": None}, "to"),
        (BLOB | {"blobVersionedHashes": []}, "blobVersionedHashes"),
        (BLOB | {"blobVersionedHashes": ["0x02" + "00" * 31]}, "blobVersionedHashes"),
        (SET_CODE | {"to": None}, "to"),
        (SET_CODE | {"authorizationList": []}, "authorizationList"),
        (SET_CODE | {"authorizationList": [AUTHORIZATION | {"nonce": hex(2**64 - 1)}]}, "authorizationList"),
        (SET_CODE | {"gas": hex(45_999)}, "gas"),
    ],
)
def test_rules(form: dict[str, Any], field: str) -> None:
    policy = Policy(LIMITS | {"max_gas": None, "max_fee": None, "max_fee_percent": None})
    with pytest.raises(InvalidTransaction) as refusal:
        check(form, policy)
    assert refusal.value.field == f"unsigned_tx.{field}"


GWEI = 10**9
CREATION = DYNAMIC | {"to": None, "gas": hex(2**24), "value": "0x0"}


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (DYNAMIC | {"gas": hex(2**24 + 1)}, "max_gas"),
        (DYNAMIC | {"gas": hex(10**6), "maxFeePerGas": hex(1001 * GWEI), "value": hex(2 * 10**18)}, "max_fee"),
        (LEGACY | {"gas": hex(10**6), "gasPrice": hex(1001 * GWEI), "value": hex(2 * 10**18)}, "max_fee"),
        (BLOB | {"maxFeePerBlobGas": hex(10**13), "value": hex(2 * 10**18)}, "max_fee"),
        (DYNAMIC | {"maxFeePerGas": hex(3000 * GWEI), "value": hex(10**16)}, "max_fee_percent"),
        (CREATION | {"data": "0x" + "00" * 49_153}, "max_init_code"),
    ],
)
def test_limits(form: dict[str, Any], name: str) -> None:
    with pytest.raises(LimitExceeded, match=name):
        check(form)
    check(form, Policy(dict.fromkeys(LIMITS)))
    check(form, Policy(LIMITS | {name: None}))


def test_a_fee_oracle_gone_mad_is_refused_from_the_cap_on() -> None:
    for power in range(13):
        form = DYNAMIC | {"maxFeePerGas": hex(2 * GWEI * 10**power), "value": hex(10**24)}
        if 21_000 * 2 * GWEI * 10**power <= 10**18:
            check(form)
        else:
            with pytest.raises(LimitExceeded):
                check(form)


def test_a_small_transfer_may_cost_more_than_it_moves() -> None:
    check(DYNAMIC | {"value": "0x1", "maxFeePerGas": hex(1000 * GWEI)})


def test_off_limits_let_pass() -> None:
    check(DYNAMIC | {"gas": "0x0"}, PERMISSIVE)
    zero = EVM.network_for("eip155:0")
    assert zero is not None
    check(DYNAMIC | {"chainId": "0x0"}, PERMISSIVE, zero)
    with pytest.raises(InvalidTransaction):
        check(DYNAMIC | {"chainId": "0x0"}, DEFAULT, zero)


def test_a_limit_that_the_policy_does_not_name_keeps_its_default() -> None:
    with pytest.raises(LimitExceeded):
        check(DYNAMIC | {"gas": hex(2**24 + 1)}, Policy({}))


def test_before_eip155_only_when_asked_for() -> None:
    with pytest.raises(OptionRequired):
        check(PRE155)
    [warning] = check(PRE155, Policy(LIMITS, SignOptions(allow_pre155=True)))
    assert warning.code == "no_replay_protection"


def test_a_key_that_is_not_ours() -> None:
    decoded = EVM.decode(ETHEREUM, DYNAMIC | {"from": TOKEN})
    with pytest.raises(WrongKey):
        EVM.check(decoded, OURS, DEFAULT, NOW)
    with pytest.raises(WrongKey):
        EVM.check(decoded, {}, DEFAULT, NOW)
    EVM.check(decoded, None, DEFAULT, NOW)


def test_intrinsic_gas() -> None:
    def gas(form: dict[str, Any]) -> int:
        return intrinsic_gas(EVM.decode(ETHEREUM, form).transaction)

    assert gas(DYNAMIC) == 21_000
    assert gas(DYNAMIC | {"data": "0x0001"}) == 21_000 + 4 + 16
    assert gas(DYNAMIC | {"to": None, "data": "0x00"}) == 21_000 + 32_000 + 2 + 4
    assert gas(EVERY[1]) == 21_000 + 2_400 + 1_900
    assert gas(SET_CODE) == 21_000 + 25_000


@pytest.mark.parametrize(
    ("form", "least"),
    [
        (DYNAMIC | {"data": "0x01"}, 21_000 + 10 * 4),
        (DYNAMIC | {"data": "0x" + "00" * 100}, 21_000 + 10 * 100),
        (DYNAMIC | {"data": "0x" + "0001" * 50}, 21_000 + 10 * 250),
        (CREATION | {"data": "0x" + "01" * 10_000}, 21_000 + 10 * 40_000),
        (CREATION | {"data": "0x00"}, 21_000 + 32_000 + 2 + 4),  # here code and words weigh more
        (EVERY[1] | {"data": "0x" + "01" * 100}, 21_000 + 16 * 100 + 2_400 + 1_900),  # and here the access list
    ],
)
def test_gas_covers_the_calldata_floor(form: dict[str, Any], least: int) -> None:
    """Computed by hand from EIP-7623: 21000 + 10 * (zero bytes + 4 * others), or the intrinsic gas."""
    check(form | {"gas": hex(least)})
    with pytest.raises(InvalidTransaction) as refusal:
        check(form | {"gas": hex(least - 1)})
    assert refusal.value.field == "unsigned_tx.gas"


def test_where_there_is_no_floor_the_intrinsic_gas_is_enough() -> None:
    form = DYNAMIC | {"data": "0x01", "gas": hex(21_016)}
    check(form, Policy(LIMITS | {"calldata_floor": None}))
    for name in ("arbitrum", "avalanche", "scroll", "eip155:99999"):
        network = EVM.network_for(name) or next(each for each in EVM.networks if each.name == name)
        policy = Policy(LIMITS | dict(network.limits))
        check(form | {"chainId": hex(network.chain_id or 0)}, policy, network)


def test_the_key_of_the_cases_is_the_one_of_eip155() -> None:
    assert our_key().address.hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"


@pytest.mark.parametrize("place", [0, 1, 2, 4, 6])
def test_an_integer_of_more_than_32_bytes_is_refused_whether_a_transaction_is_signed_or_not(place: int) -> None:
    for size in (33, 2000):
        unsigned: list[rlp.Item] = [b"", b"\1", b"\5", b"\7" * 20, b"", b"", b"\1", b"", b""]
        unsigned[place] = b"\1" * size
        with pytest.raises(InvalidTransaction, match="below 2"):
            EVM.decode(ETHEREUM, "0x" + rlp.encode(unsigned).hex())
        signed = [*unsigned[:6], b"\x25" if place != 6 else unsigned[6], b"\1" * 32, b"\1" * 32]
        with pytest.raises(InvalidTransaction, match="below 2"):
            EVM.identify(ETHEREUM, "0x" + rlp.encode(signed).hex())


@pytest.mark.parametrize("place", [7, 8])
def test_a_legacy_signature_of_more_than_32_bytes_is_refused(place: int) -> None:
    signed: list[rlp.Item] = [b"", b"\1", b"\5", b"\7" * 20, b"", b"", b"\x25", b"\1" * 32, b"\1" * 32]
    signed[place] = b"\1" * 33
    with pytest.raises(InvalidTransaction, match="below 2"):
        EVM.identify(ETHEREUM, "0x" + rlp.encode(signed).hex())
