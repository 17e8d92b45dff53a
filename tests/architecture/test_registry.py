"""An operation is one row of the registry and everything that belongs to it. A row that lacks any part is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from strongroom.access.client_address import ClientAddresses
from strongroom.access.scopes import SCOPES
from strongroom.chains.registry import CHAINS
from strongroom.config.access import RateSettings
from strongroom.domain import hazards
from strongroom.domain.hazards import HAZARDS, Hazard
from strongroom.entrypoints.cli import main
from strongroom.entrypoints.cli.rest import COMMANDS
from strongroom.entrypoints.grpc.handler import SERVICE, handlers
from strongroom.entrypoints.http.app import PREFIX, create_app
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.examples import EXAMPLES
from strongroom.entrypoints.http.openapi import document
from strongroom.entrypoints.http.probes import METRICS
from strongroom.errors import every_error
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.registry import OPERATIONS, Operation
from tests.architecture.source import ROOT, modules

VECTORS = ROOT / "tests/vectors"
NEEDED_VECTORS = ("address", "signing", "negative")
OPENAPI = document(OPERATIONS, PREFIX, "1", BodyLimits())
NOT_ON_THE_COMMAND_LINE: set[str] = set()


class MakeToy(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    toy_id: UUID


class Loose(msgspec.Struct, kw_only=True, frozen=True):
    toy_id: UUID


NEW = replace(
    OPERATIONS[0], name="toys.make", method="POST", path="/toys/{toy_id}", rpc="MakeToy", scope="toys:make",
    limit="toys", command=MakeToy,
)  # fmt: skip
"""A row that somebody added, and nothing else."""


def http_methods(path: str) -> set[str]:
    """The methods that the real application reports for a path."""
    import asyncio

    app = create_app(
        None,  # type: ignore[arg-type]  # no operation is reached here
        health=HealthMonitor({}, frozenset(), "1"),
        trusted_proxies=ClientAddresses(),
    )

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://strongroom") as client:
            return await client.options(PREFIX + re.sub(r"\{\w+\}", "x", path))

    answer = asyncio.run(ask())
    return set(answer.headers.get("allow", "").split(", ")) if answer.status_code == 204 else set()


def without_route(operations: Sequence[Operation]) -> Iterator[str]:
    return (each.name for each in operations if each.method not in http_methods(each.path))


def without_rpc(operations: Sequence[Operation]) -> Iterator[str]:
    served = handlers(None, ClientAddresses(), 1.0)  # type: ignore[arg-type]
    for each in operations:
        path = f"/{SERVICE.full_name}/{each.rpc}"
        called: Any = type("Details", (), {"method": path, "invocation_metadata": ()})
        if each.rpc not in SERVICE.methods_by_name or served.service(called) is None:
            yield each.name


def without_scope(operations: Sequence[Operation]) -> Iterator[str]:
    return (each.name for each in operations if each.scope not in SCOPES)


def without_limit(operations: Sequence[Operation]) -> Iterator[str]:
    return (each.name for each in operations if each.limit not in RateSettings.model_fields)


def without_description(operations: Sequence[Operation]) -> Iterator[str]:
    for each in operations:
        if each.method.lower() not in OPENAPI["paths"].get(PREFIX + each.path, {}):
            yield each.name


def without_example(operations: Sequence[Operation]) -> Iterator[str]:
    return (each.name for each in operations if each.name not in EXAMPLES)


def without_command(operations: Sequence[Operation]) -> Iterator[str]:
    assert main.app is not None  # it registers all commands
    return (each.name for each in operations if each.name not in COMMANDS.keys() | NOT_ON_THE_COMMAND_LINE)


def without_parity(operations: Sequence[Operation]) -> Iterator[str]:
    """Operations missing in the tests that compare REST and gRPC in results, audit records, metrics and refusals."""
    from tests.parity.story import STORY

    told = {step.operation for step in STORY}
    return (each.name for each in operations if each.name not in told)


PARTS: list[Callable[[Sequence[Operation]], Iterator[str]]] = [
    without_route, without_rpc, without_scope, without_limit, without_description, without_example, without_command,
    without_parity,
]  # fmt: skip


@pytest.mark.parametrize("missing", PARTS, ids=lambda part: part.__name__)
def test_every_operation_has_every_part(missing: Callable[[Sequence[Operation]], Iterator[str]]) -> None:
    assert list(missing(OPERATIONS)) == []


@pytest.mark.parametrize("missing", PARTS, ids=lambda part: part.__name__)
def test_new_operation_without_a_part_is_found(missing: Callable[[Sequence[Operation]], Iterator[str]]) -> None:
    assert list(missing([*OPERATIONS, NEW])) == ["toys.make"]


def faults(operations: Sequence[Operation]) -> Iterator[str]:
    """What is wrong with a row itself."""
    for each in operations:
        if not re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", each.name):
            yield f"{each.name}: a name is a noun and a verb"
        if (each.method == "GET") == each.mutates and (each.mutates or not reads_by_post(each)):
            yield f"{each.name}: a GET changes nothing, what changes something is no GET"
        if not each.command.__struct_config__.forbid_unknown_fields:
            yield f"{each.name}: the command takes unknown fields"
        required = {field.name for field in msgspec.structs.fields(each.command) if field.required}
        if not set(re.findall(r"\{(\w+)\}", each.path)) <= required:
            yield f"{each.name}: the path names what the command does not require"
        if not set(each.errors) <= set(every_error()):
            yield f"{each.name}: errors are classes of ours"


def reads_by_post(operation: Operation) -> bool:
    """A read whose parameters are too long for a query."""
    return operation.method == "POST" and operation.scope == "networks:read" and not operation.opens_key


def test_rows_are_sound() -> None:
    assert list(faults(OPERATIONS)) == []
    for field in ("name", "rpc", "command"):
        values = [getattr(each, field) for each in OPERATIONS]
        assert len(set(values)) == len(values), field
    assert len({(each.method, each.path) for each in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "make_toy"},
        {"method": "GET"},
        {"mutates": False},
        {"command": Loose},
        {"path": "/toys/{id}"},
        {"errors": (KeyError,)},
    ],
    ids=str,
)
def test_unsound_row_is_found(change: dict[str, Any]) -> None:
    assert list(faults([NEW])) == []
    assert len(list(faults([replace(NEW, **change)]))) == 1


def test_every_scope_is_asked_for() -> None:
    text = "".join(module.text for module in modules() if module.package == "operations")
    asked = {operation.scope for operation in (*OPERATIONS, METRICS)}
    asked |= {hazard.scope for hazard in HAZARDS.values()}
    assert {scope for scope in SCOPES if scope not in asked and f'"{scope}"' not in text} == set()


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=lambda hazard: hazard.name)
def test_every_hazard_is_refused_by_each_chain_that_it_names(hazard: Hazard) -> None:
    [constant] = [name for name, value in vars(hazards).items() if value is hazard]
    for chain in hazard.chains:
        texts = [module.text for module in modules() if module.name.startswith(f"chains.{chain}.")]
        assert any(f"hazards.{constant}" in text for text in texts), f"{chain} never refuses {hazard.name}"


def chains_without_vectors(chains: dict[str, Any], folder: Path) -> Iterator[str]:
    """Chains without published addresses, signatures and refusals under a network's name, or without a runner."""
    for name, chain in chains.items():
        told = [
            network.name
            for network in chain.networks
            if all((folder / f"data/{network.name}.{kind}.json").exists() for kind in NEEDED_VECTORS)
            and (folder / f"direct_{network.name}.py").exists()
        ]
        if not told:
            yield name


def test_every_chain_has_vectors() -> None:
    assert list(chains_without_vectors(CHAINS, VECTORS)) == []
    toy = type("Toy", (), {"networks": [type("Network", (), {"name": "toy"})]})
    assert list(chains_without_vectors({**CHAINS, "toy": toy}, VECTORS)) == ["toy"]
