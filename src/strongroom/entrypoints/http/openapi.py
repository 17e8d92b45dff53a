"""The OpenAPI 3.1 document, made from the registry: what the types refuse, the document forbids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from strongroom import errors
from strongroom.access.scopes import SCOPES
from strongroom.domain.secret import Secret
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.endpoint import ALIASES
from strongroom.entrypoints.http.examples import EXAMPLES, MORE_COMMANDS
from strongroom.errors import StrongroomError
from strongroom.operations.pipeline import IDEMPOTENCY_KEY_LENGTH
from strongroom.operations.registry import Operation

Schema = dict[str, Any]

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_REF: Final = "#/components/schemas/{name}"
_EVERY: Final = (
    errors.MalformedRequest, errors.Unauthenticated, errors.Forbidden, errors.RateLimited, errors.InvalidField,
    errors.InternalError, errors.StorageUnavailable, errors.ShuttingDown, errors.DeadlineExceeded,
)  # fmt: skip
"""What any operation may answer."""
_WITH_BODY: Final = (errors.BodyTooLarge, errors.BodyTimeout, errors.UnsupportedMediaType)

_INTRODUCTION: Final = """\
Every answer carries `X-Request-ID`: yours, if you sent one of 1 to 128 letters, digits, dots, dashes and underscores.

Every error is problem details (RFC 9457); `code` is stable, and is what a program should look at.
400: the request cannot be read. 422: it can, but is refused.

A request that changes something takes an `Idempotency-Key`: the same key with the same request gets the first answer
again, and with another request is refused. Keys are kept for at least 24 hours.

Amounts are integers in base units, as decimal strings. Unknown fields and query parameters are refused.
A list is paged: send `next_cursor` back as `cursor` until it is null.

