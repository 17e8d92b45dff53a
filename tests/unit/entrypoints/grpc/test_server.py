from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from strongroom import errors
from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from strongroom.errors import (
    ConfigurationError,
    RateLimited,
    StrongroomError,
    TransactionRejected,
    Unauthenticated,
    every_error,
)
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.wallets import WalletView
from strongroom.telemetry.metrics import GRPC_REQUESTS_TOTAL
from tests.support.grpc_calls import health_stub, reflection_stub, unary

from .conftest import SERVICE, Component, StubPipeline
from .samples import WALLET, sample

Call = Callable[..., Any]

GET_WALLET = pb.GetWalletRequest(wallet_id=WALLET).SerializeToString()


@pytest.fixture
def pipeline() -> StubPipeline:
    pipeline = StubPipeline()
    pipeline.answer = sample(WalletView, full=True)
    return pipeline


async def refusal(answer: Any) -> tuple[grpc.StatusCode, ErrorInfo, list[Any]]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await answer
    status = rpc_status.from_call(raised.value)  # type: ignore[arg-type]
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return raised.value.code(), info, list(status.details[1:])


# what a caller says of himself


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((), None),
        ((("x-api-key", "sr_1"),), "sr_1"),
        ((("authorization", "Bearer sr_1"),), "sr_1"),
        ((("authorization", "bearer sr_1"), ("x-api-key", "sr_1")), "sr_1"),
        ((("authorization", "Basic sr_1"),), None),
    ],
)
async def test_api_key_is_read(metadata: Any, expected: str | None, call: Call, pipeline: StubPipeline) -> None:
    await call("GetWallet", GET_WALLET, metadata=metadata)
    assert pipeline.request is not None
    assert pipeline.request.credential == expected


@pytest.mark.parametrize(
    "metadata",
    [(("authorization", "Bearer sr_1"), ("x-api-key", "sr_2")), (("x-api-key", "sr_1"), ("x-api-key", "sr_2"))],
)
async def test_two_api_keys_are_refused(metadata: Any, call: Call, pipeline: StubPipeline) -> None:
    code, info, _ = await refusal(call("GetWallet", GET_WALLET, metadata=metadata))
    assert (code, info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated")
    assert pipeline.request is None


async def test_idempotency_key_goes_with_what_changes_something(call: Call, pipeline: StubPipeline) -> None:
    await call("ArchiveWallet", GET_WALLET, metadata=(("idempotency-key", "once"),))
    assert pipeline.request is not None
    assert pipeline.request.idempotency_key == "once"
    await call("GetWallet", GET_WALLET, metadata=(("idempotency-key", "once"),))
    assert pipeline.request.idempotency_key is None


async def test_two_idempotency_keys_are_refused(call: Call) -> None:
    metadata = (("idempotency-key", "a"), ("idempotency-key", "a"))
    code, info, _ = await refusal(call("ArchiveWallet", GET_WALLET, metadata=metadata))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "malformed_request")


@pytest.mark.parametrize("sent", ["a", "A.b_c-9", "x" * 128])
async def test_request_id_comes_back(sent: str, call: Call, pipeline: StubPipeline) -> None:
    answer = call("GetWallet", GET_WALLET, metadata=(("x-request-id", sent),))
    await answer
    assert dict(await answer.trailing_metadata())["x-request-id"] == sent
    assert pipeline.request is not None
    assert pipeline.request.request_id == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a/b"])
async def test_request_id_that_cannot_go_into_a_log_is_replaced(sent: str, call: Call) -> None:
    answer = call("GetWallet", GET_WALLET, metadata=(("x-request-id", sent),))
    await answer
    assert re.fullmatch(r"[0-9a-f]{32}", str(dict(await answer.trailing_metadata())["x-request-id"]))


async def test_client_is_found_behind_a_trusted_proxy(call: Call, pipeline: StubPipeline) -> None:
    await call("GetWallet", GET_WALLET, metadata=(("x-forwarded-for", "198.51.100.7, 192.0.2.1"),))
    assert pipeline.request is not None
    assert pipeline.request.client == "192.0.2.1"


async def test_client_is_the_peer_where_nothing_is_trusted(pipeline: StubPipeline, health: HealthMonitor) -> None:
    server = await grpc_server.start(
        pipeline,  # type: ignore[arg-type]
        health=health,
        address="[::1]:0",
        addresses=ClientAddresses(),
    )
    async with grpc.aio.insecure_channel(f"[::1]:{server.port}") as channel:
        await unary(channel, f"/{SERVICE}/GetWallet")(GET_WALLET, metadata=(("x-forwarded-for", "192.0.2.1"),))
    await server.drain(0)
    assert pipeline.request is not None
    assert pipeline.request.client == "::1"


# deadlines


