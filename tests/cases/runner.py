"""Plays files of the form ``cases/1``, problems of people with other wallets, against a service over REST and gRPC.

A file holds ``wallets`` and ``cases``. A wallet has words, and accounts to open first: ``open`` (network and scheme),
``open_accounts`` (network, scheme and account) and ``open_addresses`` (network and index, of the default scheme).
What a case expects is a status and fields of the response:

- ``status``, or ``status_any_of`` if the service may choose;
- ``warnings``: codes that the response must have among others, with ``*`` for any characters;
- ``<place>``: a dotted place in the response, in its summary or in its details, and the value there;
- ``<place>_any_of``: the values that are allowed; ``<place>_if_200``: the value, if the call succeeded;
- ``forms_if_valid``: forms of an address, if it is one;
- ``must_not_equal``: what the address must not be; ``must_not_claim_owner``: an owner that no account may have;
- ``expect_text``, beside what is expected, is for people.

``facts`` is what the summary of a signed or decoded transaction has to state. A chain whose responses use other names
gives `play` a reader for such a place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from strongroom.errors import every_error
from tests.support.service import OPERATION, Face, Outcome, RunningService

FORMAT = "cases/1"
Reader = Callable[[Mapping[str, Any]], Any]
"""Reads a place that has another name in the result."""

_STATUS = {error.code: error.http_status for error in every_error() if "code" in vars(error)}
_NO_PLACE = {"status", "status_any_of"}
_WARNINGS = {"warnings", "warning"}
_MISSING = object()


@dataclass(frozen=True)
class Case:
    id: str
    operation: str
    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    wallet: Mapping[str, Any] | None
    """Words, and the accounts to open; None if the operation needs no wallet."""
    settings: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id


def read(file: Path, choices: Mapping[str, int] | None = None) -> list[Case]:
    """``choices`` has the status that the service chose, by the id of a case that allows several.

    Raises ValueError if an id occurs twice or a choice is not one that its case allows, and KeyError if a case
    refers to a wallet that the file does not have.
    """
    content = json.loads(file.read_text("utf-8"))
    if content["format"] != FORMAT:
        raise ValueError(f"{file.name} is no {FORMAT} file")
    wallets = {None: None, **content["wallets"]}
    cases = [
        Case(
            id=each["id"],
            operation=each["operation"],
            request=each["request"],
            expect=each["expect"],
            wallet=wallets[each["wallet"]],
            settings=each.get("settings", {}),
            kind=each.get("kind", ""),
            facts=each.get("facts", {}),
        )
        for each in content["cases"]
    ]
    if len({case.id for case in cases}) != len(cases):
        raise ValueError(f"{file.name} has an id twice")
    return _chosen(cases, choices or {})


def _chosen(cases: list[Case], choices: Mapping[str, int]) -> list[Case]:
    by_id = {case.id: case for case in cases}
    for name, status in choices.items():
        expect = dict(by_id[name].expect)
        if status not in expect.pop("status_any_of", ()):
            raise ValueError(f"{name} does not allow the status {status}")
        by_id[name] = replace(by_id[name], expect={**expect, "status": status})
    return list(by_id.values())


async def play(service: RunningService, face: Face, case: Case, readers: Mapping[str, Reader] | None = None) -> Outcome:
    """Raises AssertionError if the outcome is not the expected one. Returns the outcome for further checks."""
    outcome = await send(service, face, case)
    check(case, face, outcome, readers or {})
    return outcome


async def send(service: RunningService, face: Face, case: Case) -> Outcome:
    command = dict(case.request)
    if "{wallet_id}" in OPERATION[case.operation].path:
        assert case.wallet is not None, "the operation needs a wallet"
        command["wallet_id"] = await _wallet(service, case)
    return await face.call(case.operation, command, key=service.key)


def check(case: Case, face: Face, outcome: Outcome, readers: Mapping[str, Reader]) -> None:
    status = OPERATION[case.operation].status if outcome.code == "ok" else _STATUS[outcome.code]
    allowed = case.expect["status_any_of"] if "status_any_of" in case.expect else [case.expect["status"]]
    assert status in allowed, f"{case}: {status} {outcome.code} {outcome.field}: {outcome.message}"
    if outcome.code != "ok":
        return
    for place, expected in case.expect.items():
        if expected is None:
            _check_null(case, face, outcome, place)
        elif place not in _NO_PLACE:
            _check_place(case, outcome.result, place, expected, readers)
    for place, expected in case.facts.items():
        _check_place(case, outcome.result, place, expected, readers)


def _check_null(case: Case, face: Face, outcome: Outcome, place: str) -> None:
    """Removes nulls, which gRPC leaves out and REST writes."""
    if face.name == "grpc":
        assert _look_up(outcome.result, place) is _MISSING, f"{case}: {place} is there"
    else:
        found = _look_up(json.loads(outcome.raw), place)
        assert found is None, f"{case}: {place} is {'missing' if found is _MISSING else repr(found)}"


def _check_place(
    case: Case, result: Mapping[str, Any], place: str, expected: Any, readers: Mapping[str, Reader]
) -> None:
    if place in _WARNINGS:
        codes = [warning["code"] for warning in result.get("warnings", ())]
        missing = [pattern for pattern in expected if not any(fnmatchcase(code, pattern) for code in codes)]
        assert not missing, f"{case}: warnings {codes} without {missing}"
        return
    if place == "forms_if_valid":
        if result["valid"]:
            found = {name: result["forms"].get(name) for name in expected}
            assert found == expected, f"{case}: forms {found}"
        return
    if place == "must_not_equal":
        assert result["address"] != expected, case
        return
    if place == "must_not_claim_owner":
        assert expected not in _owners(result["summary"]["actions"]), case
        return
    any_of = place.endswith("_any_of")
    name = place.removesuffix("_any_of").removesuffix("_if_200")
    found = readers[name](result) if name in readers else _look_up(result, name)
    assert found is not _MISSING, f"{case}: the response has no {name}"
    assert (found in expected) if any_of else (found == expected), f"{case}: {name} is {found!r}"


def _owners(actions: list[dict[str, Any]]) -> set[str | None]:
    """The owners that accounts are said to have. A creation names an owner, and whether the account is theirs."""
    details = [action.get("details", {}) for action in actions]
    made = {each.get("owner") for each in details if each.get("is_of_owner", True)}
    return made | {each.get("destination_owner") for each in details}


def _look_up(result: Mapping[str, Any], place: str) -> Any:
    summary = result.get("summary", {})
    for tree in (result, summary, result.get("details", {}), result.get("forms", {}), summary.get("details", {})):
        found = _at(tree, place.split("."))
        if found is not _MISSING:
            return found
    return _MISSING


def _at(tree: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(tree, list):
            tree = tree[int(step)] if step.isdigit() and int(step) < len(tree) else _MISSING
        else:
            tree = _member(tree, step) if isinstance(tree, dict) else _MISSING
        if tree is _MISSING:
            break
    return tree


def _member(tree: Mapping[str, Any], name: str) -> Any:
    """A field of the action, or of its details, which have what only one chain's actions have."""
    return tree[name] if name in tree else tree.get("details", {}).get(name, _MISSING)


async def _wallet(service: RunningService, case: Case) -> str:
    """The case's wallet, imported, with its accounts open."""
    assert case.wallet is not None
    command = {"kind": "bip39", "mnemonic": case.wallet["mnemonic"], "networks": [case.request["network"]]}
    made = await service.http.call("wallets.import", command, key=service.key)
    assert made.code == "ok", made
    accounts = [*((*each, 0) for each in case.wallet.get("open", ())), *case.wallet.get("open_accounts", ())]
    for network, scheme, number in accounts:
        place = {"wallet_id": made.result["id"], "network": network, "scheme": scheme, "account": number}
        await _open(service, place)
    for network, index in case.wallet.get("open_addresses", ()):
        place = {"wallet_id": made.result["id"], "network": network, "index": index}
        opened = await service.http.call("addresses.derive", place, key=service.key)
        assert opened.code == "ok", opened
    return str(made.result["id"])


async def _open(service: RunningService, place: Mapping[str, Any]) -> None:
    """Open the account, or the first address if the scheme has no public key of an account."""
    opened = await service.http.call("accounts.get", place, key=service.key)
    if opened.code == "unknown_scheme":
        opened = await service.http.call("addresses.derive", place, key=service.key)
    assert opened.code == "ok", opened
