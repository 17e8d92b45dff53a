"""What a client library relies on: where a new thing is, whether a response is a replay, and addresses in any form."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.http.app import PREFIX
from strongroom.entrypoints.http.endpoint import location
from strongroom.entrypoints.listening import authority, numeric
from strongroom.errors import ConfigurationError
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import MNEMONIC
from tests.support.grpc_calls import unary
from tests.support.service import OPERATION, RPC, GrpcFace, RunningService, pack
from tests.unit.entrypoints.grpc.conftest import StubPipeline

TRANSFER = {
    "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
    "maxPriorityFeePerGas": "0x3b9aca00", "to": "0x3535353535353535353535353535353535353535", "value": "0x1",
}  # fmt: skip
WALLET = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}


async def post(service: RunningService, path: str, body: dict[str, Any], key: str) -> Any:
    headers = {"X-API-Key": service.key, "Idempotency-Key": key}
    return await service.http.client.post(PREFIX + path, json=body, headers=headers)


async def test_what_was_made_is_found_where_location_says(service: RunningService) -> None:
    made = await post(service, "/wallets/import", WALLET, "a")
    wallet = f"/wallets/{made.json()['id']}"
    address = await post(service, f"{wallet}/addresses", {"network": "ethereum"}, "b")
    for answer in (made, address):
        assert answer.status_code == 201
        # also behind a prefix, because it is relative
        target = urljoin("http://proxy/wallets-of-us" + answer.request.url.path, answer.headers["location"])
        path = target.removeprefix("http://proxy/wallets-of-us")
        assert path.startswith(PREFIX), target
        found = await service.http.client.get(path, headers={"X-API-Key": service.key})
        assert found.status_code == 200
    assert found.json()["addresses"][0]["address"] == address.json()["address"]


def test_every_operation_that_makes_something_says_where() -> None:
    silent = {each.name for each in OPERATIONS if each.status == 201 and each.makes is None}
    assert silent <= {"api_keys.create", "wallets.create_batch"}, "an API key has no path of its own"
    assert location("/wallets/{wallet_id}/addresses", "/wallets", object()) == "../../wallets"  # type: ignore[arg-type]


async def test_a_replay_is_called_one_on_both_faces(service: RunningService) -> None:
    first = await post(service, "/wallets/import", WALLET, "once")
    again = await post(service, "/wallets/import", WALLET, "once")
    assert "idempotency-replayed" not in first.headers
    assert (again.headers["idempotency-replayed"], again.content) == ("true", first.content)
    assert again.headers["location"] == first.headers["location"]
    assert await trailers(service.grpc, service.key, "once") == "true"
    assert await trailers(service.grpc, service.key, "twice") is None


@pytest.mark.parametrize("name", ["wallets.create_batch", "addresses.next_batch", "transactions.sign_batch"])
async def test_a_replay_of_a_batch_is_called_one_on_both_faces(service: RunningService, name: str) -> None:
    made = (await post(service, "/wallets", {"networks": ["ethereum"]}, f"for {name}")).json()
    fields: dict[str, Any] = {
        "wallets.create_batch": {"count": 2, "networks": ["ethereum"]},
        "addresses.next_batch": {"network": "ethereum", "count": 2, "wallet_id": made["id"]},
        "transactions.sign_batch": {
            "items": [{"wallet_id": made["id"], "network": "ethereum", "unsigned_tx": TRANSFER}]
        },
    }[name]
    path = OPERATION[name].path.format(wallet_id=made["id"])
    body = {field: value for field, value in fields.items() if field != "wallet_id"}
    first, again = [await post(service, path, body, name) for _ in range(2)]
    assert (first.status_code, "idempotency-replayed" in first.headers) == (200, False)
    assert (again.headers.get("idempotency-replayed"), again.content) == ("true", first.content)
    assert "location" not in first.headers, "each item's result says what was made"
    assert await trailers_of(service.grpc, service.key, name, fields, name) == "true"
    assert await trailers_of(service.grpc, service.key, name, fields, "another") is None


async def trailers_of(
    face: GrpcFace, key: str, name: str, fields: Mapping[str, Any], idempotency_key: str
) -> str | bytes | None:
    from google.protobuf.message_factory import GetMessageClass

    method = RPC.methods_by_name[OPERATION[name].rpc]
    message = pack(fields, GetMessageClass(method.input_type))
    metadata = [("x-api-key", key), ("idempotency-key", idempotency_key)]
    call = unary(face.channel, f"/{RPC.full_name}/{method.name}")(message.SerializeToString(), metadata=metadata)
    await call
    return dict(await call.trailing_metadata()).get("idempotency-replayed")


async def trailers(face: GrpcFace, key: str, idempotency_key: str) -> str | bytes | None:
    return await trailers_of(face, key, "wallets.import", WALLET, idempotency_key)


@pytest.mark.parametrize("given", ["::1", "[::1]", "localhost", "127.0.0.1"])
async def test_grpc_listens_on_addresses_of_any_form(given: str, grpc_on: Callable[..., Any]) -> None:
    if ":" in given and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with (
        grpc_on(authority(numeric(given), 0)) as port,
        grpc.aio.insecure_channel(authority(given, port)) as channel,
    ):
        await asyncio.wait_for(channel.channel_ready(), 60)
        await channel.close()


def test_a_name_that_is_not_known_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigurationError, match="cannot be resolved: check"):
        numeric("no-such-host")


async def test_reflection_is_there_under_both_names(grpc_on: Callable[..., Any]) -> None:
    async with grpc_on("127.0.0.1:0") as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for version in ("v1alpha", "v1"):
            ask = channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )
            [answer] = [each async for each in ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))]
            assert RPC.full_name in {each.name for each in answer.list_services_response.service}


async def test_an_idle_client_may_ping(grpc_on: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a call, more often than the strikes that there are, and never before the last ping was answered."""
    interval = 0.1
    monkeypatch.setattr(grpc_server, "_LEAST_PING_INTERVAL_MS", int(interval * 1000))
    async with grpc_on("127.0.0.1:0") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS))
        for n in range(6):
            writer.write(_frame(_PING, payload=n.to_bytes(8, "big")))
            kind, flags, payload = await _answer(reader)
            assert (kind, flags) == (_PING, _ACK), payload
            await asyncio.sleep(2 * interval)
        writer.close()


_SETTINGS, _PING, _GOAWAY, _ACK = 4, 6, 7, 1
"""RFC 9113, section 6"""


def _frame(kind: int, flags: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + bytes(4) + payload


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """The next frame that answers a ping, or ends the connection."""
    while True:
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if (head[3] == _PING and head[4] == _ACK) or head[3] == _GOAWAY:
            return head[3], head[4], payload


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture
def grpc_on() -> Callable[..., Any]:
    @asynccontextmanager
    async def start(address: str) -> AsyncIterator[int]:
        class Monitor:
            ready = True

            async def changes(self) -> AsyncIterator[bool]:
                await asyncio.Event().wait()
                yield True

        pipeline = StubPipeline()
        pipeline.admit = lambda client: None  # type: ignore[method-assign]
        server = await grpc_server.start(
            pipeline,  # type: ignore[arg-type]
            health=Monitor(),  # type: ignore[arg-type]
            address=address,
            addresses=ClientAddresses(),
        )
        yield server.port
        await server.drain(0)

    return start
