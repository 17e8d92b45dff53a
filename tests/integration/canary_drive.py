"""Sends secrets through everything that takes text, over REST and gRPC, and keeps every response."""

from __future__ import annotations

import copy
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import grpc
import httpx
import msgspec
from google.protobuf.message_factory import GetMessageClass

from strongroom.entrypoints.http.examples import EXAMPLES
from strongroom.operations.registry import OPERATIONS, Operation
from tests.support import other_chains
from tests.support.canaries import API_KEYS, CANARIES, ENTROPY, KEYWRAP_PASSPHRASE, PASSPHRASE, RAW_KEY, WORDS
from tests.support.server import Server
from tests.support.service import RPC, pack

Place = tuple[str | int, ...]
BY_NAME = {operation.name: operation for operation in OPERATIONS}

TEXTS = tuple(dict.fromkeys(canary.text for canary in CANARIES))
FEW_TEXTS = (WORDS, RAW_KEY, PASSPHRASE)
"""These are sent to every place, however long it takes. The others are only sent to fields of commands, over REST."""
WITHOUT_LOOKS = (ENTROPY, PASSPHRASE, KEYWRAP_PASSPHRASE)
"""Secrets that cannot be told from a name, an id or a sentence."""
KEPT = {"label", "external_id", "name", "ref", "reason", "subject", "token_id", "issuer"}
"""Fields that are stored and returned as sent. What looks like a secret is refused, everything else is stored."""
PUBLISHED = {
    ("unsigned_tx", "value"), ("unsigned_tx", "data"), ("unsigned_tx", "accessList"), ("typed_data", "domain", "salt"),
}  # fmt: skip
"""What a caller has decoded or signed in order to publish it. Any 32 bytes are acceptable there."""
MEMOS = {"memo", "comment"}
"""Text that is published. A mnemonic in it is not signed, but 64 hex digits may be any hash. Decoding shows
everything.
"""
KEPT_OF_DOCUMENTS = {
    ("typed_data", "domain"), ("typed_data", "primaryType"), ("typed_data", "message", "spender"), ("domain",),
}  # fmt: skip
"""Parts of typed data and of TON's statements that the summary shows. They are treated like stored fields."""


def is_kept(operation: Operation, place: Place, text: str) -> bool:
    """Whether the service may store this text in the clear because the caller asks for exactly that."""
    if any(place[: len(each)] == each for each in PUBLISHED):
        return True
    if place[-1] in MEMOS:
        return text != WORDS or not operation.mutates
    if text not in WITHOUT_LOOKS:
        return False
    return place[-1] in KEPT or (operation.mutates and any(place[: len(each)] == each for each in KEPT_OF_DOCUMENTS))


def places(tree: Any, above: Place = ()) -> Iterator[Place]:
    """The tree with each of its values replaced, and with one more name in each of its objects."""
    if isinstance(tree, dict):
        yield (*above, "*")
        for name, value in tree.items():
            yield (*above, name)
            yield from places(value, (*above, name))
    elif isinstance(tree, list):
        for at, value in enumerate(tree):
            yield (*above, at)
            yield from places(value, (*above, at))


