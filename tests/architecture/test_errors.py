"""The tree of errors is as its docstring draws it, and foreign errors are mapped at the border."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterable, Iterator

import grpc
import pytest
from sqlalchemy import exc

from strongroom import errors
from strongroom.entrypoints.grpc.status import to_status
from strongroom.entrypoints.http.problems import problem
from strongroom.errors import InternalError, StorageUnavailable, StrongroomError, every_error
from strongroom.operations.registry import OPERATIONS
from strongroom.storage.database import persist
from tests.architecture.source import modules

DRAWN = re.compile(
    r"^    (?P<rails>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?:(?P<status>\d{3})  (?P<code>[a-z_]+)|(?P<words>.+))$", re.MULTILINE
)
TREE = [error for error in every_error() if error.__module__ == "strongroom.errors"]
INTERNAL = {"IntegrityError", "ConfigurationError"}
"""Drawn with words instead of a status, because a caller only sees an internal error."""


def drawn() -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield (name, name of the parent, status, code)."""
    parents = {0: "StrongroomError"}
    assert errors.__doc__ is not None
    for line in DRAWN.finditer(errors.__doc__):
        depth = len(line["rails"]) // 4
        parents[depth] = line["name"]
        if depth:
            yield line["name"], parents[depth - 1], line["status"], line["code"]


def leaves(classes: Iterable[type[StrongroomError]]) -> list[type[StrongroomError]]:
    return [each for each in classes if not any(other is not each and issubclass(other, each) for other in TREE)]


def test_docstring_draws_the_tree() -> None:
    assert {(name, parent) for name, parent, _, _ in drawn()} == {
        (error.__name__, error.__bases__[0].__name__) for error in TREE
    }
    for name, _, status, code in drawn():
        error = getattr(errors, name)
        if code is not None:
            assert (error.code, str(error.http_status)) == (code, status), name
        else:
            assert error not in leaves(TREE) or name in INTERNAL


def test_each_code_is_of_one_class() -> None:
    codes = [error.code for error in leaves(TREE)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_nobody_else_makes_up_codes() -> None:
    strangers = [error for error in every_error() if error not in TREE]
    assert [error for error in strangers if {"code", "http_status", "grpc_status"} & vars(error).keys()] == []


def test_a_branch_is_not_an_answer() -> None:
    """Its code is neither drawn nor listed for an operation."""
    branches = [error for error in TREE if error not in leaves(TREE)]
    text = "".join(module.text for module in modules())
    assert [each.__name__ for each in branches if re.search(rf"raise (errors\.)?{each.__name__}\(", text)] == []
    assert [each for each in every_error() if each not in TREE and each.__bases__[0] in branches] == []
    assert [operation.name for operation in OPERATIONS if set(operation.errors) & set(branches)] == []


def test_no_error_leaves_in_a_group() -> None:
    """What is raised in an `except*` leaves as a group on Python 3.11.2 (Debian 12). Callers would get a 500."""
    assert [each.name for each in modules() if any(isinstance(node, ast.TryStar) for node in ast.walk(each.tree))] == []


def test_every_class_is_raised_or_a_branch() -> None:
    text = "".join(module.text for module in modules() if module.name != "errors")
    unused = [error.__name__ for error in leaves(TREE) if not re.search(rf"\b{error.__name__}(\.over)?\(", text)]
    assert unused == []


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_error_is_shown_by_both_faces(error: type[StrongroomError]) -> None:
    shown = problem(error("words"), "id")
    assert shown.status == error.http_status
    assert 400 <= error.http_status < 600
    assert to_status(error("words"), "id").code is grpc.StatusCode[error.grpc_status]
    assert error.grpc_status not in ("OK", "UNKNOWN", "CANCELLED")
    client = error.grpc_status in (
        "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "ABORTED",
        "FAILED_PRECONDITION", "ALREADY_EXISTS", "UNIMPLEMENTED",
    )  # fmt: skip
    assert client == (error.http_status < 500) or error is errors.BodyTimeout


def foreign_errors(root: type[Exception] = exc.SQLAlchemyError) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from foreign_errors(child)


@pytest.mark.parametrize("foreign", sorted(set(foreign_errors()), key=repr))
async def test_no_error_of_the_database_goes_further(foreign: type[Exception]) -> None:
    cause = sqlite3.OperationalError("secret")
    error: Exception
    if issubclass(foreign, exc.DBAPIError):
        error = foreign("select", {}, cause)
    elif issubclass(foreign, exc.StatementError):
        error = foreign("secret", "select", {}, cause)
    else:
        error = foreign.__new__(foreign)

    async def attempt() -> None:
        raise error

    if issubclass(foreign, exc.IntegrityError):  # `SqlStorage.apply` handles it
        with pytest.raises(exc.IntegrityError):
            await persist(attempt, lambda _: False, 0)
    else:
        with pytest.raises((StorageUnavailable, InternalError)) as caught:
            await persist(attempt, lambda _: False, 0)
        assert "secret" not in caught.value.message


@pytest.mark.parametrize("foreign", [OSError, TimeoutError, ConnectionResetError])
async def test_no_error_of_the_network_goes_further(foreign: type[OSError]) -> None:
    async def attempt() -> None:
        raise foreign("secret")

    with pytest.raises(StorageUnavailable):
        await persist(attempt, lambda _: False, 0)


def test_a_number_that_could_be_a_key_is_not_repeated() -> None:
    """`limit_exceeded` repeats what was received, and a raw key sent by mistake is a number too."""
    assert "received" not in errors.LimitExceeded.over("x", name="n", limit=1, received=2**128, field="f").hints
    assert errors.LimitExceeded.over("x", name="n", limit=1, received=2**96, field="f").hints["received"] == str(2**96)
