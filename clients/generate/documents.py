"""The OpenAPI document from which the TypeScript client is made, and a Postman collection."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from strongroom import __version__
from strongroom.entrypoints.http.app import PREFIX
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.examples import EVERY_EXAMPLE, EXAMPLES
from strongroom.entrypoints.http.examples.base import Example, Json
from strongroom.entrypoints.http.openapi import document
from strongroom.operations.registry import Operation


def typescript(operations: Sequence[Operation], node_modules: Path) -> str:
    """Types by openapi-typescript."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "schema.d.ts")
        source.write_text(json.dumps(document(operations, PREFIX, __version__, BodyLimits())))
        program = node_modules / ".bin" / "openapi-typescript"
        subprocess.run(
            [program, source, "--default-non-nullable", "false", "--output", made], check=True, capture_output=True
        )
        return made.read_text()


def postman(operations: Sequence[Operation]) -> str:
    """A collection in format v2.1, with a folder per group and the examples of the OpenAPI document."""
    groups: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        groups[operation.name.partition(".")[0]].append(operation)
    collection = {
        "info": {
            "name": "Strongroom",
            "description": "Set the variables url and api_key.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{api_key}}", "type": "string"}]},
        "variable": [{"key": "url", "value": "http://127.0.0.1:3000"}, {"key": "api_key", "value": ""}],
        "item": [{"name": name, "item": [_request(each) for each in members]} for name, members in groups.items()],
    }
    return json.dumps(collection, indent=2, ensure_ascii=False) + "\n"


def _request(operation: Operation) -> dict[str, Any]:
    examples = EVERY_EXAMPLE[operation.name].values()
    return {
        "name": operation.summary,
        "request": _asking(operation, EXAMPLES[operation.name].command),
        "response": [_answered(operation, example) for example in examples],
    }


def _asking(operation: Operation, command: Json) -> dict[str, Any]:
    path = re.sub(r"\{([a-z_]+)\}", r":\1", PREFIX + operation.path)
    in_path = re.findall(r"\{([a-z_]+)\}", operation.path)
    rest = {name: value for name, value in command.items() if name not in in_path}
    url: dict[str, Any] = {
        "raw": "{{url}}" + path,
        "host": ["{{url}}"],
        "path": path.strip("/").split("/"),
        "variable": [{"key": name, "value": str(command[name])} for name in in_path],
    }
    request: dict[str, Any] = {"method": operation.method, "url": url, "description": operation.summary, "header": []}
    if operation.method == "GET":
        url["query"] = [{"key": name, "value": _text(value)} for name, value in rest.items()]
    else:
        request["body"] = {"mode": "raw", "raw": _json(rest), "options": {"raw": {"language": "json"}}}
    if operation.mutates:
        request["header"].append({"key": "Idempotency-Key", "value": "{{$guid}}"})
    return request


def _answered(operation: Operation, example: Example) -> dict[str, Any]:
    """A request and its response, saved under the name of the example."""
    return {
        "name": example.summary,
        "originalRequest": _asking(operation, example.command),
        "code": operation.status,
        "status": HTTPStatus(operation.status).phrase,
        "_postman_previewlanguage": "json",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "cookie": [],
        "body": _json(example.result),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _text(value: Any) -> str:
    """In a query."""
    return value if isinstance(value, str) else json.dumps(value)
