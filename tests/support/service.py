"""A whole service in this process, with a folder of its own, to be called over REST and gRPC."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import quote
from uuid import UUID

import grpc
import httpx
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]
from grpc_status import rpc_status

from strongroom import bootstrap
from strongroom.access.api_keys import new_key
from strongroom.access.client_address import ClientAddresses
from strongroom.access.scopes import SCOPES
from strongroom.config.settings import Settings, load
from strongroom.domain.principal import ApiKey
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.grpc.pb.strongroom.v1.wallet_service_pb2 import DESCRIPTOR
from strongroom.entrypoints.http.app import PREFIX, create_app
from strongroom.hints import HINTS
from strongroom.operations.registry import OPERATIONS
from strongroom.rpc.base import Reader
from strongroom.storage import sqlite
from strongroom.storage.base import Change, Unit
from strongroom.telemetry.metrics import UNWRAPS_TOTAL
from strongroom.telemetry.signals import SIGNALS
from tests.support.grpc_calls import unary

ALL_SCOPES = frozenset(SCOPES)
TENANT = UUID(int=0xA)
OTHER_TENANT = UUID(int=0xB)
OPERATION = {operation.name: operation for operation in OPERATIONS}
RPC = DESCRIPTOR.services_by_name["WalletService"]


@dataclass(frozen=True)
class Outcome:
    """A response in terms that REST and gRPC share."""

    code: str
    """ok, or the error's code."""
    result: Any = None
    """The result's tree, without values that are null or left out."""
    field: str | None = None
    message: str | None = None
    reason: str | None = None
    """Why the network refuses a transaction."""
    retries: bool = False
    """Whether the caller is told when to retry."""
    hints: Mapping[str, str] = default(default_factory=dict)
    """Members that help to correct the request. Lists are joined by commas, as over gRPC."""
    status: Any = None
    """The HTTP status or the grpc.StatusCode."""
    raw: bytes = b""

    @property
    def shared(self) -> tuple[Any, ...]:
        return (self.code, self.result, self.field, self.message, self.reason, self.retries, self.hints)


def unwraps() -> float:
    """How often this process has asked a key wrap to open something."""
    return sum(sample.value for family in UNWRAPS_TOTAL.collect() for sample in family.samples)


class Face(Protocol):
    name: str

    async def call(
        self,
        operation: str,
        command: Mapping[str, Any],
        *,
        key: str | None,
        idempotency_key: str | None = None,
        request_id: str = "test",
        forwarded_for: str | None = None,
    ) -> Outcome: ...


@dataclass
class RunningService:
    settings: Settings
    pipeline: Any
    http: HttpFace
    grpc: GrpcFace
    admin: bootstrap.Administration
    key: str
    """An API key of `TENANT` with every scope."""
    readers: dict[str, Reader]
    """The readers of chains, by CAIP-2 id. A test can put in its own."""

    @property
    def faces(self) -> tuple[Face, Face]:
        return (self.http, self.grpc)

    async def new_key(
        self,
        scopes: Iterable[str] = ALL_SCOPES,
        *,
        tenant: UUID = TENANT,
        expires_at: datetime | None = None,
        revoked_at: datetime | None = None,
    ) -> str:
        mac = self.admin.authenticity.api_key_mac
        await asyncio.sleep(0.002)  # lists are ordered by id, and so by time
        made = new_key(tenant, "test", tuple(sorted(scopes)), expires_at, mac, datetime.now(UTC))
        await self.admin.storage.apply([Unit(rows=[replace(made.row, revoked_at=revoked_at)])])
        return made.text.reveal()

    async def revoke(self, key: str) -> None:
        """As another process would do it."""
        change = Change(ApiKey, key_id(key), {"revoked_at": None}, {"revoked_at": datetime.now(UTC)})
        await self.admin.storage.apply([Unit(changes=[change])])

    async def audit(self, key: str | None = None, **where: Any) -> list[dict[str, Any]]:
        """The audit records of the tenant, oldest first."""
        found = await self.http.call("audit.list", {"limit": 200, **where}, key=key or self.key)
        assert found.code == "ok", found
        records: list[dict[str, Any]] = found.result.get("records", [])
        return records[::-1]


