"""Every RPC there and back: what the pipeline is given, and what the caller is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from google.protobuf.message_factory import GetMessageClass

from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.grpc.convert import write
from strongroom.entrypoints.grpc.handler import SERVICE
from strongroom.operations.registry import OPERATIONS, Operation
from strongroom.operations.wallets import WalletPage

from .conftest import StubPipeline
from .samples import COMMANDS, pack, sample, unpack

Call = Callable[..., Any]

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@each_operation
async def test_command_arrives_as_it_was_sent(operation: Operation, call: Call, pipeline: StubPipeline) -> None:
    tree = COMMANDS[operation.name]
    assert set(tree) == set(operation.command.__struct_fields__)
    await _send(operation, tree, call, pipeline)
    assert to_tree(pipeline.command) == to_tree(bind(tree, operation.command))


@each_operation
async def test_what_is_left_out_takes_the_default(operation: Operation, call: Call, pipeline: StubPipeline) -> None:
    required = {field.name for field in msgspec.structs.fields(operation.command) if field.required}
    tree = {name: value for name, value in COMMANDS[operation.name].items() if name in required}
    await _send(operation, tree, call, pipeline)
    assert to_tree(pipeline.command) == to_tree(bind(tree, operation.command))


@each_operation
@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
async def test_result_comes_back_whole(operation: Operation, full: bool, call: Call, pipeline: StubPipeline) -> None:
    result = sample(operation.result, full=full)
    answer = await _send(operation, COMMANDS[operation.name], call, pipeline, result)
    assert to_tree(bind(unpack(answer, operation.result), operation.result)) == to_tree(result)


def test_largest_page_stays_below_what_a_client_takes_by_default() -> None:
    """Labels and ids at their longest, 200 entries; gRPC clients take 4 MiB."""
    wallet = sample(WalletPage, full=True).wallets[0]
    wallet = msgspec.structs.replace(wallet, label="\U0010ffff" * 128, external_id="\U0010ffff" * 128)
    output = GetMessageClass(SERVICE.methods_by_name["ListWallets"].output_type)
    assert len(write(WalletPage(wallets=[wallet] * 200, next_cursor=None), output)) < 1_048_576


async def _send(
    operation: Operation,
    tree: dict[str, Any],
    call: Call,
    pipeline: StubPipeline,
    result: msgspec.Struct | None = None,
) -> Any:
    pipeline.answer = result or sample(operation.result, full=False)
    method = SERVICE.methods_by_name[operation.rpc]
    request = pack(tree, GetMessageClass(method.input_type))
    raw = await call(operation.rpc, request.SerializeToString())
    return GetMessageClass(method.output_type).FromString(raw)
