from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from strongroom.entrypoints.binding import bind
from strongroom.entrypoints.grpc.convert import read
from strongroom.entrypoints.grpc.handler import SERVICE
from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from strongroom.errors import InvalidField, MalformedRequest, Refused, RequestError
from strongroom.operations.addresses import ListAddresses
from strongroom.operations.administration import ListAudit
from strongroom.operations.registry import OPERATIONS, Operation

from .samples import COMMANDS, WALLET, pack

UNKNOWN = b"\xba\x3e\x01x"
"""Field 999, one byte of text."""


def test_only_what_was_sent_is_read() -> None:
    assert read(pb.ListWalletsRequest(limit=0).SerializeToString(), pb.ListWalletsRequest) == {"limit": 0}


def test_required_text_that_was_not_sent_is_empty() -> None:
    """Proto 3 does not tell the two apart; the command's bounds refuse it where empty says nothing."""
    assert read(b"", pb.GetWalletRequest) == {"wallet_id": ""}


def test_required_text_that_may_be_empty_is_told_from_none() -> None:
    assert "label" not in read(b"", pb.UpdateWalletRequest)
    assert read(pb.UpdateWalletRequest(label="").SerializeToString(), pb.UpdateWalletRequest)["label"] == ""


@pytest.mark.parametrize(
    "raw",
    [b"\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x00", b"\x0f", UNKNOWN[:-1], b"\x0b" * 200],
    ids=["tag", "length", "utf-8", "field 0", "wire type", "unknown field cut", "nested groups"],
)
def test_bytes_that_are_no_message_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read(raw, pb.GetWalletRequest)


@pytest.mark.parametrize(
    ("request_type", "build", "field"),
    [
        (pb.GetWalletRequest, lambda: UNKNOWN, None),
        (pb.ListNetworksRequest, lambda: UNKNOWN, None),
        (pb.SignTransactionRequest, lambda: _field(3, _field(1, b"0x") + UNKNOWN), "unsigned_tx"),
        (pb.SignTransactionRequest, lambda: _field(10, UNKNOWN), "options"),
        (pb.SignTypedDataRequest, lambda: _field(3, _field(1, b"{}") + UNKNOWN), "typed_data"),
        (pb.CreateApiKeyRequest, lambda: _field(3, UNKNOWN), "expires_at"),
        (pb.GetWalletRequest, lambda: b"\x08\x01", None),
    ],
    ids=["top", "empty message", "oneof", "nested", "document", "timestamp", "known number, other wire type"],
)
def test_unknown_field_is_refused_wherever_it_stands(
    request_type: type[Message], build: Callable[[], bytes], field: str | None
) -> None:
    with pytest.raises(MalformedRequest, match="has an unknown field") as refusal:
        read(build(), request_type)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"0x02"', "null", '{"a":1,"a":2}', '{"a":NaN}', '{"a":"\\ud800"}', '{"a":' * 40 + "1" + "}" * 40],
)
@pytest.mark.parametrize("field", ["unsigned_tx", "typed_data"])
def test_json_is_one_object_read_as_strictly_as_over_http(field: str, text: str) -> None:
    request: Message = (
        pb.DecodeTransactionRequest(unsigned_tx={"json": text})
        if field == "unsigned_tx"
        else pb.VerifyTypedDataRequest(typed_data={"json": text})
    )
    with pytest.raises(MalformedRequest) as refusal:
        read(request.SerializeToString(), type(request))
    assert refusal.value.field == f"{field}.json"


def test_integers_of_json_stay_exact() -> None:
    text = json.dumps({"value": 2**256 - 1})
    raw = pb.DecodeTransactionRequest(unsigned_tx={"json": text}).SerializeToString()
    assert read(raw, pb.DecodeTransactionRequest)["unsigned_tx"] == {"value": 2**256 - 1}


def test_unsigned_transaction_without_a_form_is_refused() -> None:
    raw = pb.DecodeTransactionRequest(unsigned_tx={}).SerializeToString()
    with pytest.raises(MalformedRequest, match="send either encoded or json"):
        read(raw, pb.DecodeTransactionRequest)


def test_unsigned_transaction_that_was_not_sent_is_left_to_the_command() -> None:
    assert read(b"", pb.DecodeTransactionRequest) == {"network": ""}


def test_timestamp_is_read_as_utc() -> None:
    at = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert read(pb.CreateApiKeyRequest(expires_at=at).SerializeToString(), pb.CreateApiKeyRequest)["expires_at"] == at


@pytest.mark.parametrize(
    "timestamp", [{"seconds": 2**62}, {"seconds": -(2**62)}, {"nanos": -1}, {"nanos": 10**9}, {"seconds": 253402300800}]
)
def test_timestamp_beyond_the_calendar_is_refused(timestamp: dict[str, Any]) -> None:
    raw = pb.CreateApiKeyRequest(expires_at=Timestamp(**timestamp)).SerializeToString()
    with pytest.raises(MalformedRequest) as refusal:
        read(raw, pb.CreateApiKeyRequest)
    assert refusal.value.field == "expires_at"


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_damaged_message_is_refused_or_read_and_never_worse(operation: Operation) -> None:
    request_type = GetMessageClass(SERVICE.methods_by_name[operation.rpc].input_type)
    whole = pack(COMMANDS[operation.name], request_type).SerializeToString() or b"\0"
    chance = random.Random(operation.name)
    for _ in range(200):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        with contextlib.suppress(RequestError, Refused):
            bind(read(bytes(raw[: chance.randint(1, len(raw))]), request_type), operation.command)


@pytest.mark.parametrize(
    ("request_type", "command", "fields"),
    [
        (pb.ListAddressesRequest, ListAddresses, {"wallet_id": WALLET, "scheme": "bip44\0"}),
        (pb.ListAuditRequest, ListAudit, {"operation": "wallets.get\0"}),
    ],
)
def test_text_that_a_database_cannot_hold_is_refused(
    request_type: type[Message], command: type[msgspec.Struct], fields: dict[str, str]
) -> None:
    """PostgreSQL keeps no NUL. Over HTTP no query can bring one; here any text can."""
    with pytest.raises(InvalidField):
        bind(read(request_type(**fields).SerializeToString(), request_type), command)
