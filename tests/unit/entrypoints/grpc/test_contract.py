"""The proto file against the registry: the same operations, fields and presence on both sides."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from strongroom.domain.secret import Secret
from strongroom.entrypoints.grpc.handler import SERVICE
from strongroom.operations.registry import OPERATIONS, Operation

ROOT = Path(__file__).parents[4]
PROTO = ROOT / "proto/strongroom/v1/wallet_service.proto"
GENERATED = ROOT / "src/strongroom/entrypoints/grpc/pb"

EMPTY_MEANS_SOMETHING = {"UpdateWalletRequest.label", "SignMessageRequest.message", "VerifyMessageRequest.message"}
"""Fields that must be sent and may be empty: only presence tells the two apart."""

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_generated_code_is_what_the_proto_file_gives(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "proto"), f"--python_out={tmp_path}",
         f"--pyi_out={tmp_path}", "strongroom/v1/wallet_service.proto"],
        check=True,
    )  # fmt: skip
    for made in (tmp_path / "strongroom/v1").iterdir():
        assert made.read_bytes() == (GENERATED / "strongroom/v1" / made.name).read_bytes()


def test_every_operation_is_an_rpc_and_every_rpc_an_operation() -> None:
    assert set(SERVICE.methods_by_name) == {operation.rpc for operation in OPERATIONS}


@each_operation
def test_rpc_is_documented_as_the_operation_is(operation: Operation) -> None:
    assert re.search(rf"// {re.escape(operation.summary)}\.\n  rpc {operation.rpc}\(", PROTO.read_text())


@each_operation
def test_request_has_the_fields_of_the_command(operation: Operation) -> None:
    message = SERVICE.methods_by_name[operation.rpc].input_type
    assert message.name == f"{operation.rpc}Request"
    _compare(message, operation.command)


@each_operation
def test_answer_has_the_fields_of_the_result(operation: Operation) -> None:
    _compare(SERVICE.methods_by_name[operation.rpc].output_type, operation.result)


def test_rpcs_that_return_the_same_result_return_the_same_message() -> None:
    messages: dict[Any, set[str]] = {}
    for operation in OPERATIONS:
        messages.setdefault(operation.result, set()).add(SERVICE.methods_by_name[operation.rpc].output_type.full_name)
    assert all(len(names) == 1 for names in messages.values())


def _compare(message: Descriptor, struct: type[msgspec.Struct]) -> None:
    hints = get_type_hints(struct)
    assert set(message.fields_by_name) == set(hints)
    for field in msgspec.structs.fields(struct):
        proto = message.fields_by_name[field.name]
        hint, may_be_none = _without_none(hints[field.name])
        where = f"{message.name}.{field.name}"
        if not proto.is_repeated and proto.message_type is None:
            asks = struct.__struct_config__.forbid_unknown_fields
            may_miss = may_be_none or (asks and not field.required)
            named = where in EMPTY_MEANS_SOMETHING
            assert proto.has_presence == (may_miss or named), where
        _compare_type(proto, hint, where)


def _compare_type(proto: FieldDescriptor, hint: Any, where: str) -> None:
    origin, args = get_origin(hint), get_args(hint)
    message = proto.message_type
    if origin is list:
        assert proto.is_repeated, where
        (hint,) = args
    elif origin is dict and args[1] is not Any:
        assert message is not None, where
        assert message.GetOptions().map_entry, where
        return
    else:
        assert not proto.is_repeated, where
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        assert message is not None, where
        _compare(message, hint)
    elif hint in (str, UUID, Secret) or _is_text(hint):
        assert proto.type == FieldDescriptor.TYPE_STRING, where
    elif hint is bool:
        assert proto.type == FieldDescriptor.TYPE_BOOL, where
    elif hint is int or get_origin(hint) is Literal:
        assert proto.type in (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_UINT64), where
    else:
        assert message is not None, where
        assert message.full_name in _MESSAGES[get_origin(hint) or hint], where


_MESSAGES = {
    datetime: {"google.protobuf.Timestamp"},
    dict: {"strongroom.v1.JsonDocument"},
    UnionType: {"strongroom.v1.UnsignedTransaction", "strongroom.v1.StatementPayload"},
    Union: {"strongroom.v1.UnsignedTransaction", "strongroom.v1.StatementPayload"},
}


def _is_text(hint: Any) -> bool:
    return get_origin(hint) is Literal and all(isinstance(value, str) for value in get_args(hint))


def _without_none(hint: Any) -> tuple[Any, bool]:
    parts = get_args(hint)
    if get_origin(hint) not in (Union, UnionType) or NoneType not in parts:
        return hint, False
    rest = [part for part in parts if part is not NoneType]
    return Union[tuple(rest)], True  # noqa: UP007 - of parts that are known when it runs
