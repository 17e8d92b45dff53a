"""Messages to every RPC: good ones, good ones that were changed as trees, as messages or as bytes, and noise."""

from __future__ import annotations

import itertools
import random
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from strongroom import errors
from strongroom.operations.registry import OPERATIONS, Operation
from tests.fuzz.mutation import TEXTS, mutated
from tests.fuzz.report import Report
from tests.fuzz.seeds import Seeds
from tests.support.grpc_calls import health_stub, reflection_stub
from tests.support.server import Server
from tests.support.service import RPC, pack

_SECONDS = 30
_EVERY = (errors.MalformedRequest, errors.Unauthenticated, errors.InvalidField)
"""What any RPC may answer to this caller, who has every right and no limits."""
_NEVER = (errors.Unavailable, errors.IntegrityError, errors.InFlight)
"""What no RPC may answer, since nothing is away, nobody edits the data, and one call is sent after the other."""
_TOO_LARGE = 1_048_576 + 1
_HEALTH, _REFLECTION = "Health.Check", "ServerReflection"
_INTEGERS = {
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 200, 201, 2**31 - 1, 2**31, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT32: (0, -1, 10**9, 2**31 - 1, -(2**31)),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 4_102_444_800, 2**53, 2**63 - 1, 2**63, 2**64 - 1),
    FieldDescriptor.CPPTYPE_INT64: (0, -1, 4_102_444_800, -62_135_596_801, 253_402_300_800, 2**63 - 1, -(2**63)),
}
"""Bounds, of seconds and nanoseconds too: a Timestamp is from the year 1 to 9999."""


def run(server: Server, seeds: Seeds, *, messages: int, seed: int) -> Report:
    """``messages`` in all, the RPCs by turns; and a few to each of the services beside ours."""
    report = Report("gRPC", [*(operation.rpc for operation in OPERATIONS), _HEALTH, _REFLECTION], ["OK"])
    rng = random.Random(seed)
    with grpc.insecure_channel(server.target) as channel:
        fuzzer = _Fuzzer(server, channel, seeds, rng, report)
        for operation in itertools.islice(itertools.cycle(OPERATIONS), messages):
            fuzzer.send(operation)
        for text in (*TEXTS, RPC.full_name):
            _ask_beside(channel, text, report)
    return report


class _Fuzzer:
    def __init__(self, server: Server, channel: grpc.Channel, seeds: Seeds, rng: random.Random, report: Report) -> None:
        self._key = server.api_key
        self._channel = channel
        self._seeds = seeds
        self._rng = rng
        self._report = report

    def send(self, operation: Operation) -> None:
        raw = self._bytes(operation)
        send: Any = self._channel.unary_unary(f"/{RPC.full_name}/{operation.rpc}")
        try:
            answer = send(raw, metadata=self._metadata(), timeout=_SECONDS)
        except grpc.RpcError as error:
            code, fault = error.code().name, _fault(operation, error, len(raw))
        else:
            code, fault = "OK", _fault_of_answer(operation, answer)
        self._report.count(operation.rpc, code)
        if fault is not None:
            self._report.find(f"{operation.rpc}: {fault}", raw[:2000].hex())

    def _bytes(self, operation: Operation) -> bytes:
        rng = self._rng
        match rng.choices(("good", "tree", "field", "wire", "noise", "large"), (200, 300, 300, 150, 50, 1))[0]:
            case "good":
                return self._good(operation).SerializeToString()
            case "tree":
                return self._changed_tree(operation).SerializeToString()
            case "field":
                message = self._good(operation)
                _change_field(message, rng)
                return message.SerializeToString()
            case "wire":
                return _changed_wire(self._good(operation).SerializeToString(), rng)
            case "noise":
                other = self._good(rng.choice(OPERATIONS)).SerializeToString()
                return rng.choice((other, rng.randbytes(rng.randrange(200))))
            case _:
                return bytes(_TOO_LARGE)

    def _good(self, operation: Operation) -> Message:
        return pack(self._seeds.command(operation.name, self._rng), _request(operation))

    def _changed_tree(self, operation: Operation) -> Message:
        for _ in range(20):
            try:
                return pack(mutated(self._seeds.command(operation.name, self._rng), self._rng), _request(operation))
            except (TypeError, ValueError, OverflowError, AttributeError):
                continue  # the contract has no way to say this
        return self._good(operation)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        rng = self._rng
        key = (("x-api-key", self._key if rng.random() < 0.98 else rng.choice(_HEADERS)),)
        more = ("x-api-key", "idempotency-key", "x-request-id", "x-forwarded-for", "authorization")
        odd = ((name, rng.choice(_HEADERS)) for name in more if rng.random() < 0.02)
        return (*(key if rng.random() < 0.98 else ()), *odd)


