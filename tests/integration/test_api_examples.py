"""Every example of the API's description, sent to a service as it stands but for ids, is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from strongroom.entrypoints.http.examples import EVERY_EXAMPLE
from strongroom.operations.registry import OPERATIONS, Operation
from tests.fuzz.seeds import SETTINGS, Seeds
from tests.support.server import ReadingServer, Server

REFUSED = {
    "addresses.discover": {"source_missing"},
    "balances.address": {"source_missing"},
    "history.address": {"source_missing"},
    "transactions.broadcast": {"source_missing"},
    "fees.suggest": {"source_missing"},
    "networks.head": {"source_missing"},
    "tasks.retry": {"not_found"},
    "tasks.cancel": {"not_found"},
}
"""Codes that this service, which reads Ethereum alone and has few tasks, may answer to what is well formed."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ReadingServer(tmp_path_factory.mktemp("examples"), SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def seeds(server: Server) -> Seeds:
    return Seeds(server)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_example_is_understood(server: Server, seeds: Seeds, operation: Operation) -> None:
    for title, example in EVERY_EXAMPLE[operation.name].items():
        fields = json.loads(seeds.renamed(json.dumps(example.command), operation.name))
        path = operation.path
        for name in [name for name in fields if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", fields.pop(name))
        sent = {"params": fields} if operation.method == "GET" else {"json": fields}
        with server.client() as client:
            answer = client.request(operation.method, path, **sent)
        told = answer.json()
        assert answer.is_success or told["code"] in REFUSED.get(operation.name, ()), (title, told)