NewService = Callable[..., AbstractAsyncContextManager[RunningService]]
"""Starts a fresh service. Settings are as in `tests.support.server`: ``RATES__CREATE="2/minute"``."""


def key_id(key: str) -> UUID:
    return UUID(key.split("_")[1])


def settings_for(data: Path, settings: Mapping[str, str]) -> Settings:
    # The service's time limits are raised, because on a busy machine a test is about outcomes.
    patient = {f"DATABASE__{name}_TIMEOUT": "30" for name in ("POOL", "CONNECT", "STATEMENT", "LOCK")}
    env = {"DATA_DIR": str(data), "HEALTH__INTERVAL": "60", "RATES__ADMIN": "off", "DATABASE__TIMEOUT": "30",
           "ALERTS__INTERVAL": "60", "ALERTS__URLS": "json://127.0.0.1:1/nobody",
           **patient, **settings}  # fmt: skip
    return load({f"STRONGROOM_{name}": value for name, value in env.items()}, dotenv=None)


def prepared(data: Path) -> Path:
    asyncio.run(bootstrap.prepare(settings_for(data, {})))
    return data


@asynccontextmanager
async def running(data: Path, settings: Mapping[str, str]) -> AsyncIterator[RunningService]:
    loaded = settings_for(data, settings)
    addresses = ClientAddresses([str(network) for network in loaded.proxies.trusted])
    SIGNALS.take()  # what other tests of this process have noted
    async with AsyncExitStack() as stack:
        stack.enter_context(patch.object(sqlite, "_SECONDS", 30.0))  # for a lock; there is no setting
        service = await stack.enter_async_context(bootstrap.service(loaded))
        admin = await stack.enter_async_context(bootstrap.administration(loaded))
        app = create_app(service.pipeline, health=service.health, trusted_proxies=addresses, metrics_open=False)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 4711))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://strongroom"))
        server = await grpc_server.start(
            service.pipeline,
            health=service.health,
            address="127.0.0.1:0",
            addresses=addresses,
            default_timeout=loaded.timeouts.operation,
        )
        stack.push_async_callback(server.drain, 0)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{server.port}"))
        readers = service.pipeline._services.reading._readers
        assert isinstance(readers, dict)
        made = RunningService(loaded, service.pipeline, HttpFace(client), GrpcFace(channel), admin, "", readers)
        made.key = await made.new_key()
        yield made


class HttpFace:
    name = "http"

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.headers_for: Callable[[str], Mapping[str, str]] = lambda _: {}
        """More headers, by the request id."""

    async def call(
        self,
        operation: str,
        command: Mapping[str, Any],
        *,
        key: str | None,
        idempotency_key: str | None = None,
        request_id: str = "test",
        forwarded_for: str | None = None,
    ) -> Outcome:
        """``forwarded_for`` is the address that a proxy says it was called from."""
        row = OPERATION[operation]
        rest = {name: value for name, value in command.items() if f"{{{name}}}" not in row.path}
        path = re.sub(r"\{(\w+)\}", lambda found: quote(str(command[found[1]]), safe=""), row.path)
        headers = {"X-Request-ID": request_id, **self.headers_for(request_id)}
        if key is not None:
            headers["X-API-Key"] = key
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if forwarded_for is not None:
            headers["X-Forwarded-For"] = forwarded_for
        if row.method == "GET":
            body: dict[str, Any] = {"params": rest}
        else:
            headers["Content-Type"] = "application/json"
            body = {"content": json.dumps(rest)}
        answer = await self.client.request(row.method, PREFIX + path, headers=headers, **body)
        tree = answer.json()
        if answer.is_success:
            return Outcome("ok", said(tree), status=answer.status_code, raw=answer.content)
        return Outcome(
            tree["code"],
            field=tree.get("field"),
            reason=tree.get("reason"),
            message=tree["detail"],
            retries="retry-after" in answer.headers,
            hints={name: joined(tree[name]) for name in HINTS if name in tree},
            status=answer.status_code,
            raw=answer.content,
        )