async def test_call_without_a_deadline_gets_the_default(call: Call, pipeline: StubPipeline) -> None:
    await call("GetWallet", GET_WALLET)
    assert pipeline.request is not None
    assert pipeline.request.timeout == 30.0


async def test_rest_of_the_deadline_is_passed_on(call: Call, pipeline: StubPipeline) -> None:
    await call("GetWallet", GET_WALLET, timeout=1000)
    assert pipeline.request is not None
    assert pipeline.request.timeout is not None
    assert 30 < pipeline.request.timeout < 1010.1  # gRPC sends three digits of it, rounded up


async def test_call_past_its_deadline_is_cancelled(call: Call, pipeline: StubPipeline) -> None:
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    pipeline.before = hang
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call("GetWallet", GET_WALLET, timeout=0.2)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(cancelled.wait(), 60)


# bad input


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\x01\xff", b"\xba\x3e\x01x", b""])
async def test_message_that_cannot_be_read_is_the_callers_fault(raw: bytes, call: Call) -> None:
    code, info, _ = await refusal(call("GetWallet", raw))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "malformed_request")


async def test_message_is_not_read_before_the_caller_is_known(call: Call, pipeline: StubPipeline) -> None:
    async def refuse() -> None:
        raise Unauthenticated("no valid API key was sent")

    pipeline.before = refuse
    code, _, _ = await refusal(call("GetWallet", b"\xff"))
    assert code is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(("size", "code"), [(1_048_576, "INVALID_ARGUMENT"), (1_048_577, "RESOURCE_EXHAUSTED")])
async def test_message_is_at_most_one_mebibyte(size: int, code: str, call: Call) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call("GetWallet", b"\xff" * size)
    assert raised.value.code().name == code


async def test_compressed_message_is_refused(call: Call, pipeline: StubPipeline) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call("GetWallet", b"\0" * 100_000, compression=grpc.Compression.Gzip)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert pipeline.request is None


