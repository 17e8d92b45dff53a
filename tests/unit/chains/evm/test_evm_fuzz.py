"""Any input is either signed as it is or refused with an error of the service."""

from __future__ import annotations

import copy
import random
from typing import Any

from strongroom.domain.signing import Message
from strongroom.errors import Refused
from tests.unit.chains.evm.evm_cases import DEFAULT, ETHEREUM, EVERY, EVM, NOW, OURS, PERMISSIVE, serialised
from tests.unit.chains.evm.test_evm_messages import permit, permit_single

ROUNDS = 2000
JUNK: list[Any] = [
    *(None, True, -1, 0, 1, 1.5, float("inf"), float("nan"), 2**300, 10**400),
    *("", "0x", "0x0", "0x1", "1", "-1", "x" * 50, "0x" + "f" * 64, "\ud800", "\u0663", "a\0b", "0x" + "00" * 20),
    *([], {}, [[]], [{}], [None], {"a": 1}),
]


def _spoil(draw: random.Random, value: Any) -> Any:
    if draw.random() < 0.1:
        return copy.deepcopy(draw.choice(JUNK))
    if isinstance(value, list):
        return [_spoil(draw, item) for item in value]
    if not isinstance(value, dict):
        return value
    spoilt = {name: _spoil(draw, item) for name, item in value.items()}
    if spoilt and draw.random() < 0.1:
        del spoilt[draw.choice(list(spoilt))]
    if draw.random() < 0.05:
        spoilt[draw.choice(["", "to", "chainId", "EIP712Domain", "\ud800"])] = copy.deepcopy(draw.choice(JUNK))
    return spoilt


def test_json_forms() -> None:
    draw = random.Random(1)
    outcomes = {True: 0, False: 0}
    for round_ in range(ROUNDS):
        form = _spoil(draw, draw.choice(list(EVERY.values())))
        if isinstance(form, dict):
            outcomes[_passes(form, PERMISSIVE if round_ % 2 else DEFAULT)] += 1
    assert min(outcomes.values()) > 100


def test_serialised_forms() -> None:
    draw = random.Random(2)
    good = [bytes.fromhex(serialised(form)[2:]) for form in EVERY.values()]
    outcomes = {True: 0, False: 0}
    for _ in range(ROUNDS):
        spoilt = bytearray(draw.choice(good))
        spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
        if draw.random() < 0.3:
            del spoilt[draw.randrange(len(spoilt))]
        outcomes[_passes("0x" + spoilt.hex(), PERMISSIVE)] += 1
    assert min(outcomes.values()) > 100


def test_typed_data() -> None:
    draw = random.Random(3)
    refused = 0
    for _ in range(ROUNDS):
        document = _spoil(draw, draw.choice([permit(), permit_single(7)]))
        if isinstance(document, dict):
            try:
                EVM.prepare_message(ETHEREUM, Message("eip712", document=document), OURS)
            except Refused:
                refused += 1
    assert refused > 100


def _passes(unsigned: Any, policy: Any) -> bool:
    try:
        decoded = EVM.decode(ETHEREUM, unsigned)
        if isinstance(unsigned, str):
            assert "0x" + decoded.transaction.payload().hex() == unsigned
        EVM.check(decoded, OURS, policy, NOW)
        EVM.prepare(decoded, OURS)
    except Refused:
        return False
    return True
