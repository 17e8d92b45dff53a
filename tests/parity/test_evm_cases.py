"""More cases of the kinds in ``tests/cases/signing.json``, over both faces of the service."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.support.service import ALL_SCOPES, Face, Outcome, RunningService

MNEMONIC = "test test test test test test test test test test test junk"
OTHER = "0x3535353535353535353535353535353535353535"
SPENDER = "22" * 20
TOKEN = "0x1111111111111111111111111111111111111111"
ZERO = "0x" + "00" * 20


def transaction(**fields: Any) -> dict[str, Any]:
    common = {"chainId": 11155111, "nonce": 60, "gas": 300_000, "gasPrice": 10**9, "value": 0, "to": OTHER}
    body = {"network": "sepolia", "unsigned_tx": common | fields, "options": {"allow_resign": True}}
    return {"operation": "transactions.sign", "request": body}


def word(text: str) -> str:
    return text.rjust(64, "0")


ALL = "f" * 64
APPROVE = f"0x095ea7b3{word(SPENDER)}{ALL}"
INNER = APPROVE[2:].ljust(192, "0")
CASES: dict[str, dict[str, Any]] = {
    "a suffix of one byte": transaction(data=APPROVE + "00")
    | {"expect": {"actions.0.kind": "token_approve", "warnings": ["unlimited_approval", "noncanonical_call"]}},
    "a dirty address": transaction(data=f"0x095ea7b3{'01'.ljust(24, '0')}{SPENDER}{ALL}")
    | {"expect": {"actions.0.kind": "token_approve", "warnings": ["unlimited_approval", "noncanonical_call"]}},
    "a suffix of a transfer": transaction(data=f"0xa9059cbb{word(SPENDER)}{word('5')}62635f")
    | {"expect": {"actions.0.kind": "token_transfer", "warnings": ["noncanonical_call"]}},
    "permit2": transaction(data=f"0x87517c45{word(TOKEN[2:])}{word(SPENDER)}{word('f' * 40)}{word('f' * 12)}")
    | {"expect": {"actions.0.kind": "token_approve", "warnings": ["unlimited_approval"]}},
    "multicall": transaction(data=f"0xac9650d8{word('20')}{word('1')}{word('20')}{word('44')}{INNER}")
    | {"expect": {"actions.1.kind": "token_approve", "warnings": ["unlimited_approval"]}},
    "2^96 - 1": transaction(data=f"0x095ea7b3{word(SPENDER)}{word('f' * 24)}")
    | {"expect": {"warnings": ["unlimited_approval"]}},
    "ownership": transaction(data=f"0xf2fde38b{word(SPENDER)}") | {"expect": {"warnings": ["ownership_change"]}},
    "upgrade": transaction(data=f"0x3659cfe6{word(SPENDER)}") | {"expect": {"warnings": ["contract_upgrade"]}},
    "operator": transaction(data=f"0x959b8c3f{word(SPENDER)}") | {"expect": {"warnings": ["approval_for_all"]}},
    "unknown": transaction(data="0x12345678") | {"expect": {"warnings": ["unknown_call"]}},
    "a creation without code": transaction(to=None, value=1) | {"expect": {"status": 422, "code": "option_required"}},
    "the same as web3.py writes it": transaction(to="", data="0x", value=0)
    | {"expect": {"status": 422, "code": "invalid_transaction"}},
    "coins to the zero address": transaction(to=ZERO, value=1) | {"expect": {"status": 422, "code": "option_required"}},
    "tokens to their contract": transaction(to=TOKEN, data=f"0xa9059cbb{word(TOKEN[2:])}{word('5')}")
    | {"expect": {"status": 422, "code": "option_required"}},
}


@pytest.fixture
def stack() -> str:
    return "embedded"


@pytest.mark.parametrize("name", CASES)
async def test_cases(service: RunningService, name: str) -> None:
    case = CASES[name]
    wallet = await _wallet(service)
    for face in (service.http, service.grpc):
        outcome = await face.call(case["operation"], wallet | case["request"], key=service.key)
        _compare(outcome, case["expect"])


async def test_a_hazard_takes_its_option_and_its_scope(service: RunningService) -> None:
    wallet = await _wallet(service)
    plain = await service.new_key(ALL_SCOPES - {"sign:creation-without-code"})
    request = wallet | transaction(to=None, value=1)["request"]
    allowed = request | {"options": {"allow_resign": True, "allow": ["creation_without_code"]}}
    for face in (service.http, service.grpc):
        assert (await face.call("transactions.sign", request, key=service.key)).field == "unsigned_tx.to"
        assert (await face.call("transactions.sign", allowed, key=plain)).code == "forbidden"
        outcome = await face.call("transactions.sign", allowed, key=service.key)
        _compare(outcome, {"warnings": ["creation_without_code", "contract_creation"]})
        shown = {"network": "sepolia", "unsigned_tx": request["unsigned_tx"]}
        decoded = await face.call("transactions.decode", shown, key=service.key)
        _compare(decoded, {"warnings": ["creation_without_code"]})


async def test_one_nonce_for_two_contracts_and_a_transaction(service: RunningService) -> None:
    wallet = await _wallet(service)

    async def ask(face: Face, operation: str, **fields: Any) -> str:
        outcome = await face.call(operation, wallet | {"network": "sepolia"} | fields, key=service.key)
        return outcome.code

    here = {"chain_id": "11155111", "nonce": "5"}
    assert await ask(service.http, "authorizations.sign", contract=OTHER, **here) == "ok"
    for face in (service.http, service.grpc):
        assert await ask(face, "authorizations.sign", contract=OTHER, **here) == "ok"
        assert await ask(face, "authorizations.sign", contract=TOKEN, **here) == "already_signed"
        unsigned = transaction(nonce=5)["request"]["unsigned_tx"]
        assert await ask(face, "transactions.sign", unsigned_tx=unsigned) == "already_signed"
    plain = await service.new_key(ALL_SCOPES - {"sign:resign"})
    again = wallet | {"network": "sepolia", "contract": TOKEN, "allow_resign": True} | here
    for face in (service.http, service.grpc):
        assert (await face.call("authorizations.sign", again, key=plain)).code == "forbidden"
        assert (await face.call("authorizations.sign", again, key=service.key)).code == "ok"


async def _wallet(service: RunningService) -> dict[str, Any]:
    made = await service.http.call("wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC}, key=service.key)
    return {"wallet_id": made.result["id"], "index": 0}


def _compare(outcome: Outcome, expected: Mapping[str, Any]) -> None:
    if expected.get("status", 200) != 200:
        assert outcome.code == expected.get("code", outcome.code) != "ok"
        assert outcome.field is not None
        return
    assert outcome.code == "ok", outcome
    codes = [warning["code"] for warning in outcome.result.get("warnings", [])]
    for name, value in expected.items():
        if name == "warnings":
            assert all(any(fnmatchcase(code, each) for code in codes) for each in value), codes
        elif name != "status":
            assert _at(outcome.result if name in outcome.result else outcome.result["summary"], name) == value


def _at(tree: Any, path: str) -> Any:
    for step in path.split("."):
        tree = tree[int(step)] if step.isdigit() else tree[step]
    return tree
