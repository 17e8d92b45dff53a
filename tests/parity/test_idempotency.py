"""One idempotency key has one effect, whether it comes over REST or gRPC."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest

from strongroom.entrypoints.http.examples.base import SIGNED_TX
from strongroom.keys.seeded import SeededSigner
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import DELEGATION, MESSAGE, MNEMONIC, PERMIT, RAW_KEY, plant_task, reader, transfer
from tests.support.service import Face, Outcome, RunningService

ON_ETHEREUM = {"wallet_id": "$", "network": "ethereum"}
COMMANDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "wallets.create": ({"words": 12, "networks": ["ethereum"]}, {"label": "other"}),
    "wallets.create_batch": ({"words": 12, "networks": ["ethereum"], "count": 2}, {"count": 3}),
    "wallets.import": ({"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": RAW_KEY}, {"label": "other"}),
    "wallets.update": ({"wallet_id": "$", "label": "one"}, {"label": "two"}),
    "wallets.limit": ({"wallet_id": "$", "rates": {"sign": "1/day"}}, {"rates": {"sign": "2/day"}}),
    "wallets.archive": ({"wallet_id": "$"}, {"wallet_id": "00000000-0000-4000-8000-000000000000"}),
    "wallets.unarchive": ({"wallet_id": "$"}, {"wallet_id": "00000000-0000-4000-8000-000000000000"}),
    "addresses.next": (ON_ETHEREUM, {"label": "other"}),
    "addresses.next_batch": (ON_ETHEREUM | {"count": 2}, {"count": 3}),
    "addresses.discover": (ON_ETHEREUM, {"gap": 5}),
    "transactions.sign": (ON_ETHEREUM | {"unsigned_tx": transfer()}, {"unsigned_tx": transfer(value="0x2")}),
    "transactions.sign_batch": (
        {"items": [ON_ETHEREUM | {"unsigned_tx": transfer()}]},
        {"items": [ON_ETHEREUM | {"unsigned_tx": transfer(value="0x2")}]},
    ),
    "messages.sign": (ON_ETHEREUM | MESSAGE, {"message": "other"}),
    "typed_data.sign": (ON_ETHEREUM | {"typed_data": PERMIT}, {"index": 1}),
    "authorizations.sign": (ON_ETHEREUM | DELEGATION, {"nonce": "1"}),
    "transactions.broadcast": ({"network": "ethereum", "signed_tx": SIGNED_TX}, {"network": "polygon"}),
    "api_keys.create": ({"name": "one", "scopes": ["admin"]}, {"name": "two"}),
    "tasks.retry": ({"kind": "toy", "key": "planted"}, {"key": "other"}),
    "tasks.cancel": ({"kind": "toy", "key": "planted"}, {"key": "other"}),
    "revocations.create": ({"issuer": "https://issuer.example", "subject": "one"}, {"subject": "two"}),
    "revocations.lift": ({"revocation_id": "$revocation"}, {"revocation_id": "00000000-0000-4000-8000-000000000000"}),
    "client_networks.set": ({"networks": ["127.0.0.0/8"]}, {"networks": []}),
    "alerts.silence": ({"rule": "circuit", "subject": "vault", "seconds": 60}, {"seconds": 61}),
    "alerts.test": ({"severity": "info"}, {"severity": "critical"}),
    "api_keys.revoke": ({"key_id": "$key"}, {"key_id": "00000000-0000-4000-8000-000000000000"}),
}
"""By operation: a command, and a change that makes it another command."""
MUTATING = [operation.name for operation in OPERATIONS if operation.mutates]


def both_orders(service: RunningService, first: str) -> tuple[Face, Face]:
    return (service.http, service.grpc) if first == "http" else (service.grpc, service.http)


async def ready(service: RunningService, operation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    made = await service.http.call(
        "wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}, key=service.key
    )
    key = await service.http.call("api_keys.create", {"name": "x", "scopes": ["admin"]}, key=service.key)
    revoked = await service.http.call("revocations.create", {"principal_id": made.result["id"]}, key=service.key)
    await plant_task(service)
    service.readers["eip155:1"] = reader()
    values = {"$": made.result["id"], "$key": key.result["id"], "$revocation": revoked.result["id"]}
    command, change = (_filled(each, values) for each in COMMANDS[operation])
    return command, command | change


def _filled(tree: Any, values: dict[str, Any]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(value, values) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_filled(each, values) for each in tree]
    return values.get(tree, tree) if isinstance(tree, str) else tree


async def effects(service: RunningService, operation: str) -> list[str]:
    """Without what is stored before a transaction is sent, and what is found out about it later."""
    audit = await service.audit(operation=operation)
    if operation == "addresses.next":  # stored in one commit if the key is known
        return [each["outcome"] for each in audit]
    known = {each["operation_id"] for each in audit if each["outcome"] == "requested"}
    return [each["outcome"] for each in audit if each["operation_id"] in known]


def test_every_mutating_operation_is_here() -> None:
    assert set(MUTATING) == COMMANDS.keys()


@pytest.mark.parametrize("first", ["http", "grpc"])
@pytest.mark.parametrize("operation", MUTATING)
async def test_replay_over_the_other_face(service: RunningService, operation: str, first: str) -> None:
    one, two = both_orders(service, first)
    command, other = await ready(service, operation)
    before = await effects(service, operation)
    once = ["succeeded"] if operation == "addresses.next" else ["requested", "succeeded"]
    answers = [
        await face.call(operation, command, key=service.key, idempotency_key="k-1", request_id=f"r-{n}")
        for n, face in enumerate((one, two, one, two))
    ]
    done, *replayed = [answer.shared for answer in answers]
    if operation == "api_keys.create":
        assert answers[0].result.pop("api_key").startswith("sr_")
    assert answers[0].code == "ok"
    assert all(answer == done for answer in replayed)
    assert answers[1].raw == answers[3].raw
    if operation != "api_keys.create":
        assert answers[0].raw == answers[2].raw
    assert await effects(service, operation) == [*before, *once]

    for face in (one, two):
        refused = await face.call(operation, other, key=service.key, idempotency_key="k-1")
        assert (refused.code, refused.field) == ("idempotency_mismatch", "Idempotency-Key")
        foreign = "wallets.create" if operation != "wallets.create" else "wallets.import"
        reused = await face.call(foreign, COMMANDS[foreign][0], key=service.key, idempotency_key="k-1")
        assert reused.code == "idempotency_mismatch"
    assert await effects(service, operation) == [*before, *once]


async def test_words_are_shown_once(service: RunningService) -> None:
    command = {"words": 12, "backup": True}
    made = await service.http.call("wallets.create", command, key=service.key, idempotency_key="k")
    assert made.result["backup"]["status"] == "shown"
    assert len(made.result["backup"]["mnemonic"].split()) == 12
    for face in service.faces:
        again = await face.call("wallets.create", command, key=service.key, idempotency_key="k")
        assert again.result == made.result | {"backup": {"status": "already_shown"}}


async def test_key_belongs_to_its_caller(service: RunningService) -> None:
    mate = await service.new_key()
    made = [
        await face.call("wallets.create", {}, key=key, idempotency_key="k")
        for face in service.faces
        for key in (service.key, mate)
    ]
    ids = [answer.result["id"] for answer in made]
    assert ids[0] != ids[1]
    assert ids[:2] == ids[2:]


@pytest.mark.parametrize("first", ["http", "grpc"])
async def test_what_failed_may_be_tried_again(service: RunningService, first: str) -> None:
    one, two = both_orders(service, first)
    taken = await one.call("wallets.create", {"external_id": "x"}, key=service.key)
    assert taken.code == "ok"
    for face in (one, two):
        again = await face.call("wallets.create", {"external_id": "x"}, key=service.key, idempotency_key="k")
        assert again.code == "external_id_taken"
    assert await effects(service, "wallets.create") == ["requested", "succeeded", *["requested", "failed"] * 2]


@pytest.mark.parametrize("sent", ["", "x" * 256, "with\ttab"])
async def test_key_that_is_no_key(service: RunningService, sent: str) -> None:
    answer = await service.http.call("wallets.create", {}, key=service.key, idempotency_key=sent)
    assert (answer.code, answer.field) == ("invalid_field", "Idempotency-Key")
    if sent.isprintable():  # gRPC's own client sends nothing else
        by_grpc = await service.grpc.call("wallets.create", {}, key=service.key, idempotency_key=sent)
        assert by_grpc.shared == answer.shared


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Set when the signer is reached; to be set before it continues."""
    reached, opened = asyncio.Event(), asyncio.Event()
    create = SeededSigner.create

    async def create_later(self: SeededSigner, *arguments: Any) -> Any:
        reached.set()
        await opened.wait()
        return await create(self, *arguments)

    monkeypatch.setattr(SeededSigner, "create", create_later)
    return reached, opened


