"""What was reported of other TON wallets, told to the whole service over REST and gRPC.

``ton.json`` holds the cases; its notes say how to read them. Positives have fixed dates, so they, and what is refused
for another reason than its date, run with the rules about dates off.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import Face, NewService, Outcome, RunningService

Case = dict[str, Any]

CONTENT = json.loads((Path(__file__).parent / "ton.json").read_text("utf-8"))
CASES: list[Case] = CONTENT["cases"]
NO_DATES = {"CHAINS__TON__MIN_VALIDITY": "off", "CHAINS__TON__MAX_VALIDITY": "off"}
CHOICES = {
    "TON-S24": 200,  # a reference to a library is hashed as what it is
    "TON-S11": 200,  # an empty comment is a comment: 32 zero bits
    "TON-S3": 200,  # a raw address bounces, as TON Connect reads it
    "TON-M6": 422,  # the key is not that of a wallet at the address
}
"""Where a case leaves the choice to the service: what it chose."""


def dated(case: Case) -> bool:
    return case["kind"] == "expiry" and "settings" not in case


@pytest.mark.parametrize("face", ["http", "grpc"])
async def test_every_case_is_answered_as_it_should_be(new_service: NewService, face: str) -> None:
    wrong = {}
    async with new_service() as strict, new_service(**NO_DATES) as lenient:
        wallets = {id(service): await wallet(service) for service in (strict, lenient)}
        for case in CASES:
            service = strict if dated(case) else lenient
            outcome = await ask(service, getattr(service, face), case, wallets[id(service)])
            try:
                judge(case, outcome)
            except AssertionError as fault:
                wrong[case["id"]] = str(fault)
    assert wrong == {}
    assert len(CASES) == 49


async def wallet(service: RunningService) -> str:
    """The one wallet of the cases, with the accounts that they open before."""
    [words] = CONTENT["wallets"].values()
    made = await service.http.call("wallets.import", {"kind": "bip39", "mnemonic": words["mnemonic"]}, key=service.key)
    for network, scheme in words["open"]:
        command = {"wallet_id": made.result["id"], "network": network, "scheme": scheme}
        assert (await service.http.call("addresses.derive", command, key=service.key)).code == "ok"
    wallet_id: str = made.result["id"]
    return wallet_id


async def ask(service: RunningService, face: Face, case: Case, wallet_id: str) -> Outcome:
    command = dict(case["request"])
    if case["wallet"] is not None:
        command["wallet_id"] = wallet_id
    if case["operation"] == "transactions.sign":
        command["options"] = {"allow_resign": True}  # many cases share a seqno
    return await face.call(case["operation"], command, key=service.key)


def judge(case: Case, outcome: Outcome) -> None:
    expect = case["expect"]
    status = CHOICES.get(case["id"], expect.get("status"))
    assert status in (expect.get("status_any_of") or [expect["status"]])
    if status >= 400:
        assert outcome.code not in ("ok", "internal_error", "already_signed"), outcome
        assert outcome.status == status or not isinstance(outcome.status, int), outcome
        return
    assert outcome.code == "ok", outcome
    for name, value in expect.items():
        if not name.startswith("status"):
            found = answer(outcome.result, name.removesuffix("_if_200"))
            assert found == value or (value is False and found is None), f"{name}: {found}"
    for name, value in case.get("facts", {}).items():
        assert fact(outcome.result["summary"], name) == value, name


def answer(result: Any, name: str) -> Any:
    """A field of the answer by its dotted name: at its top, else in its details or forms."""
    for place in (result, result.get("details", {}), result.get("forms", {})):
        found: Any = place
        for part in name.split("."):
            found = found[int(part)] if isinstance(found, list) else found.get(part)
            if found is None:
                break
        else:
            if not (name == "bounceable" and isinstance(found, str)):
                return found
    return None


def fact(summary: Any, name: str) -> Any:
    _, place, what = name.split(".")
    action = summary["actions"][int(place)]
    return action.get(what, action.get("details", {}).get(what))
