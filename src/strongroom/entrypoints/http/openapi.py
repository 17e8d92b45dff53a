"""The OpenAPI 3.1 document, made from the registry. It forbids what the types refuse."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from strongroom.access.scopes import SCOPES, in_a_sentence
from strongroom.config.sections import IdempotencySettings
from strongroom.domain.secret import Secret
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.endpoint import ALIASES
from strongroom.entrypoints.http.examples import EVERY_EXAMPLE, USUAL
from strongroom.entrypoints.http.field_texts import FIELD_TEXTS
from strongroom.entrypoints.http.problem_responses import PROBLEM, REQUEST_ID, problem_groups
from strongroom.operations.pipeline import IDEMPOTENCY_KEY_LENGTH
from strongroom.operations.registry import Operation

Schema = dict[str, Any]

RETENTION: Final = timedelta(seconds=IdempotencySettings().retention)
_ACRONYMS: Final = {"api": "API"}
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_HEALTH_TAG: Final = "Health"
_REF: Final = "#/components/schemas/{name}"

_INTRODUCTION: Final = """\
A request needs an API key, or a JWT if the service trusts an issuer. The first start of a development service prints a
key, and `strongroom api-key create` makes others. Choose Authorize to try requests on this page with yours.

Every response has `X-Request-ID`: yours, if you sent one of 1 to 128 letters, digits, dots, dashes and underscores.

Every error is problem details (RFC 9457). Programs should use `code`, which is stable. The
[error reference](docs/errors) says what each code means and what to do.
400 means that the request cannot be read, and 422 that it can be read but is refused.

A request that changes something accepts an `Idempotency-Key`. Repeating the key with the same request returns the first
response again. With another request, the key is refused. Keys are kept for {kept}.

Amounts are integers in base units, as decimal strings. Unknown fields and query parameters are refused.
Lists are paged: send `next_cursor` back as `cursor` until it is null.