_HEADERS = ("", "x", "x" * 128, "x" * 300, "a b", "Bearer x", "sr_00", "127.0.0.1, 10.0.0.1", "::1", "\"'{}%00")


def _request(operation: Operation) -> type[Message]:
    return GetMessageClass(RPC.methods_by_name[operation.rpc].input_type)


def _change_field(message: Any, rng: random.Random) -> None:
    """One field, of the message or of one in it, is cleared, set to something odd, or added to."""
    fields = message.DESCRIPTOR.fields
    if not fields:
        message.MergeFromString(_UNKNOWN)
        return
    field = rng.choice(fields)
    if rng.random() < 0.2:
        message.ClearField(field.name)
    elif field.is_repeated and field.message_type is not None:
        _change_items(getattr(message, field.name), rng)
    elif field.is_repeated:
        getattr(message, field.name).extend([_odd(field, rng)] * rng.choice((1, 2, 65)))
    elif field.message_type is not None:
        nested = getattr(message, field.name)
        nested.SetInParent()
        _change_field(nested, rng)
    else:
        setattr(message, field.name, _odd(field, rng))


def _change_items(items: Any, rng: random.Random) -> None:
    """One of a list of messages is changed, or an empty one added, or they become many; a map gains an entry."""
    if not hasattr(items, "add"):
        items[rng.choice(TEXTS)] = rng.choice(TEXTS)
    elif items and rng.random() < 0.6:
        _change_field(rng.choice(items), rng)
    elif items and rng.random() < 0.5:
        items.extend([rng.choice(items)] * rng.choice((1, 2, 65, 1001)))
    else:
        items.add()


def _odd(field: FieldDescriptor, rng: random.Random) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return rng.choice(TEXTS)
    return rng.choice(_INTEGERS.get(field.cpp_type, (True, False)))


_UNKNOWN = b"\xc2\xb8\x02\x01x"
"""Field 5000, which no message has."""


def _changed_wire(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    flipped = raw[:at] + rng.randbytes(1) + raw[at + 1 :]
    deep = b"\x1a\xff\xff\xff\xff\x0f"  # a field that announces 4 GiB
    longer = raw[:at] + rng.randbytes(3) + raw[at:]
    return rng.choice((raw[:at], flipped, longer, raw + raw, raw + _UNKNOWN, raw + deep))


def _fault(operation: Operation, error: Any, size: int) -> str | None:
    """What is wrong with a refusal: it must be one that the registry tells of, and carry its code."""
    code = error.code().name
    if size >= _TOO_LARGE and code == "RESOURCE_EXHAUSTED":
        return None  # of the transport, which has no more to say
    status = rpc_status.from_call(error)
    if status is None:
        return f"{code} without details"
    info = ErrorInfo()
    if not any(detail.Unpack(info) for detail in status.details):
        return f"{code} without ErrorInfo"
    told: tuple[type[errors.StrongroomError], ...] = (*_EVERY, *operation.errors)
    meant = {each.code: each.grpc_status for each in told if not issubclass(each, _NEVER)}
    if meant.get(info.reason) != code:
        return f"{code} with the reason {info.reason}"
    if info.domain != "strongroom" or not info.metadata["request_id"]:
        return "an ErrorInfo without its domain or request id"
    return None


def _fault_of_answer(operation: Operation, raw: bytes) -> str | None:
    answer = GetMessageClass(RPC.methods_by_name[operation.rpc].output_type).FromString(raw)
    return "an answer with fields that the contract does not know" if len(UnknownFieldSet(answer)) else None


def _ask_beside(channel: grpc.Channel, text: str, report: Report) -> None:
    """Well-formed messages alone: to bytes that are none, grpcio's own services answer UNKNOWN."""
    health = health_stub(channel)
    reflection = reflection_stub(channel)
    checking = health_pb2.HealthCheckRequest(service=text)
    asking = reflection_pb2.ServerReflectionRequest(file_containing_symbol=text)
    for target, send, meant in (
        (_HEALTH, lambda: health.Check(checking, timeout=_SECONDS), {"OK", "NOT_FOUND"}),
        (_REFLECTION, lambda: list(reflection.ServerReflectionInfo(iter([asking]), timeout=_SECONDS)), {"OK"}),
    ):
        try:
            send()
            code = "OK"
        except grpc.RpcError as error:
            code = error.code().name
        report.count(target, code)
        if code not in meant:
            report.find(f"{target}: {code}", repr(text))
