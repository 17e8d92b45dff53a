"""schemathesis over the service's own OpenAPI document, helped to commands that succeed."""

from __future__ import annotations

import json
import os
import random
from typing import Any
from unittest import mock

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from strongroom.entrypoints.http.app import PREFIX
from strongroom.operations.registry import OPERATIONS
from tests.fuzz.mutation import mutated
from tests.fuzz.report import LEAST_SHARE, Report
from tests.fuzz.seeds import DISPOSED_OF, Seeds
from tests.support.server import Server

_NAMES = {(operation.method, PREFIX + operation.path): operation.name for operation in OPERATIONS}
_GOOD = ("200", "201", "202")
_REFUSED = ["400", "404", "405", "413", "415", "422"]
"""What a request that breaks the schema may be answered; 413 where a text is made too long for any body."""


def run(server: Server, seeds: Seeds, *, examples: int, seed: int, coverage: bool) -> Report:
    """``examples`` of each route; ``coverage``: all of schemathesis' boundary values as well."""
    document = _document(httpx.get(f"{server.url}/openapi.json", trust_env=False, timeout=60).json(), seeds)
    schema = schemathesis.openapi.from_dict(document, config=_config(server, examples, seed, coverage))
    schema.hook("flatmap_case")(_helper(seeds, random.Random(seed)))
    sparing = _sparing(seeds)
    schemathesis.hook("before_call")(sparing)
    targets = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    report = Report("REST", targets, _GOOD, LEAST_SHARE)
    with mock.patch.dict(os.environ, NO_PROXY="127.0.0.1"):
        for event in from_schema(schema).execute():
            match event:
                case events.ScenarioFinished():
                    _take(event.recorder, report)
                case events.NonFatalError():
                    report.find(f"schemathesis could not go on: {event.value}")
                case events.FatalError():
                    report.find(f"schemathesis failed: {event.exception}")
                case events.EngineFinished() if event.stop_reason is not StopReason.COMPLETED:
                    report.find(f"schemathesis stopped: {event.stop_reason.value}")
    schemathesis.hooks.unregister(sparing)
    return report


def _config(server: Server, examples: int, seed: int, coverage: bool) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict({
        "base-url": server.url,
        "headers": {"X-API-Key": server.api_key},
        "workers": 1,  # more would send in another order each time
        "seed": seed,
        "continue-on-failure": True,
        "generation": {
            "max-examples": examples,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": False,  # a wrong key hides all that comes after; `ignored_auth` sends them
        },
        "phases": {
            "coverage": {"enabled": coverage},
            "stateful": {"enabled": False},
            # It would find the ids of the wallet and of the API key that the run needs, and dispose of them.
            "fuzzing": {"extra-data-sources": {"responses": False}},
        },
        "checks": {
            # What the schema allows, rules may refuse: a taken id, a label that hides characters, a broken transaction.
            "positive_data_acceptance": {"enabled": False},
            "negative_data_rejection": {"expected-statuses": _REFUSED},
        },
    })  # fmt: skip


def _document(document: dict[str, Any], seeds: Seeds) -> dict[str, Any]:
    """With ids that are there, and without the one idempotency key that all examples would share."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            name = _NAMES.get((method.upper(), path), "")
            methods[method] = json.loads(seeds.renamed(json.dumps(described), name))
            for parameter in methods[method].get("parameters", ()):
                if parameter["in"] == "header":
                    parameter.pop("example", None)
    return document


def _helper(seeds: Seeds, rng: random.Random) -> Any:
    """A hook: puts commands that succeed, whole or mutated, in the place of much that schemathesis makes up.

    Where it made a part of the request wrong on purpose, that part stays, and the rest is made good. Hypothesis likes
    to repeat itself, so the choice is ours; the number that it draws keeps it from ending where a route takes nothing.
    """

    def flatmap_case(_: Any, case: Any) -> Any:
        return st.integers(0, 2**64 - 1).map(lambda _: _helped(case, seeds, rng))

    return flatmap_case


def _sparing(seeds: Seeds) -> Any:
    """A hook: schemathesis finds ids in examples of responses; what disposes of a wallet gets the one made for that."""

    def before_call(_: Any, case: Any, __: Any) -> None:
        name = _NAMES.get((case.operation.method.upper(), case.operation.path))
        if name in DISPOSED_OF and case.path_parameters.get("wallet_id") in seeds.needed:
            case.path_parameters["wallet_id"] = seeds.spare_id

    return before_call


def _helped(case: Any, seeds: Seeds, rng: random.Random) -> Any:
    operation = case.operation
    name = _NAMES.get((operation.method.upper(), operation.path))
    wrong = {place for place, made in case.meta.components.items() if made.mode.is_negative}
    if name is None or (not wrong and rng.random() < 0.2):
        return case
    command = seeds.command(name, rng)
    in_path = {parameter.name for parameter in operation.path_parameters}
    rest = {field: value for field, value in command.items() if field not in in_path}
    if not wrong and rng.random() < 0.4:
        rest = mutated(rest, rng)
    if ParameterLocation.PATH not in wrong:
        case.path_parameters = {field: command[field] for field in in_path}
    if operation.query and ParameterLocation.QUERY not in wrong:
        case.query = {field: value for field, value in rest.items() if value is not None}
    if operation.body and ParameterLocation.BODY not in wrong:
        case.body = rest
        case.media_type = "application/json"
    if ParameterLocation.HEADER not in wrong and rng.random() < 0.8:
        case.headers = {}  # an idempotency key that comes again belongs to another request
    return case


def _take(recorder: ScenarioRecorder, report: Report) -> None:
    for identity, node in recorder.cases.items():
        case, interaction = node.value, recorder.interactions.get(identity)
        # What a check sends on its own, and methods that the route does not have, are not meant to succeed.
        if node.parent_id is None and case.method.upper() == case.operation.method.upper() and interaction is not None:
            answer = interaction.response
            report.count(recorder.label, "none" if answer is None else str(answer.status_code))
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                details = f"{failure.message}\n{check.failure_info.code_sample}"
                report.find(f"{recorder.label}: {check.name}: {failure.title}", details)