Here a body may have at most {size}, must arrive within {seconds:g} seconds, and may contain at most {values:,} JSON
values, including keys.
"""

_HEALTH: Final[Schema] = {
    "title": "Health",
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "degraded", "error"], "description": "Status of the whole service"},
        "components": {
            "type": "object",
            "description": "Components by name, as of their last check",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "status": {"enum": ["ok", "degraded", "error"], "description": "Status of the component"},
                    "latency_ms": {"type": "integer", "minimum": 0, "description": "Milliseconds of the last check"},
                    "connections": {"type": "integer", "minimum": 0, "description": "Connections in the pool"},
                    "circuit_state": {
                        "enum": ["closed", "half_open", "open"],
                        "description": "The worst circuit breaker of all workers",
                    },
                    "state": {
                        "type": "string",
                        "description": "What is wrong, if anything: sealed, slow, denied …",
                    },
                },
                "required": ["status"],
            },
        },
        "version": {"type": "string", "description": "Version of the service"},
        "uptime_seconds": {"type": "integer", "minimum": 0, "description": "Seconds since the process started"},
    },
    "required": ["status"],
}
_PROBE: Final[Schema] = {
    "title": "Probe",
    "type": "object",
    "properties": {"status": {"enum": ["ok", "error"], "description": "Result of the probe"}},
    "required": ["status"],
}
_PROBES: Final = {
    "/health": ("health", "The status of each component, as of its last check", "Health"),
    "/health/live": ("healthLive", "Whether the process responds", "Probe"),
    "/health/ready": ("healthReady", "Whether each required component works, and the process is not draining", "Probe"),
    "/health/startup": ("healthStartup", "Whether the process has started", "Probe"),
}


def document(
    operations: Sequence[Operation], prefix: str, version: str, limits: BodyLimits, kept: timedelta = RETENTION
) -> Schema:
    """Make the document. Its introduction names ``limits``, and how long keys are ``kept``."""
    commands = _schemas((operation.command for operation in operations), {"writeOnly": True})
    results = _schemas((operation.result for operation in operations), {"readOnly": True})
    paths: dict[str, Schema] = defaultdict(dict)
    problems: dict[str, Schema] = {}
    schemas: dict[str, Schema] = {"Problem": PROBLEM, "Health": _HEALTH, "Probe": _PROBE} | results
    for operation in operations:
        fields = commands.pop(operation.command.__name__)
        described = _Described(operation, fields)
        if described.body is not None:
            schemas[operation.command.__name__] = described.body
        paths[prefix + operation.path][operation.method.lower()] = described.operation()
        problems |= {group.name: group.response() for group in described.problems}
    for path, (name, summary, schema) in _PROBES.items():
        paths[prefix + path]["get"] = _probe(name, summary, schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strongroom",
            "version": version,
            "summary": "A self-hosted wallet service",
            "description": _INTRODUCTION.format(
                size=_size(limits.size), seconds=limits.seconds, values=limits.values, kept=_span(kept)
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "./", "description": "This service"}],
        "tags": [{"name": tag} for tag in dict.fromkeys([*map(_tag, operations), _HEALTH_TAG])],
        "paths": dict(paths),
        "components": {
            "schemas": dict(sorted((schemas | commands).items())),
            "responses": dict(sorted(problems.items())),
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key"},
                "Bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The same API key as in X-API-Key, or a JWT of an issuer that the service trusts",
                },
            },
        },
        "security": [{"ApiKey": []}, {"Bearer": []}],
    }


class _Described:
    """One operation, with its fields divided between path, query and body."""

    def __init__(self, operation: Operation, fields: Schema) -> None:
        self._op = operation
        self._fields = fields
        self._examples = EVERY_EXAMPLE[operation.name]
        self._in_path = tuple(_PLACEHOLDER.findall(operation.path))
        self._rest = [name for name in fields["properties"] if name not in self._in_path]
        self.body = self._body_schema() if operation.method != "GET" and self._rest else None
        self.problems = problem_groups(operation)

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
            examples = {
                title: _example(each.summary, {name: each.command[name] for name in self._rest if name in each.command})
                for title, each in self._examples.items()
            }
            described["requestBody"] = {
                "required": bool(self.body["required"]),
                "content": {"application/json": {"schema": _ref(op.command.__name__), "examples": examples}},
            }
        return described

    def _description(self) -> str:
        text = f"Needs the scope `{self._op.scope}`: {in_a_sentence(SCOPES[self._op.scope])}."
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
        return parameter | {"schema": schema} | self._parameter_examples(name, schema)

    def _parameter_examples(self, name: str, schema: Schema) -> Schema:
        """Members of the parameter. The documentation page fills in what they say, and nothing that a schema says."""
        values = {title: each.command[name] for title, each in self._examples.items() if name in each.command}
        distinct = [value for at, value in enumerate(values.values()) if value not in [*values.values()][:at]]
        if USUAL not in values:
            return {"schema": {**schema, "examples": distinct}} if distinct else {}
        if len(distinct) == 1:
            return {"example": distinct[0]}
        return {"examples": {title: _example(self._examples[title].summary, value) for title, value in values.items()}}

    def _own_headers(self) -> Schema:
        found: Schema = {}
        if self._op.makes is not None:
            found["Location"] = _LOCATION
        if self._op.mutates:
            found["Idempotency-Replayed"] = _REPLAYED
        return found

    def _responses(self) -> Schema:
        op = self._op
        good = {
            "description": op.summary,
            "headers": {"X-Request-ID": REQUEST_ID, **self._own_headers()},
            "content": {
                "application/json": {
                    "schema": _ref(op.result.__name__),
                    "examples": {title: _example(each.summary, each.result) for title, each in self._examples.items()},
                }
            },
        }
        bad = {str(group.status): {"$ref": f"#/components/responses/{group.name}"} for group in self.problems}
        later = {"202": good | {"description": f"{op.summary}: still in progress"}} if op.unsettled is not None else {}
        return {str(op.status): good} | later | bad


_LOCATION: Final[Schema] = {
    "description": "URL of what was created, relative to the path of the request",
    "schema": {"type": "string", "format": "uri-reference"},
}
_REPLAYED: Final[Schema] = {
    "description": "The response is that of an earlier request with the same idempotency key; left out otherwise",
    "schema": {"const": "true"},
}
_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your own name for this request, such as payout-7781, and a different one for each request. "
    "The request is carried out once, however often it is sent",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH, "pattern": "^[ -~]+$"},
}


def _probe(name: str, summary: str, schema: str) -> Schema:
    def answer(description: str) -> Schema:
        return {
            "description": description,
            "headers": {"X-Request-ID": REQUEST_ID},
            "content": {"application/json": {"schema": _ref(schema)}},
        }

    responses = {"200": answer("Yes"), "503": answer("No")}
    return {"operationId": name, "summary": summary, "tags": [_HEALTH_TAG], "security": [], "responses": responses}


def _schemas(types: Iterable[type[msgspec.Struct]], secret: Schema) -> dict[str, Schema]:
    def hook(found: type) -> Schema:
        if found is Secret:
            return {"type": "string", "format": "password"} | secret
        raise NotImplementedError

    _, components = msgspec.json.schema_components(dict.fromkeys(types), schema_hook=hook, ref_template=_REF)
    for component in components.values():
        for name, each in component.get("properties", {}).items():
            _describe_nullable(each)
            if name in FIELD_TEXTS:
                each.setdefault("description", FIELD_TEXTS[name])
    return components


def _describe_nullable(schema: Schema) -> None:
    """Move the description of a nullable value to the property, because tools show no other description."""
    told = [choice["description"] for choice in schema.get("anyOf", ()) if "description" in choice]
    if len(told) == 1:
        schema.setdefault("description", told[0])


def _parameter_schema(schema: Schema) -> Schema:
    """A parameter can be left out but not be null. It may not contain NUL either, which a JSON string may."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    plain = dict(choices[0]) if len(choices) == 1 else dict(schema)
    for kept in ("default", "description"):
        if schema.get(kept) is not None:
            plain[kept] = schema[kept]
    if plain.get("type") == "string" and plain.keys().isdisjoint({"pattern", "format"}):
        plain["pattern"] = r"^[^\x00]*$"
    return plain


def _example(summary: str, value: Any) -> Schema:
    return {"summary": summary, "value": value}


def _ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def _tag(operation: Operation) -> str:
    words = operation.name.partition(".")[0].split("_")
    title = " ".join(_ACRONYMS.get(word, word) for word in words)
    return title[0].upper() + title[1:]


def _size(size: int) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size % unit == 0:
            return f"{size // unit:,} {name}"
    return f"{size:,} bytes"


def _span(span: timedelta) -> str:
    """In days or hours. The setting is at least a day."""
    days, rest = divmod(span, timedelta(days=1))
    if rest:
        return f"{span // timedelta(hours=1)} hours"
    return "a day" if days == 1 else f"{days} days"