Here a body may have at most {size} bytes, must arrive within {seconds:g} seconds, and may hold at most {values} JSON
values, keys among them.
"""

_REQUEST_ID: Final[Schema] = {"description": "Id of this request", "schema": {"type": "string"}}

_PROBLEM: Final[Schema] = {
    "title": "Problem",
    "description": "Problem details, RFC 9457",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "urn:strongroom:problem:{code}"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in words"},
        "code": {"type": "string", "description": "Stable"},
        "field": {"type": "string", "description": "The field that is at fault, where there is one"},
        "reason": {"type": "string", "description": "Why the network refuses a transaction: nonce_used, fee_too_low …"},
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "additionalProperties": False,
}

_HEALTH: Final[Schema] = {
    "title": "Health",
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "degraded", "error"]},
        "components": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "status": {"enum": ["ok", "degraded", "error"]},
                    "latency_ms": {"type": "integer", "minimum": 0},
                    "connections": {"type": "integer", "minimum": 0, "description": "Of the database's pool"},
                    "circuit_state": {
                        "enum": ["closed", "half_open", "open"],
                        "description": "The worst of the workers",
                    },
                    "state": {
                        "type": "string",
                        "description": "What is wrong, where something is: sealed, slow, denied …",
                    },
                },
                "required": ["status"],
            },
        },
        "version": {"type": "string"},
        "uptime_seconds": {"type": "integer", "minimum": 0},
    },
    "required": ["status"],
}
_PROBE: Final[Schema] = {
    "title": "Probe",
    "type": "object",
    "properties": {"status": {"enum": ["ok", "error"]}},
    "required": ["status"],
}
_PROBES: Final = {
    "/health": ("health", "How each component is, as last seen", "Health"),
    "/health/live": ("healthLive", "The process answers", "Probe"),
    "/health/ready": ("healthReady", "Each required component answers, and the process is not draining", "Probe"),
    "/health/startup": ("healthStartup", "The process has started", "Probe"),
}


def document(operations: Sequence[Operation], prefix: str, version: str, limits: BodyLimits) -> Schema:
    commands = _schemas((operation.command for operation in operations), {"writeOnly": True})
    results = _schemas((operation.result for operation in operations), {"readOnly": True})
    paths: dict[str, Schema] = defaultdict(dict)
    schemas: dict[str, Schema] = {"Problem": _PROBLEM, "Health": _HEALTH, "Probe": _PROBE} | results
    for operation in operations:
        fields = commands.pop(operation.command.__name__)
        described = _Described(operation, fields)
        if described.body is not None:
            schemas[operation.command.__name__] = described.body
        paths[prefix + operation.path][operation.method.lower()] = described.operation()
    for path, (name, summary, schema) in _PROBES.items():
        paths[prefix + path]["get"] = _probe(name, summary, schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom",
            "version": version,
            "summary": "A self-hosted wallet service",
            "description": _INTRODUCTION.format(size=limits.size, seconds=limits.seconds, values=limits.values),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys([*map(_tag, operations), "health"])],
        "paths": dict(paths),
        "components": {
            "schemas": dict(sorted((schemas | commands).items())),
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "Bearer": {"type": "http", "scheme": "bearer", "description": "The same API key"},
            },
        },
        "security": [{"ApiKey": []}, {"Bearer": []}],
    }


class _Described:
    """One operation: its fields shared out over path, query and body."""

    def __init__(self, operation: Operation, fields: Schema) -> None:
        self._op = operation
        self._fields = fields
        self._in_path = tuple(_PLACEHOLDER.findall(operation.path))
        self._rest = [name for name in fields["properties"] if name not in self._in_path]
        self.body = self._body_schema() if operation.method != "GET" and self._rest else None

    def operation(self) -> Schema:
        op = self._op
        described: Schema = {
            "operationId": op.rpc[0].lower() + op.rpc[1:],
            "summary": op.summary,
            "description": self._description(),
            "tags": [_tag(op)],
            "parameters": self._parameters(),
            "responses": self._responses(),
        }
        if self.body is not None:
            commands = {"usual": EXAMPLES[op.name].command, **MORE_COMMANDS.get(op.name, {})}
            examples = {
                title: {"value": {name: value for name, value in command.items() if name in self._rest}}
                for title, command in commands.items()
            }
            described["requestBody"] = {
                "required": bool(self.body["required"]),
                "content": {"application/json": {"schema": _ref(op.command.__name__), "examples": examples}},
            }
        return described

    def _description(self) -> str:
        text = f"Needs the scope `{self._op.scope}`: {SCOPES[self._op.scope].lower()}."
        for old, new in ALIASES.get(self._op.name, {}).items():
            text += f" `{old}` is accepted as another name of `{new}`."
        return text

    def _body_schema(self) -> Schema:
        return self._fields | {
            "properties": {name: self._fields["properties"][name] for name in self._rest},
            "required": [name for name in self._fields["required"] if name in self._rest],
        }

    def _parameters(self) -> list[Schema]:
        found = [self._parameter(name, "path") for name in self._in_path]
        if self._op.method == "GET":
            found += [self._parameter(name, "query") for name in self._rest]
        if self._op.mutates:
            found.append(_IDEMPOTENCY_KEY)
        return found

    def _parameter(self, name: str, place: str) -> Schema:
        schema = _parameter_schema(self._fields["properties"][name])
        parameter = {"name": name, "in": place, "required": place == "path" or name in self._fields["required"]}
        if description := schema.pop("description", None):
            parameter["description"] = description
        parameter["schema"] = schema
        if name in EXAMPLES[self._op.name].command:
            parameter["example"] = EXAMPLES[self._op.name].command[name]
        return parameter

    def _responses(self) -> Schema:
        op = self._op
        good = {
            "description": op.summary,
            "headers": {"X-Request-ID": _REQUEST_ID},
            "content": {
                "application/json": {
                    "schema": _ref(op.result.__name__),
                    "examples": {"usual": {"value": EXAMPLES[op.name].result}},
                }
            },
        }
        by_status: dict[int, list[type[StrongroomError]]] = defaultdict(list)
        more = _WITH_BODY if op.method != "GET" else ()
        lost = (errors.RouteNotFound,) if self._in_path else ()
        for error in dict.fromkeys((*_EVERY, *more, *lost, *op.errors)):
            by_status[error.http_status].append(error)
        bad = {str(status): _problems(status, classes) for status, classes in sorted(by_status.items())}
        later = {"202": good | {"description": f"{op.summary}: still under way"}} if op.unsettled is not None else {}
        return {str(op.status): good} | later | bad


_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your own name of this request, so that it is carried out once however often it is sent",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH, "pattern": "^[ -~]+$"},
    "example": "payout-7781",
}


def _problems(status: int, classes: Iterable[type[StrongroomError]]) -> Schema:
    found = list(classes)
    headers: Schema = {"X-Request-ID": _REQUEST_ID}
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    codes = {"properties": {"code": {"enum": sorted(error.code for error in found)}}}
    return {
        "description": "; ".join(f"`{error.code}`: {error.title}" for error in found),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"allOf": [_ref("Problem"), codes]}}},
    }


def _probe(name: str, summary: str, schema: str) -> Schema:
    def answer(description: str) -> Schema:
        return {
            "description": description,
            "headers": {"X-Request-ID": _REQUEST_ID},
            "content": {"application/json": {"schema": _ref(schema)}},
        }

    responses = {"200": answer("Yes"), "503": answer("No")}
    return {"operationId": name, "summary": summary, "tags": ["health"], "security": [], "responses": responses}


def _schemas(types: Iterable[type[msgspec.Struct]], secret: Schema) -> dict[str, Schema]:
    def hook(found: type) -> Schema:
        if found is Secret:
            return {"type": "string", "format": "password"} | secret
        raise NotImplementedError

    _, components = msgspec.json.schema_components(dict.fromkeys(types), schema_hook=hook, ref_template=_REF)
    return components


def _parameter_schema(schema: Schema) -> Schema:
    """A parameter cannot be null, for it is left out; and a NUL in one is refused, which a JSON string may hold."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    plain = dict(choices[0]) if len(choices) == 1 else dict(schema)
    if schema.get("default") is not None:
        plain["default"] = schema["default"]
    if plain.get("type") == "string" and plain.keys().isdisjoint({"pattern", "format"}):
        plain["pattern"] = r"^[^\x00]*$"
    return plain


def _ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def _tag(operation: Operation) -> str:
    return operation.name.partition(".")[0]