@pytest.mark.parametrize("path", [f"/{SERVICE}/Nothing", "/strongroom.v1.Nothing/GetWallet"])
async def test_unknown_method_is_unimplemented(path: str, channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await unary(channel, path)(b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


# errors


@pytest.mark.parametrize(
    "error", [error for error in every_error() if error.__module__ == errors.__name__], ids=lambda error: error.__name__
)
async def test_every_error_has_its_status_and_details(
    error: type[StrongroomError], call: Call, pipeline: StubPipeline
) -> None:
    pipeline.answer = error("said plainly", field="wallet_id", retry_after=1.5)
    answer = call("GetWallet", GET_WALLET, metadata=(("x-request-id", "me"),))
    code, info, rest = await refusal(answer)
    assert code.name == error.grpc_status
    assert await answer.details() == "said plainly"
    assert (info.reason, info.domain) == (error.code, "strongroom")
    reason = {"reason": "invalid"} if error is TransactionRejected else {}
    assert dict(info.metadata) == {"request_id": "me", "field": "wallet_id", **reason}
    retry = RetryInfo()
    assert rest[0].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 1500
    assert dict(await answer.trailing_metadata())["x-request-id"] == "me"


async def test_no_field_and_no_delay_are_made_up(call: Call, pipeline: StubPipeline) -> None:
    pipeline.answer = RateLimited("slower")
    _, info, rest = await refusal(call("GetWallet", GET_WALLET))
    assert set(info.metadata) == {"request_id"}
    assert rest == []


async def test_crash_shows_nothing_of_itself(call: Call, pipeline: StubPipeline) -> None:
    pipeline.answer = RuntimeError("secret words")
    answer = call("GetWallet", GET_WALLET)
    code, info, _ = await refusal(answer)
    assert (code, info.reason) == (grpc.StatusCode.INTERNAL, "internal_error")
    assert "secret" not in str(await answer.details())


async def test_calls_are_counted_by_method_and_status(call: Call, pipeline: StubPipeline) -> None:
    def count(code: str) -> float:
        return GRPC_REQUESTS_TOTAL.labels("GetWallet", code)._value.get()

    before = count("OK"), count("INVALID_ARGUMENT")
    await call("GetWallet", GET_WALLET)
    await refusal(call("GetWallet", b"\xff"))
    async with asyncio.timeout(60):  # a refusal is counted after its status has been sent
        while count("INVALID_ARGUMENT") == before[1]:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)
    assert (count("OK"), count("INVALID_ARGUMENT")) == (before[0] + 1, before[1] + 1)


# connections that are idle


@pytest.fixture
def hundredfold_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_server, "_LEAST_PING_INTERVAL_MS", grpc_server._LEAST_PING_INTERVAL_MS // 100)


async def test_an_idle_client_that_pings_every_twelve_seconds_is_not_cut_off(
    hundredfold_pings: None, server: grpc_server.GrpcServer
) -> None:
    """A hundred times as often here. HTTP/2 frames are written by hand, since clients do not ping so often."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    acknowledged = 0
    async with asyncio.timeout(60):
        for number in range(8):
            writer.write(bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + number.to_bytes(8, "big"))
            await writer.drain()
            while True:
                head = await reader.readexactly(9)
                body = await reader.readexactly(int.from_bytes(head[:3], "big"))
                assert head[3] != 7, body  # GOAWAY
                if head[3] == 6 and head[4] == 1:
                    assert int.from_bytes(body, "big") == number
                    acknowledged += 1
                    break
            await asyncio.sleep(0.12)
    assert acknowledged == 8
    writer.close()


# health, reflection, drain


EVERY_SERVICE = ["", SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]


@pytest.mark.parametrize("name", EVERY_SERVICE)
async def test_health_is_serving_until_the_drain(
    name: str, channel: grpc.aio.Channel, server: grpc_server.GrpcServer
) -> None:
    watch = health_stub(channel).Watch(health_pb2.HealthCheckRequest(service=name))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    check = await health_stub(channel).Check(health_pb2.HealthCheckRequest(service=name))
    assert check.status == health_pb2.HealthCheckResponse.SERVING
    async with asyncio.timeout(60):
        await server.drain(30)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("name", EVERY_SERVICE)
async def test_health_of_each_service_is_readiness(
    name: str, channel: grpc.aio.Channel, health: HealthMonitor, required: Component
) -> None:
    stub, asked = health_stub(channel), health_pb2.HealthCheckRequest(service=name)
    watch = stub.Watch(asked)
    for is_well in (True, False, True):
        required.is_well = is_well
        await health.look()
        expected = health_pb2.HealthCheckResponse.SERVING if is_well else health_pb2.HealthCheckResponse.NOT_SERVING
        assert (await stub.Check(asked)).status == expected
        async with asyncio.timeout(60):
            assert (await watch.read()).status == expected
    watch.cancel()


async def test_health_of_a_service_that_is_not_there_is_not_found(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await health_stub(channel).Check(health_pb2.HealthCheckRequest(service="other"))
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_asking_for_health_asks_no_component(channel: grpc.aio.Channel, required: Component) -> None:
    before = required.asked
    for _ in range(200):
        await health_stub(channel).Check(health_pb2.HealthCheckRequest())
    assert required.asked == before


async def status_of(answer: Awaitable[bytes]) -> grpc.StatusCode:
    try:
        await answer
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_drain_finishes_what_is_in_flight_and_takes_nothing_new(
    call: Call, server: grpc_server.GrpcServer, pipeline: StubPipeline
) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        arrived.set()
        await go_on.wait()

    pipeline.before = wait
    inside = asyncio.ensure_future(call("GetWallet", GET_WALLET))
    await arrived.wait()
    pipeline.before = None
    drain = asyncio.ensure_future(server.drain(60))
    async with asyncio.timeout(60):
        # grpcio neither serves nor refuses a call that arrives in the moment in which the drain begins
        while await status_of(call("GetWallet", GET_WALLET, timeout=2)) is not grpc.StatusCode.UNAVAILABLE:
            pass
    go_on.set()
    assert pb.Wallet.FromString(await inside).id == WALLET
    await asyncio.wait_for(drain, 60)


async def test_reflection_shows_the_contract(channel: grpc.aio.Channel) -> None:
    stub = reflection_stub(channel)
    request = reflection_pb2.ServerReflectionRequest
    answers = [answer async for answer in stub.ServerReflectionInfo(
        iter([request(list_services=""), request(file_containing_symbol=SERVICE)])
    )]  # fmt: skip
    assert SERVICE in {service.name for service in answers[0].list_services_response.service}
    assert pb.DESCRIPTOR.serialized_pb in answers[1].file_descriptor_response.file_descriptor_proto


async def test_address_that_is_taken_is_a_configuration_error(
    server: grpc_server.GrpcServer, pipeline: StubPipeline, health: HealthMonitor
) -> None:
    with pytest.raises(ConfigurationError):
        await grpc_server.start(
            pipeline,  # type: ignore[arg-type]
            health=health,
            address=f"127.0.0.1:{server.port}",
            addresses=ClientAddresses(),
            reuse_port=False,
        )


def test_every_option_of_a_channel_is_one_that_grpc_knows() -> None:
    """It ignores the others in silence."""
    [core] = [each.read_bytes() for each in Path(grpc.__file__).parent.glob("_cython/cygrpc.*.so")]
    sources = Path(grpc_server.__file__).parents[2].rglob("*.py")
    options = {name for source in sources for name in re.findall(r'(?<!\w)\("(grpc\.[\w.]+)",', source.read_text())}
    assert len(options) > 10
    assert {name for name in options if name.encode() not in core} == set()
