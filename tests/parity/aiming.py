"""A command of every operation, aimed at a wallet, a network or a key that the test chooses. Made from the registry."""

from __future__ import annotations

from typing import Any

from strongroom.operations.registry import Operation
from tests.parity.test_access import command_of
from tests.support.service import Outcome


def takes(operation: Operation) -> set[str]:
    """The fields of its command, or of an item if it is a batch with items."""
    return set(_of(operation).command.__struct_fields__)


def aimed(operation: Operation, **fields: Any) -> dict[str, Any]:
    """A command that would succeed, except for ``fields``, of which it gets those that it takes."""
    given = {name: value for name, value in fields.items() if name in takes(operation)}
    one = {**command_of(_of(operation).name), **given}
    return {"items": [one, one]} if _of(operation) is not operation else one


def codes(answer: Outcome) -> set[str]:
    """The outcome of the whole or, for a batch that was run, of its items."""
    if answer.code != "ok" or "results" not in answer.result:
        return {answer.code}
    return {each["error"]["code"] if each["status"] == "error" else "ok" for each in answer.result["results"]}


def audited_as(operation: Operation) -> str:
    """The name in the audit. The items of a batch are recorded under the operation that each of them is."""
    return operation.name if operation.batch is None else operation.batch.of.name


def _of(operation: Operation) -> Operation:
    """The operation to aim. For a batch whose items are sent that is the operation of an item."""
    batch = operation.batch
    return batch.of if batch is not None and "items" in operation.command.__struct_fields__ else operation
