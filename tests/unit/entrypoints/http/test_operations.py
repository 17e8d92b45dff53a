"""Path, query, body and headers of a request become the command, and nothing else does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.http.examples import EXAMPLES
from strongroom.errors import NotFound, RateLimited
from strongroom.operations.registry import OPERATIONS, Operation
from tests.unit.entrypoints.http.stubs import Made, StubPipeline, as_sent

WALLET = "0198f3a2-6c1e-7d40-9b55-2f6f1c0a7e31"
SIGN = f"/api/v1/wallets/{WALLET}/sign"


@pytest.fixture(autouse=True)
def answer(pipeline: StubPipeline) -> None:
    pipeline.answer = Made()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_operation_is_served(
    client: httpx.AsyncClient, pipeline: StubPipeline, operation: Operation
) -> None:
    fields = dict(EXAMPLES[operation.name].command)
    path = "/api/v1" + operation.path
    for name in list(fields):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", fields.pop(name))
    sent: dict[str, Any] = {"params": fields} if operation.method == "GET" else {"json": fields}
    pipeline.answer = bind(EXAMPLES[operation.name].result, operation.result)
    answer = await client.request(operation.method, path, **sent)
    assert answer.status_code == operation.status, answer.text
    assert pipeline.operation is operation
    assert type(pipeline.command) is operation.command
    bound = to_tree(pipeline.command)
    assert as_sent(bound, EXAMPLES[operation.name].command) == EXAMPLES[operation.name].command


async def test_result_is_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/v1/wallets/{WALLET}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"valid": True, "id": "made"}


async def test_query_digits_become_integers(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    await client.get("/api/v1/wallets?limit=7&label=7")
    assert pipeline.command.limit == 7
    assert pipeline.command.label == "7"


async def test_caip2_id_in_a_path(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    await client.get(f"/api/v1/wallets/{WALLET}/address/eip155:137?index=3")
    assert (pipeline.command.wallet_id, pipeline.command.network) == (UUID(WALLET), "eip155:137")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/api/v1/wallets?limit=7&limit=7", None, 400, "malformed_request", "limit"),
        ("GET", "/api/v1/wallets?unknown=1", None, 400, "malformed_request", "unknown"),
        ("GET", "/api/v1/wallets?limit", None, 400, "malformed_request", None),
        ("GET", "/api/v1/wallets?limit=7&&", None, 400, "malformed_request", None),
        ("GET", "/api/v1/wallets?label=%ff", None, 400, "malformed_request", None),
        ("GET", "/api/v1/wallets?label=%00", None, 400, "malformed_request", None),
        ("GET", "/api/v1/wallets?" + "&".join(f"a{n}=1" for n in range(99)), None, 400, "malformed_request", "a0"),
        ("GET", "/api/v1/wallets?limit=seven", None, 400, "malformed_request", "limit"),
        ("GET", "/api/v1/wallets?limit=7.0", None, 400, "malformed_request", "limit"),
        ("GET", "/api/v1/wallets?limit=0", None, 422, "invalid_field", "limit"),
        ("GET", "/api/v1/wallets?limit=" + "9" * 400, None, 400, "malformed_request", "limit"),
        ("GET", "/api/v1/wallets?state=", None, 422, "invalid_field", "state"),
        ("GET", f"/api/v1/wallets/{WALLET}?wallet_id={WALLET}", None, 400, "malformed_request", "wallet_id"),
        ("GET", "/api/v1/wallets", b"{}", 400, "malformed_request", None),
        ("GET", "/api/v1/wallets/nonsense", None, 400, "malformed_request", "wallet_id"),
        ("GET", f"/api/v1/wallets/{WALLET}/address/a%00b", None, 400, "malformed_request", None),
        ("POST", "/api/v1/wallets?label=a", b"{}", 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b"{", 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b"[]", 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b"null", 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b'{"words": 12, "words": 12}', 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b'{"words": 12.0}', 400, "malformed_request", "words"),
        ("POST", "/api/v1/wallets", b'{"words": "12"}', 400, "malformed_request", "words"),
        ("POST", "/api/v1/wallets", b'{"words": 13}', 422, "invalid_field", "words"),
        ("POST", "/api/v1/wallets", b'{"labe": "a"}', 400, "malformed_request", "labe"),
        ("POST", "/api/v1/wallets", b"[" * 1000, 400, "malformed_request", None),
        ("POST", "/api/v1/wallets", b'{"label": "\xff"}', 400, "malformed_request", None),
        ("POST", SIGN, b"", 400, "malformed_request", "network"),
        ("POST", SIGN, f'{{"wallet_id": "{WALLET}"}}'.encode(), 400, "malformed_request", "wallet_id"),
        ("PATCH", f"/api/v1/wallets/{WALLET}", b"{}", 400, "malformed_request", "label"),
    ],
)
async def test_what_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None
) -> None:
    answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("field")) == (status, code, field), problem
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_body_may_be_empty_where_no_field_is_needed(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    assert (await client.post("/api/v1/wallets", content=body, headers=headers)).status_code == 201
    archive = await client.post(f"/api/v1/wallets/{WALLET}/archive", content=body, headers=headers)
    assert archive.status_code == 200


async def test_the_predecessor_s_mnemonic_length(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    assert (await client.post("/api/v1/wallets", json={"mnemonic_length": 15})).status_code == 201
    assert pipeline.command.words == 15
    both = await client.post("/api/v1/wallets", json={"mnemonic_length": 15, "words": 15})
    assert (both.status_code, both.json()["field"]) == (400, "words")
    elsewhere = await client.post("/api/v1/wallets/import", json={"kind": "bip39", "mnemonic_length": 15})
    assert elsewhere.status_code == 400


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([], None),
        ([("X-API-Key", "a")], "a"),
        ([("Authorization", "Bearer a")], "a"),
        ([("Authorization", "bearer  a ")], "a"),
        ([("Authorization", "Basic YTpi")], None),
        ([("Authorization", "Basic YTpi"), ("X-API-Key", "a")], "a"),
        ([("Authorization", "Bearer a"), ("X-API-Key", "a")], "a"),
        ([("X-API-Key", "a"), ("X-API-Key", "a")], "a"),
    ],
)
async def test_api_key(
    client: httpx.AsyncClient, pipeline: StubPipeline, headers: list[tuple[str, str]], key: str | None
) -> None:
    await client.get("/api/v1/networks", headers=headers)
    assert pipeline.request is not None
    assert pipeline.request.credential == key


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer a"), ("X-API-Key", "b")],
        [("X-API-Key", "a"), ("X-API-Key", "b")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    ],
)
async def test_two_api_keys(client: httpx.AsyncClient, pipeline: StubPipeline, headers: list[tuple[str, str]]) -> None:
    answer = await client.get("/api/v1/networks", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert pipeline.operation is None


async def test_idempotency_key(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    await client.post("/api/v1/wallets", headers={"Idempotency-Key": "payout-1"})
    assert pipeline.request is not None
    assert pipeline.request.idempotency_key == "payout-1"
    twice = await client.post("/api/v1/wallets", headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "a")])
    assert twice.status_code == 400


async def test_client_address_comes_through_trusted_proxies_only(
    client: httpx.AsyncClient, pipeline: StubPipeline
) -> None:
    await client.get("/api/v1/networks", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert pipeline.request is not None
    assert pipeline.request.client == "203.0.113.7"


async def test_error_becomes_problem_details(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    pipeline.answer = NotFound("there is no wallet with this id", field="wallet_id")
    answer = await client.get(f"/api/v1/wallets/{WALLET}", headers={"X-Request-ID": "r-1"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/docs/errors#not_found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no wallet with this id",
        "code": "not_found",
        "request_id": "r-1",
        "field": "wallet_id",
    }


async def test_a_body_that_repeats_the_path_is_told_which_field(client: httpx.AsyncClient) -> None:
    sent = {"network": "ethereum", "unsigned_tx": "0x"}
    answer = await client.post("/api/v1/networks/ethereum/decode", json=sent)
    assert answer.status_code == 400
    assert (answer.json()["field"], answer.json()["detail"]) == (
        "network", "the body repeats fields of the path: network"
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (2, "2"), (2.1, "3")])
async def test_retry_after_is_whole_seconds(
    client: httpx.AsyncClient, pipeline: StubPipeline, seconds: float, header: str
) -> None:
    pipeline.answer = RateLimited("too many requests", retry_after=seconds)
    answer = await client.get("/api/v1/networks")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, header)


async def test_the_caller_s_text_is_not_in_the_answer(client: httpx.AsyncClient) -> None:
    canary = "abandon-zebra"  # a plain identifier may be named as the field that is at fault
    for content in (f'{{"{canary}": 1}}', f'{{"label": ["{canary}"]}}', f'{{"words": "{canary}"}}', canary):
        answer = await client.post("/api/v1/wallets", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert canary not in answer.text
    for path in (f"/api/v1/wallets?{canary}=1", f"/api/v1/wallets/{canary}", f"/{canary}"):
        answer = await client.get(path)
        assert answer.status_code in (400, 404)
        assert canary not in answer.text