def planted(tree: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """The tree with the value at the place. At a ``*`` it becomes the name of a field."""
    tree = copy.deepcopy(tree)
    node: Any = tree
    for step in place[:-1]:
        node = node[step]
    if place[-1] == "*":
        node[str(value)] = value
    else:
        node[place[-1]] = value
    return tree


class Driver:
    def __init__(self, server: Server, *, texts: tuple[str, ...] = TEXTS) -> None:
        self.texts = texts
        self.client = server.client()
        self.server = server
        self.channel = grpc.insecure_channel(server.target)
        self.http: list[bytes] = []
        """Every response: status, headers and body."""
        self.grpc: list[bytes] = []
        self.sent = 0
        self.wallet_id = ""
        self.others: list[tuple[Operation, dict[str, Any]]] = []
        """What signs and decodes on the other chains. `use` fills it in."""

    def close(self) -> None:
        self.client.close()
        self.channel.close()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.client.request(method, path, **options)
        self.sent += 1
        self.http.append(b"\n".join([*(b": ".join(pair) for pair in answer.headers.raw), answer.content]))
        assert answer.status_code < 500, (method, answer.status_code, answer.json().get("code"))
        return answer

    def call(self, rpc: str, raw: bytes, metadata: tuple[tuple[str, str], ...] = (), key: str | None = None) -> None:
        send: Any = self.channel.unary_unary(f"/{RPC.full_name}/{rpc}")
        metadata = (("x-api-key", key or self.server.api_key), *metadata)
        self.sent += 1
        try:
            answer, call = send.with_call(raw, metadata=metadata, timeout=60)
            self.grpc.append(answer)
        except grpc.RpcError as error:
            call = error
            assert call.code() not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), call.code()
        self.grpc += [str(call.details()).encode(), repr(call.initial_metadata()).encode()]
        self.grpc += [value if isinstance(value, bytes) else value.encode() for _, value in call.trailing_metadata()]

    def command(self, operation: Operation) -> dict[str, Any]:
        """The example of the API description, for the wallet that exists."""
        command: dict[str, Any] = copy.deepcopy(EXAMPLES[operation.name].command)
        if "wallet_id" in command:
            command["wallet_id"] = self.wallet_id
        if operation.name == "wallets.limit":  # the following steps sign with it
            command["rates"] = {}
        for item in command.get("items", ()):
            if "wallet_id" in item:
                item["wallet_id"] = self.wallet_id
        return command

    def use(self) -> None:
        """What callers may do with secrets. None of it is refused."""
        made = self.send(
            "POST", "/wallets/import",
            json={"kind": "bip39", "mnemonic": WORDS, "passphrase": PASSPHRASE, "networks": ["ethereum"]},
            headers={"Idempotency-Key": "import-1"},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        self.wallet_id = made.json()["id"]
        key = {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": RAW_KEY, "networks": ["ethereum"]}
        assert self.send("POST", "/wallets/import", json=key, headers={"Idempotency-Key": "import-2"}).is_success
        assert self.send("POST", "/wallets", json={"passphrase": KEYWRAP_PASSPHRASE}).is_success
        for name, text in API_KEYS.items():
            for headers in ({"X-API-Key": text}, {"Authorization": f"Bearer {text}"}):
                answer = httpx.get(f"{self.server.url}/api/v1/networks", headers=headers, trust_env=False, timeout=60)
                assert answer.status_code == (200 if name == "API key" else 401)
                self.http.append(repr(answer.headers).encode() + answer.content)
            self.call("ListNetworks", b"", key=text)
        for operation in OPERATIONS:
            self._rest(operation, self.command(operation), {"Idempotency-Key": f"example-{operation.name}"})
        for number, (name, command) in enumerate(other_chains.commands(self.client, self.wallet_id)):
            self.others.append((BY_NAME[name], command))
            assert self._rest(BY_NAME[name], command, {"Idempotency-Key": f"other-{number}"}).is_success, command

    def fields(self, *, kept: bool) -> None:
        """Every field of every operation. ``kept``: only those texts that a caller asks us to store, or all others."""
        few = [text for text in FEW_TEXTS if text in self.texts]
        for operation in OPERATIONS:
            command = self.command(operation)
            missing = [
                (field.name,) for field in msgspec.structs.fields(operation.command) if field.name not in command
            ]
            for place in [*places(command), *missing]:
                for text in self.texts if len(place) == 1 else few:
                    if is_kept(operation, place, text) is kept:
                        self._rest(operation, planted(command, place, text))
                        if text in few:
                            self._grpc(operation, planted(command, place, text))
                if not kept and place[-1] not in KEPT and not any(place[: len(each)] == each for each in PUBLISHED):
                    for odd in (WORDS.split(), {WORDS: RAW_KEY}, int(RAW_KEY, 16)):
                        self._rest(operation, planted(command, place, odd))

    def fields_of_other_chains(self) -> None:
        """Every field of what signs, with those few texts that are sent to every place."""
        for operation, command in self.others:
            for place in places(command):
                for text in (text for text in FEW_TEXTS if text in self.texts):
                    if not is_kept(operation, place, text):
                        self._rest(operation, planted(command, place, text))
                        self._grpc(operation, planted(command, place, text))

    def surroundings(self) -> None:
        """Headers, paths, queries and bodies that are not JSON: one text for every operation, all texts for two of
        them.
        """
        for at, operation in enumerate(OPERATIONS):
            path, body = self._split(operation, self.command(operation))
            whole = operation.name in ("wallets.import", "wallets.get")
            for text in self.texts if whole else [self.texts[at % len(self.texts)]]:
                self._headers(operation, path, body, text)
                self._paths(operation, path, text)
                if operation.method != "GET":
                    self._bodies(operation, path, text)
                self._metadata(operation, text)
        for text in self.texts:
            self.send("GET", f"/{quote(text, safe='')}")
            self.call(quote(text, safe=""), text.encode())
            self._raw(
                f"GET /{text} HTTP/1.1\r\nHost: x\r\n\r\n", f"{text}\r\n\r\n", f"GET / HTTP/1.1\r\n{text}\r\n\r\n"
            )

    def kept_names(self) -> None:
        """A request id and an idempotency key that do not look like secrets are stored as they are."""
        for text in WITHOUT_LOOKS:
            self.send("POST", "/wallets", json={}, headers={"Idempotency-Key": text})

    def crash(self) -> None:
        command = {"label": "crash, please"}
        answer = self.client.patch(f"/wallets/{self.wallet_id}", json=command)
        assert answer.status_code == 500
        self.http.append(answer.content)

    def _grpc(self, operation: Operation, command: dict[str, Any]) -> None:
        try:
            message = pack(command, GetMessageClass(RPC.methods_by_name[operation.rpc].input_type))
        except (TypeError, ValueError, AttributeError):
            return  # the contract cannot express this
        self.call(operation.rpc, message.SerializeToString())

    def _rest(
        self, operation: Operation, command: dict[str, Any], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        path, rest = self._split(operation, command)
        body = {"params": rest} if operation.method == "GET" else {"json": rest}
        return self.send(operation.method, path, headers=headers, **body)

    def _split(self, operation: Operation, command: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        rest = {name: value for name, value in command.items() if f"{{{name}}}" not in operation.path}
        return re.sub(r"\{(\w+)\}", lambda found: quote(str(command[found[1]]), safe=""), operation.path), rest

    def _headers(self, operation: Operation, path: str, body: dict[str, Any], text: str) -> None:
        names = ["X-API-Key", "Content-Type", "Content-Encoding", "X-Forwarded-For", "X-Unknown", "Cookie",
                 "User-Agent"]  # fmt: skip
        if text not in WITHOUT_LOOKS:
            names += ["X-Request-ID", "Idempotency-Key"]
        sent = [{name: text} for name in names]
        sent += [{"Authorization": f"{scheme}{text}"} for scheme in ("Bearer ", "Basic ", "")]
        if text not in WITHOUT_LOOKS:
            sent.append({"X-Request-ID": text.replace(" ", "-")})
        content = None if operation.method == "GET" else json.dumps(body | {"unknown": text})
        for headers in sent:
            self.send(operation.method, path, headers={"Content-Type": "application/json", **headers}, content=content)

    def _paths(self, operation: Operation, path: str, text: str) -> None:
        self.send(operation.method, path, params={text: text})
        self.send(operation.method, f"{path}/{quote(text, safe='')}")
        self.send(operation.method, f"{path}?{quote(text, safe='')}")

    def _bodies(self, operation: Operation, path: str, text: str) -> None:
        inner = json.dumps(text)
        json_type = {"Content-Type": "application/json"}
        for body in (
            inner, f"[{inner}]", f'{{"a": {inner}', f'{{"a": {inner}, "a": 1}}', f"{{{inner}: {inner}}}",
            f'{{"a": {"[" * 40}{inner}{"]" * 40}}}', f"\ufeff{inner}", text, f'{{"a": {inner}}} {text}',
        ):  # fmt: skip
            self.send(operation.method, path, headers=json_type, content=body.encode())
        self.send(operation.method, path, headers=json_type, content=f'{{"a": {inner}'.encode() + b"\xff")
        self.send(operation.method, path, data={"mnemonic": text})
        self.send(operation.method, path, files={"file": text.encode()})
        self.send(operation.method, path, headers={**json_type, "Content-Encoding": "gzip"}, content=text.encode())

    def _metadata(self, operation: Operation, text: str) -> None:
        names = ["x-unknown", "authorization"] + ["x-request-id", "idempotency-key"] * (text not in WITHOUT_LOOKS)
        for name in names:
            self.call(operation.rpc, b"", ((name, text),))
        self.call(operation.rpc, b"", key=text)
        raw = text.encode()
        self.call(operation.rpc, raw)
        self.call(operation.rpc, b"\xc2\xb8\x02" + bytes([len(raw)]) + raw)  # field 5000, which no message has

    def oversized(self) -> None:
        much = json.dumps({"label": f"{WORDS} " * 15_000})
        self.send("POST", "/wallets", headers={"Content-Type": "application/json"}, content=much)
        with_much = GetMessageClass(RPC.methods_by_name["CreateWallet"].input_type)(label=f"{WORDS} " * 15_000)
        self.call("CreateWallet", with_much.SerializeToString())

    def _raw(self, *requests: str) -> None:
        for request in requests:
            with socket.create_connection(("127.0.0.1", self.server.http_port), timeout=5) as connection:
                connection.sendall(request.encode())
                connection.shutdown(socket.SHUT_WR)
                while received := connection.recv(65_536):
                    self.http.append(received)


def fresh(driver: Driver) -> tuple[str, str]:
    """The words of a new wallet and a new API key. They are returned once, in the two responses that are not
    kept here.
    """
    given = []
    for path, body in (("/wallets", {"backup": True}), ("/api-keys", {"name": "once", "scopes": ["wallets:read"]})):
        again = {"Idempotency-Key": f"once{path}"}
        first = driver.client.post(path, json=body, headers=again)
        assert driver.send("POST", path, json=body, headers=again).status_code == first.status_code == 201
        given.append(first.json())
    return given[0]["backup"]["mnemonic"], given[1]["api_key"]
