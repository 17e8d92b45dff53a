"""What people met with other Tron wallets, over either face."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import every_error
from tests.support.service import OPERATION, NewService, Outcome, RunningService

_FILE = json.loads(Path(__file__).with_name("tron.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = _FILE["cases"]
EXPIRY_OFF = {f"CHAINS__TRON__{limit}": "off" for limit in ("MAX_EXPIRATION", "MIN_EXPIRATION")}
"""For all but the cases about expiry: their dates are fixed, and none is to be refused for its date alone."""
CAPS_OFF = {f"CHAINS__TRON__{limit}": "off" for limit in ("MAX_FEE_LIMIT", "MIN_FEE_LIMIT")}
_STATUS = {error.code: error.http_status for error in every_error() if "code" in vars(error)}
_CHOICES = {"status", "status_any_of"}


@pytest.fixture
async def wallets(case: dict[str, Any], new_service: NewService) -> AsyncIterator[tuple[RunningService, str]]:
    settings = EXPIRY_OFF if case["kind"] not in ("expiry", "decode") else {}
    if case["expect"].get("status") != 422:
        settings = settings | CAPS_OFF
    async with new_service(**settings) as service:
        wallet = ""
        if case["wallet"] is not None:
            words = _FILE["wallets"][case["wallet"]]["mnemonic"]
            command = {"kind": "bip39", "mnemonic": words, "networks": ["tron"]}
            wallet = (await service.http.call("wallets.import", command, key=service.key)).result["id"]
            for index in (0, 1):
                place = {"wallet_id": wallet, "network": "tron", "index": index}
                assert (await service.http.call("addresses.derive", place, key=service.key)).code == "ok"
        yield service, wallet


@pytest.mark.parametrize("face", ["http", "grpc"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_case(wallets: tuple[RunningService, str], case: dict[str, Any], face: str) -> None:
    service, wallet = wallets
    command = dict(case["request"]) | ({"wallet_id": wallet} if case["wallet"] else {})
    outcome = await getattr(service, face).call(case["operation"], command, key=service.key)
    status = OPERATION[case["operation"]].status if outcome.code == "ok" else _STATUS[outcome.code]
    assert status in case["expect"].get("status_any_of", [case["expect"].get("status")]), outcome
    if outcome.code == "ok":
        _check(outcome, case["expect"], case.get("facts", {}))
    else:
        assert not case["expect"].get("tx_id")


def _check(outcome: Outcome, expect: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    shown = _shown(outcome.result)
    for place, expected in expect.items():
        if place in _CHOICES:
            continue
        if place == "forms_if_valid":
            if shown["valid"]:
                assert {name: shown["forms"][name] for name in expected} == expected
            continue
        found = shown[place.removesuffix("_any_of").removesuffix("_if_200")]
        assert found in expected if place.endswith("_any_of") else found == expected, place
    for place, expected in facts.items():
        assert _at(shown, place) == expected, place


def _shown(result: Mapping[str, Any]) -> dict[str, Any]:
    """The response by the names of the cases: digests without 0x, and the details beside the summary."""
    summary, details = result.get("summary", {}), result.get("details", {})
    digest = result.get("digest", "").removeprefix("0x")
    return {
        **summary.get("details", {}),
        "actions": [{**action, **action.get("details", {}), "recipient": action.get("to")}
                    for action in summary.get("actions", ())],
        "from": summary.get("from_address"),
        "broadcasthex": details.get("broadcast_hex"),
        **details,
        **{name: value for name, value in result.items() if name not in ("summary", "details")},
        "digest": digest,
        "hash": digest,
        "valid": result.get("valid", False),
    }  # fmt: skip


def _at(tree: Any, place: str) -> Any:
    for step in place.split("."):
        tree = tree[int(step)] if step.isdigit() else tree[step]
    return tree


def test_the_file_is_whole() -> None:
    assert _FILE["format"] == "cases/1"
    assert len({case["id"] for case in CASES}) == len(CASES) == 37