class GrpcFace:
    name = "grpc"

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.headers_for: Callable[[str], Mapping[str, str]] = lambda _: {}
        """More metadata, by the request id."""

    async def call(
        self,
        operation: str,
        command: Mapping[str, Any],
        *,
        key: str | None,
        idempotency_key: str | None = None,
        request_id: str = "test",
        forwarded_for: str | None = None,
    ) -> Outcome:
        """Like `HttpFace.call`."""
        method = RPC.methods_by_name[OPERATION[operation].rpc]
        request = pack(command, GetMessageClass(method.input_type))
        metadata = [("x-request-id", request_id), *self.headers_for(request_id).items()]
        if key is not None:
            metadata.append(("x-api-key", key))
        if idempotency_key is not None:
            metadata.append(("idempotency-key", idempotency_key))
        if forwarded_for is not None:
            metadata.append(("x-forwarded-for", forwarded_for))
        send = unary(self.channel, f"/{RPC.full_name}/{method.name}")
        try:
            raw: bytes = await send(request.SerializeToString(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return _refusal(error)
        message = GetMessageClass(method.output_type).FromString(raw)
        return Outcome("ok", said(unpack(message)), status=grpc.StatusCode.OK, raw=raw)


def pack(command: Mapping[str, Any], message_type: type[Message]) -> Message:
    return message_type(**_as_messages(command))


def _as_messages(command: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(command)
    if isinstance(fields.get("items"), list):
        fields["items"] = [_as_messages(item) for item in fields["items"]]
    if "unsigned_tx" in fields:
        transaction = fields["unsigned_tx"]
        text = isinstance(transaction, str)
        fields["unsigned_tx"] = {"encoded": transaction} if text else {"json": json.dumps(transaction)}
    if "payload" in fields:
        payload = fields["payload"]
        fields["payload"] = {"text": payload} if isinstance(payload, str) else {"json": json.dumps(payload)}
    if "typed_data" in fields:
        fields["typed_data"] = {"json": json.dumps(fields["typed_data"])}
    if isinstance(fields.get("expires_at"), str):
        fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
    return fields


def unpack(message: Any) -> Any:
    """Convert a response by its descriptor only, without any code of the service."""
    name = message.DESCRIPTOR.full_name
    if isinstance(message, Timestamp):
        return message.ToDatetime(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    if name == "strongroom.v1.JsonDocument":
        return json.loads(message.json)
    if name == "strongroom.v1.Limit":
        return message.value if message.HasField("value") else None
    tree: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            tree[field.name] = {key: unpack(item) if isinstance(item, Message) else item for key, item in value.items()}
        elif field.is_repeated:
            tree[field.name] = [unpack(item) if isinstance(item, Message) else item for item in value]
        else:
            tree[field.name] = unpack(value) if isinstance(value, Message) else value
    return tree


def _refusal(error: grpc.aio.AioRpcError) -> Outcome:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    if status is None:  # from the transport, not from the service
        raise error
    info, retry = ErrorInfo(), RetryInfo()
    retries = False
    for detail in status.details:
        detail.Unpack(info)
        retries = detail.Unpack(retry) or retries
    assert info.domain == "strongroom"
    return Outcome(
        info.reason,
        field=info.metadata.get("field"),
        reason=info.metadata.get("reason"),
        message=status.message,
        retries=retries,
        hints={name: info.metadata[name] for name in HINTS if name in info.metadata},
        status=error.code(),
        raw=status.SerializeToString(),
    )


def joined(hint: str | list[str]) -> str:
    return hint if isinstance(hint, str) else ", ".join(hint)


def said(tree: Any) -> Any:
    """Leave out null and empty values, which protobuf never sends. In limits null is kept: it means no limit."""
    if isinstance(tree, list):
        return [said(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        name: value if name == "limits" else said(value)
        for name, value in tree.items()
        if value is not None and value not in ([], {})
    }


Normalise = Callable[[Any], Any]


def normaliser() -> Normalise:
    """Make two runs comparable: each id becomes its number in order of appearance, each time the word time."""
    seen: dict[str, str] = {}

    def text(value: str) -> str:
        value = _UUID.sub(lambda found: seen.setdefault(found[0], f"id-{len(seen)}"), value)
        return "time" if _TIME.fullmatch(value) else value

    def normalise(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {name: f"some {name}" if name in _RANDOM else normalise(value) for name, value in tree.items()}
        if isinstance(tree, list | tuple):
            return [normalise(item) for item in tree]
        return text(tree) if isinstance(tree, str) else tree

    return normalise


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RANDOM = ("next_cursor", "api_key", "mnemonic")
