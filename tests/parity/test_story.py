"""The same story over HTTP and over gRPC: results, refusals, audit records and metrics are the same."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

import grpc
import pytest

from strongroom.errors import every_error
from strongroom.telemetry.metrics import OPERATIONS_TOTAL, SIGNATURES_TOTAL
from tests.parity.story import STORY, still, tell
from tests.support.service import OPERATION, Face, NewService, Outcome, RunningService, normaliser

ERROR = {error.code: error for error in every_error() if "code" in vars(error)}


def counted() -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for metric in (OPERATIONS_TOTAL, SIGNATURES_TOTAL):
        for family in metric.collect():
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    found[sample.name, *sample.labels.values()] = int(sample.value)
    return found


async def told(service: RunningService, face: Face) -> tuple[list[Outcome], list[Any], Counter[tuple[str, ...]]]:
    before = counted()
    outcomes = await tell(service, face)
    return outcomes, await everything_audited(service), counted() - before


async def everything_audited(service: RunningService) -> list[Any]:
    records: list[Any] = []
    cursor: dict[str, str] = {}
    while cursor is not None:
        page = await service.http.call("audit.list", {"limit": 200, **cursor}, key=service.key)
        records += page.result["records"]
        following = page.result.get("next_cursor")
        if following is None:
            return records[::-1]
        cursor = {"cursor": following}
    return records


async def test_both_faces_tell_the_same_story(new_service: NewService, known_entropy: None) -> None:
    async with still(new_service) as service:
        by_http, http_audit, http_metrics = await told(service, service.http)
    async with still(new_service) as service:
        by_grpc, grpc_audit, grpc_metrics = await told(service, service.grpc)

    one, other = normaliser(), normaliser()
    for step, left, right in zip(STORY, by_http, by_grpc, strict=True):
        assert one(left.shared) == other(right.shared), step
    assert one(http_audit) == other(grpc_audit)
    assert http_metrics == grpc_metrics

    for step, left, right in zip(STORY, by_http, by_grpc, strict=True):
        if step.code == "ok":
            assert (left.status, right.status) == (OPERATION[step.operation].status, grpc.StatusCode.OK)
        else:
            error = ERROR[step.code]
            assert (left.status, right.status) == (error.http_status, grpc.StatusCode[error.grpc_status])


async def test_whoever_opens_a_key_or_changes_something_is_audited_under_his_name(new_service: NewService) -> None:
    async with still(new_service) as service:
        await tell(service, service.grpc)
        records = await everything_audited(service)
    steps = Counter((record["operation"], record["outcome"]) for record in records)
    for operation in OPERATION.values():
        if operation.mutates or operation.opens_key:
            audited = operation if operation.batch is None else operation.batch.of
            assert steps[audited.name, "succeeded"] > 0, operation.name
        else:
            assert steps[operation.name, "requested"] == 0, operation.name
    by_operation: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_operation.setdefault(record["operation_id"], []).append(record)
    for its in by_operation.values():
        outcomes = [record["outcome"] for record in its]
        if outcomes == ["succeeded"]:  # an operation without a key is one write, and says what it wrote
            written = {
                "addresses.derive": {"addresses"},
                "addresses.next": {"addresses", "epoch"},
                "transactions.broadcast": {"broadcasts"},
                "transactions.sign": {"broadcasts"},
            }
            assert its[0]["details"]["wrote"].keys() == written[its[0]["operation"]]
        else:
            assert outcomes in (["requested", "succeeded"], ["requested", "failed"], ["denied"]), its
    assert {operation for operation, outcome in steps if outcome == "denied"} == {
        "wallets.create", "transactions.sign", "api_keys.create",
    }  # fmt: skip


async def test_refusals_leave_nothing_half_done(service: RunningService) -> None:
    """What is refused before T1 leaves no audit record except that of a denial. What began has its end."""
    await tell(service, service.http)
    by_request: dict[str, list[str]] = {}
    for record in await everything_audited(service):
        by_request.setdefault(record["request_id"], []).append(record["outcome"])
    for number, step in enumerate(STORY):
        outcomes = by_request.get(f"step-{number}", [])
        if step.code == "forbidden":
            assert outcomes == ["denied"], step
        elif step.code in ("external_id_taken", "invalid_key", "invalid_mnemonic"):  # the signer or T2 refused
            assert outcomes == ["requested", "failed"], step
        elif step.code != "ok":
            assert outcomes == [], step


def refusals(code: str) -> set[str]:
    return {step.operation for step in STORY if step.code == code}


def test_story_is_complete() -> None:
    assert {step.operation for step in STORY if step.code == "ok"} == OPERATION.keys()
    without_input = {"networks.list", "client_networks.get"}
    assert {step.operation for step in STORY if step.code != "ok"} == OPERATION.keys() - without_input
    for operation in OPERATION.values():
        if "{wallet_id}" in operation.path and operation.batch is None:  # for a batch its items say so
            assert operation.name in refusals("not_found")
        if operation.name.endswith(".sign"):
            assert operation.name in refusals("wallet_archived")


LABELS = [
    "Zu\u0308rich", "שלום <b>", "=1+1", "🏦", "a\u200db", "a\u202eb", "\ufeffa", "a\nb", "a\0b", "\ue000", "\U000e0041",
    "x" * 128, "x" * 129, "🏦" * 128, "%s\\n", "'; --",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=ascii)
async def test_label_is_the_same_through_both_faces(service: RunningService, label: str) -> None:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    by_http, by_grpc = [
        await face.call("wallets.update", {"wallet_id": made.result["id"], "label": label}, key=service.key)
        for face in service.faces
    ]
    assert by_http.shared == by_grpc.shared
    if by_http.code != "ok":
        assert (by_http.code, by_http.field) == ("invalid_field", "label")
    for face in service.faces:
        kept = (await face.call("wallets.get", {"wallet_id": made.result["id"]}, key=service.key)).result
        assert kept.get("label") == (unicodedata.normalize("NFC", label) if by_http.code == "ok" else None)