@pytest.mark.parametrize("first", ["http", "grpc"])
async def test_second_request_while_the_first_is_under_way(
    service: RunningService, gate: tuple[asyncio.Event, asyncio.Event], first: str
) -> None:
    one, two = both_orders(service, first)
    under_way = asyncio.create_task(one.call("wallets.create", {}, key=service.key, idempotency_key="k"))
    await gate[0].wait()
    waiting = [await face.call("wallets.create", {}, key=service.key, idempotency_key="k") for face in (one, two)]
    assert waiting[0].shared == waiting[1].shared
    assert (waiting[0].code, waiting[0].retries) == ("operation_in_flight", True)
    other = await two.call("wallets.create", {"label": "other"}, key=service.key, idempotency_key="k")
    assert other.code == "idempotency_mismatch"

    gate[1].set()
    made = await under_way
    again = await two.call("wallets.create", {}, key=service.key, idempotency_key="k")
    assert made.code == "ok"
    assert made.result == again.result


async def test_hundred_requests_on_twenty_keys(service: RunningService) -> None:
    """20 effects, and every response is the same or says that the operation is under way."""

    async def ask(n: int) -> tuple[str, Outcome]:
        key = f"k-{n % 20}"
        face = service.faces[n % 2 if n < 50 else (n + 1) % 2]
        command = {"words": 12, "label": key}
        return key, await face.call("wallets.create", command, key=service.key, idempotency_key=key)

    answers = await asyncio.gather(*(ask(n) for n in range(100)))
    by_key: dict[str, list[Outcome]] = defaultdict(list)
    for key, answer in answers:
        by_key[key].append(answer)
    for key, given in by_key.items():
        done = [answer.result for answer in given if answer.code == "ok"]
        assert done, key
        assert all(result == done[0] for result in done)
        assert {answer.code for answer in given} <= {"ok", "operation_in_flight"}

    wallets = (await service.http.call("wallets.list", {"limit": 200}, key=service.key)).result["wallets"]
    assert sorted(wallet["label"] for wallet in wallets) == sorted(by_key)
    assert Counter(await effects(service, "wallets.create")) == {"requested": 20, "succeeded": 20}


async def test_a_key_holds_for_the_request_and_not_for_a_step_of_it(service: RunningService) -> None:
    """Handing out the first address of an account opens the account first."""
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    where = {"wallet_id": made.result["id"], "network": "ethereum", "scheme": "ledger-live"}
    for face in service.faces:
        handed = [
            await face.call("addresses.next", where | {"account": 0}, key=service.key, idempotency_key=face.name)
            for _ in range(2)
        ]
        assert [each.code for each in handed] == ["ok", "ok"]
        assert handed[0].result == handed[1].result
