"""Commands against a server that writes down what it is asked: each operation's request, its answers, its refusals."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from typer.testing import CliRunner, Result

from strongroom import __version__
from strongroom.entrypoints.binding import bind, bind_strings
from strongroom.entrypoints.cli import discovery
from strongroom.entrypoints.cli.main import app
from strongroom.entrypoints.cli.rest import COMMANDS
from strongroom.entrypoints.cli.routes import ROUTES
from strongroom.operations.registry import OPERATIONS, Operation

ID = "9d8f1c52-38f7-43dd-8c7c-52e4ef5a1f6c"
PHRASE = "legal winner thank year wave winner thank year wave winner thank yellow"
KEY = "sr_the-key-of-this-test"
ADDRESS = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
DOCUMENT = {"types": {}, "primaryType": "Permit", "domain": {}, "message": {}}
BY_NAME = {operation.name: operation for operation in OPERATIONS}

# Every command with most of its options, and the fields that the operation is to get.
CALLS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "wallets.create": (
        ["--label", "a b", "--words", "12", "--language", "french", "--passphrase-file", "phrase", "--external-id", "x",
         "--network", "ethereum", "--network", "base", "--backup"],
        {"label": "a b", "words": 12, "language": "french", "passphrase": PHRASE, "networks": ["ethereum", "base"],
         "external_id": "x", "backup": True},
    ),
    "wallets.import": (
        ["--file", "phrase", "--language", "english", "--passphrase-file", "phrase", "--label", "a",
         "--network", "ethereum", "--discover"],
        {"kind": "bip39", "mnemonic": PHRASE, "passphrase": PHRASE, "language": "english", "label": "a",
         "networks": ["ethereum"], "discover": True},
    ),
    "wallets.list": (
        ["--state", "active", "--kind", "bip39", "--label", "a", "--external-id", "x", "--cursor", "c", "--limit", "7"],
        {"state": "active", "kind": "bip39", "label": "a", "external_id": "x", "cursor": "c", "limit": "7"},
    ),
    "wallets.get": ([ID], {"wallet_id": ID}),
    "wallets.update": ([ID, "new"], {"wallet_id": ID, "label": "new"}),
    "wallets.limit": (
        [ID, "sign=10/minute", "read=off"], {"wallet_id": ID, "rates": {"sign": "10/minute", "read": "off"}}
    ),
    "wallets.archive": ([ID], {"wallet_id": ID}),
    "wallets.unarchive": ([ID], {"wallet_id": ID}),
    "addresses.derive": (
        [ID, "eip155:137", "--scheme", "bip44", "--account", "1", "--change", "0", "--index", "3"],
        {"wallet_id": ID, "network": "eip155:137", "scheme": "bip44", "account": "1", "change": "0", "index": "3"},
    ),
    "wallets.create_batch": (
        ["--count", "150", "--label", "a", "--words", "12", "--network", "ethereum"],
        {"count": 150, "label": "a", "words": 12, "networks": ["ethereum"]},
    ),
    "addresses.next_batch": (
        [ID, "ethereum", "--count", "200", "--scheme", "bip44", "--account", "1", "--label", "a"],
        {"wallet_id": ID, "network": "ethereum", "count": 200, "scheme": "bip44", "account": 1, "label": "a"},
    ),
    "transactions.sign_batch": (
        [f'[{{"wallet_id": "{ID}", "network": "ethereum", "unsigned_tx": "0x02c0", "ref": "a"}}]'],
        {"items": [{"wallet_id": ID, "network": "ethereum", "unsigned_tx": "0x02c0", "ref": "a"}]},
    ),
    "addresses.next": (
        [ID, "ethereum", "--scheme", "bip44", "--account", "1", "--label", "a", "--external-id", "x"],
        {"wallet_id": ID, "network": "ethereum", "scheme": "bip44", "account": 1, "label": "a", "external_id": "x"},
    ),
    "addresses.discover": (
        [ID, "bitcoin", "--scheme", "bip86", "--account", "1", "--gap", "30", "--budget", "500", "--no-wait"],
        {"wallet_id": ID, "network": "bitcoin", "scheme": "bip86", "account": 1, "gap": 30, "budget": 500},
    ),
    "addresses.discovery": ([ID, ID], {"wallet_id": ID, "discovery_id": ID}),
    "addresses.list": (
        [ID, "--network", "base", "--scheme", "bip44", "--external-id", "x", "--stored", "--cursor", "c",
         "--limit", "7"],
        {"wallet_id": ID, "network": "base", "scheme": "bip44", "external_id": "x", "all": "true", "cursor": "c",
         "limit": "7"},
    ),
    "addresses.find": (["ethereum", "a/b?c#%"], {"network": "ethereum", "address": "a/b?c#%"}),
    "addresses.validate": (["ethereum", "a/b?c"], {"network": "ethereum", "address": "a/b?c"}),
    "accounts.get": (
        [ID, "ethereum", "--scheme", "bip44", "--account", "1"],
        {"wallet_id": ID, "network": "ethereum", "scheme": "bip44", "account": "1"},
    ),
    "transactions.sign": (
        [ID, "ethereum", "@document", "--index", "3", "--replaces", "0x12", "--allow-resign", "--allow-pre155",
         "--allow-sighash", "SINGLE", "--allow-sighash", "NONE"],
        {"wallet_id": ID, "network": "ethereum", "unsigned_tx": DOCUMENT, "index": 3,
         "options": {"replaces": "0x12", "allow_resign": True, "allow_pre155": True,
                     "allowed_sighashes": ["SINGLE", "NONE"]}},
    ),
    "transactions.decode": (["ethereum", "0x02f0"], {"network": "ethereum", "unsigned_tx": "0x02f0"}),
    "messages.sign": (
        [ID, "ethereum", "hello", "--path", "m/44'/60'/0'/0/7", "--scheme", "bip44"],
        {"wallet_id": ID, "network": "ethereum", "message": "hello", "format": "eip191", "encoding": "text",
         "path": "m/44'/60'/0'/0/7", "scheme": "bip44"},
    ),
    "typed_data.sign": (
        [ID, "ethereum", "@document", "--address", ADDRESS],
        {"wallet_id": ID, "network": "ethereum", "typed_data": DOCUMENT, "address": ADDRESS},
    ),
    "authorizations.sign": (
        [ID, "ethereum", ADDRESS, "--chain-id", "1", "--nonce", "7", "--account", "1", "--change", "0",
         "--allow-resign"],
        {"wallet_id": ID, "network": "ethereum", "contract": ADDRESS, "chain_id": "1", "nonce": "7", "account": 1,
         "change": 0, "allow_resign": True},
    ),
    "messages.verify": (
        ["ethereum", "00ff", "--encoding", "hex", "--signature", "0x12", "--address", ADDRESS],
        {"network": "ethereum", "message": "00ff", "format": "eip191", "encoding": "hex", "signature": "0x12",
         "address": ADDRESS},
    ),
    "typed_data.verify": (
        ["ethereum", json.dumps(DOCUMENT), "--signature", "0x12", "--address", ADDRESS],
        {"network": "ethereum", "typed_data": DOCUMENT, "signature": "0x12", "address": ADDRESS},
    ),
    "balances.wallet": (
        [ID, "ethereum", "--tokens", "none", "--detail", "addresses", "--fresh", "--cursor", "c"],
        {"wallet_id": ID, "network": "ethereum", "tokens": "none", "detail": "addresses", "fresh": "true",
         "cursor": "c"},
    ),
    "balances.address": (
        ["ethereum", "0xab", "--tokens", "all", "--fresh"],
        {"network": "ethereum", "address": "0xab", "tokens": "all", "fresh": "true"},
    ),
    "history.wallet": (
        [ID, "ethereum", "--address", "0xab", "--cursor", "c", "--limit", "7"],
        {"wallet_id": ID, "network": "ethereum", "address": "0xab", "cursor": "c", "limit": "7"},
    ),
    "history.address": (
        ["ethereum", "0xab", "--cursor", "c", "--limit", "7"],
        {"network": "ethereum", "address": "0xab", "cursor": "c", "limit": "7"},
    ),
    "transactions.state": (["ethereum", "0xab"], {"network": "ethereum", "tx_id": "0xab"}),
    "transactions.broadcast": (["ethereum", "0x02"], {"network": "ethereum", "signed_tx": "0x02"}),
    "fees.suggest": (["ethereum"], {"network": "ethereum"}),
    "networks.head": (["ethereum"], {"network": "ethereum"}),
    "networks.list": ([], {}),
    "api_keys.create": (
        [
            "shop", "--scope", "wallets:read", "--scope", "admin", "--expires-at", "2030-01-01T00:00:00Z",
            "--only-network", "ethereum", "--only-wallet", ID, "--client-network", "10.0.0.0/8", "--rate", "sign=1/day",
            "--refuse-unknown-calls", "--max-value", "eip155:1/slip44:60=5",
        ],
        {
            "name": "shop", "scopes": ["wallets:read", "admin"], "expires_at": "2030-01-01T00:00:00Z",
            "restriction": {
                "networks": ["ethereum"], "wallets": [ID], "client_networks": ["10.0.0.0/8"],
                "rates": {"sign": "1/day"}, "unknown_calls": "refuse", "max_values": {"eip155:1/slip44:60": "5"},
            },
        },
    ),
    "api_keys.list": (["--cursor", "c", "--limit", "7"], {"cursor": "c", "limit": "7"}),
    "api_keys.revoke": ([ID], {"key_id": ID}),
    "revocations.create": (
        ["--issuer", "https://issuer.example", "--subject", "s", "--reason", "left"],
        {"issuer": "https://issuer.example", "subject": "s", "reason": "left"},
    ),
    "revocations.list": (["--cursor", "c", "--limit", "7"], {"cursor": "c", "limit": "7"}),
    "revocations.lift": ([ID], {"revocation_id": ID}),
    "client_networks.get": ([], {}),
    "client_networks.set": (["10.0.0.0/8", "::1", "--force"], {"networks": ["10.0.0.0/8", "::1"], "force": True}),
    "tasks.list": (["--kind", "verify", "--limit", "7"], {"kind": "verify", "limit": "7"}),
    "tasks.retry": (["verify", "audit"], {"kind": "verify", "key": "audit"}),
    "tasks.cancel": (["alert", "a/b"], {"kind": "alert", "key": "a/b"}),
    "alerts.list": (["--state", "firing", "--limit", "7"], {"state": "firing", "limit": "7"}),
    "alerts.notifications": (["--limit", "7"], {"limit": "7"}),
    "alerts.silence": (
        ["circuit", "vault", "--seconds", "60"], {"rule": "circuit", "subject": "vault", "seconds": 60},
    ),
    "alerts.test": (["slack", "--severity", "critical", "--no-wait"], {"channel": "slack", "severity": "critical"}),
    "audit.list": (
        ["--wallet", ID, "--operation", "wallets.create", "--operation-id", ID, "--outcome", "denied", "--limit", "7"],
        {"wallet_id": ID, "operation": "wallets.create", "operation_id": ID, "outcome": "denied", "limit": "7"},
    ),
}  # fmt: skip


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    url: str = ""
    status: int = 200
    answer: str = '{"id":"x"}'
    then: list[str] = field(default_factory=list)
    """What it answers after that."""
    asked: list[Asked] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            state.asked.append(Asked(self.command, self.path, headers, body))
            raw = state.answer.encode()
            if state.then:
                state.answer = state.then.pop(0)
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "phrase").write_text(PHRASE + "\n")
    (tmp_path / "document").write_text(json.dumps(DOCUMENT))
    monkeypatch.chdir(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_port}"
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def run(server: Server, *arguments: str, stdin: str | None = None, **variables: str | None) -> Result:
    env = {"STRONGROOM_URL": server.url, "STRONGROOM_API_KEY": KEY, **variables}
    return CliRunner().invoke(app, arguments, input=stdin, env=env)


def path_fields(operation: Operation, path: str) -> dict[str, str]:
    pattern = "/api/v1" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
    found = re.fullmatch(pattern, path)
    assert found is not None, f"{path} is not {operation.path}"
    return {name: unquote(text) for name, text in found.groupdict().items()}


def test_every_operation_has_a_command() -> None:
    assert COMMANDS.keys() == BY_NAME.keys() == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_command_sends_what_its_operation_takes(name: str, server: Server) -> None:
    arguments, expected = CALLS[name]
    operation = BY_NAME[name]
    result = run(server, *COMMANDS[name].split(), *arguments, "--json")
    assert (result.exit_code, result.stdout) == (0, server.answer + "\n"), result.output
    (asked,) = server.asked
    assert asked.method == operation.method
    assert asked.headers["x-api-key"] == KEY
    parts = urlsplit(asked.path)
    fields = path_fields(operation, parts.path)
    if operation.method == "GET":
        assert asked.body == b""
        sent: dict[str, Any] = fields | dict(parse_qsl(parts.query, keep_blank_values=True))
        bind_strings(sent, operation.command)
    else:
        assert parts.query == ""
        sent = fields | json.loads(asked.body)
        bind(sent, operation.command)
    assert sent == expected


@pytest.mark.parametrize("name", CALLS)
def test_what_mutates_takes_an_idempotency_key_and_nothing_else_does(name: str, server: Server) -> None:
    result = run(server, *COMMANDS[name].split(), *CALLS[name][0], "--idempotency-key", "once")
    if BY_NAME[name].mutates:
        assert result.exit_code == 0, result.output
        assert server.asked[0].headers["idempotency-key"] == "once"
    else:
        assert result.exit_code == 2
        assert server.asked == []


@pytest.mark.parametrize(
    ("command", "help_"), [("wallet create", "--backup"), ("sign transaction", "Examples:"), ("", "Exit codes")]
)
def test_help_teaches(command: str, help_: str) -> None:
    assert help_ in CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).stdout


@pytest.mark.parametrize(("module", "needed"), [("main", set()), ("client", {"httpx"})])
def test_a_command_loads_nothing_heavy_that_it_does_not_need(module: str, needed: set[str]) -> None:
    heavy = {"httpx", "sqlalchemy", "grpc", "granian", "pydantic", "cryptography", "alembic"} - needed
    look = f"import sys, strongroom.entrypoints.cli.{module}; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"


def test_a_secret_comes_from_standard_input_and_is_not_echoed(server: Server) -> None:
    result = run(server, "wallet", "import", "--label", "old", stdin=f"{PHRASE}\n")
    assert json.loads(server.asked[0].body)["mnemonic"] == PHRASE
    assert "winner" not in result.output


def test_words_of_ton_are_made_and_imported_as_such(server: Server) -> None:
    assert run(server, "wallet", "create", "--kind", "ton_native", "--network", "ton").exit_code == 0
    assert run(server, "wallet", "import", "--kind", "ton_native", "--file", "phrase").exit_code == 0
    created, imported = (json.loads(asked.body) for asked in server.asked)
    assert created == {"kind": "ton_native", "networks": ["ton"]}
    assert imported == {"kind": "ton_native", "mnemonic": PHRASE}


@pytest.mark.parametrize(
    ("format_name", "given", "payload"),
    [
        ("ton-proof", '{"nonce":1}', '{"nonce":1}'),
        ("ton-sign-data", '{"type":"text","text":"a"}', {"type": "text", "text": "a"}),
    ],
)
def test_a_statement_has_its_domain_and_time_and_no_encoding(
    server: Server, format_name: str, given: str, payload: object
) -> None:
    of = [given, "--format", format_name, "--domain", "example.com", "--timestamp", "1795881600"]
    assert run(server, "sign", "message", ID, "ton", *of).exit_code == 0
    proof = ["--signature", "AA==", "--address", "0:00", "--public-key", "11" * 32]
    assert run(server, "verify", "message", "ton", *of, *proof).exit_code == 0
    statement = {"format": format_name, "domain": "example.com", "timestamp": 1795881600, "payload": payload}
    signing, verifying = (json.loads(asked.body) for asked in server.asked)
    assert signing == {"network": "ton", **statement}
    assert verifying == {**statement, "signature": "AA==", "address": "0:00", "public_key": "11" * 32}


def test_a_private_key_is_imported_for_its_keyspace(server: Server) -> None:
    assert run(server, "wallet", "import", "--keyspace", "evm", stdin="ab" * 32 + "\n").exit_code == 0
    body = json.loads(server.asked[0].body)
    assert body == {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": "ab" * 32}
    bind(body, BY_NAME["wallets.import"].command)


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["wallet", "import"], ""),
        (["wallet", "import", "--file", "none"], None),
        (["wallet", "import", "--keyspace", "evm", "--language", "english"], "ab"),
        (["wallet", "import", "--keyspace", "evm", "--kind", "ton_native"], "ab"),
        (["sign", "typed-data", ID, "ethereum", "{"], None),
        (["sign", "transaction", ID, "ethereum", "@none"], None),
        (["api-key", "create", "x"], None),
        (["api-key", "create", "x", "--all-scopes", "--tenant", "me"], None),
        (["api-key", "create", "x", "--all-scopes", "--tenant", ID, "--expires-at", "2030-01-01"], None),
        (["wallet", "list", "--limit", "x"], None),
        (["wallet", "create", "--mnemonic", PHRASE], None),
        (["wallet", "import", PHRASE], None),
    ],
)
def test_wrong_usage_ends_with_2_before_anything_is_sent(
    arguments: list[str], stdin: str | None, server: Server
) -> None:
    result = run(server, *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert server.asked == []


def test_without_a_key_nothing_is_sent(server: Server) -> None:
    result = run(server, "wallet", "list", STRONGROOM_API_KEY=None)
    assert (result.exit_code, result.stderr) == (2, "STRONGROOM_API_KEY is not set\n")
    assert server.asked == []


@pytest.mark.parametrize(("status", "code"), [(400, 1), (401, 1), (409, 1), (422, 1), (429, 1), (500, 3), (503, 3)])
def test_a_refusal_is_one_line_and_an_exit_code(status: int, code: int, server: Server) -> None:
    server.status = status
    server.answer = json.dumps({"code": "no_such", "detail": "it is\x1b[2Jnot", "field": "index", "request_id": "r1"})
    result = run(server, "wallet", "show", ID)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "no_such: it is\ufffd[2Jnot [index] (request r1)\n"


@pytest.mark.parametrize("answer", ["<html>", "[]", "{}", ""])
def test_an_answer_that_is_no_problem_document_is_said_so(answer: str, server: Server) -> None:
    server.status, server.answer = 404, answer
    result = run(server, "wallet", "show", ID)
    assert (result.exit_code, result.stderr) == (
        1,
        "the server responded with 404 and no reason: check that STRONGROOM_URL is a Strongroom\n",
    )


def test_a_list_is_a_table_and_says_where_it_goes_on(server: Server) -> None:
    wallets = [{"id": "w1", "kind": "bip39", "label": "[red]a\x1b[2J", "external_id": None, "state": "active"}]
    server.answer = json.dumps({"wallets": wallets, "next_cursor": "abc"})
    result = run(server, "wallet", "list")
    head, row = result.stdout.splitlines()
    assert head.split() == ["id", "kind", "label", "external_id", "state", "created_at"]
    assert row.split() == ["w1", "bip39", "[red]a\ufffd[2J", "active"]
    assert result.stderr == "There are more. To continue: --cursor abc\n"


REPORT = {"status": "error", "components": {"vault": {"status": "error", "state": "sealed"}}, "version": "1.0.8"}


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 3)])
@pytest.mark.parametrize("key", [KEY, None])
def test_health_is_shown_whatever_it_is_and_needs_no_key(
    status: int, code: int, key: str | None, server: Server
) -> None:
    server.status, server.answer = status, json.dumps(REPORT, separators=(",", ":"))
    result = run(server, "health", STRONGROOM_API_KEY=key)
    assert (result.exit_code, result.stderr) == (code, "")
    assert ["components.vault.state", "sealed"] in [line.split() for line in result.stdout.splitlines()]
    assert (server.asked[0].path, server.asked[0].headers.get("x-api-key")) == ("/api/v1/health", key)
    assert run(server, "health", "--json").stdout == server.answer + "\n"


@pytest.mark.parametrize(("status", "code"), [(200, 1), (404, 1), (503, 3)])
@pytest.mark.parametrize("answer", ["<html>", "[]", '{"status":503}'])
def test_health_of_something_else(status: int, code: int, answer: str, server: Server) -> None:
    server.status, server.answer = status, answer
    result = run(server, "health")
    assert (result.exit_code, result.stdout) == (code, "")
    assert (
        result.stderr
        == f"the server responded with {status} and no reason: check that STRONGROOM_URL is a Strongroom\n"
    )


def test_a_discovery_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_PAUSE", 0)
    told = {"id": ID, "wallet_id": ID, "state": "running", "checked": 0, "budget": 9, "change": 0, "index": 0,
            "used": 0, "error": None}  # fmt: skip
    ended = told | {"state": "done", "checked": 40, "used": 3}
    server.answer = json.dumps(told)
    server.then = [json.dumps(told | {"error": "node_unavailable"}), json.dumps(ended)]
    result = run(server, "wallet", "discover", ID, "ethereum", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, ended)
    assert [(each.method, each.path) for each in server.asked] == [
        ("POST", f"/api/v1/wallets/{ID}/addresses/discover"),
        *[("GET", f"/api/v1/wallets/{ID}/discoveries/{ID}")] * 2,
    ]


def test_an_empty_list_says_so(server: Server) -> None:
    server.answer = '{"api_keys":[],"next_cursor":null}'
    assert run(server, "api-key", "list").stdout == "no api keys\n"


def test_one_thing_is_shown_by_field(server: Server) -> None:
    server.answer = json.dumps({"valid": True, "details": {"on_curve": False}, "reason": None})
    lines = [line.split(maxsplit=1) for line in run(server, "address", "validate", "solana", "x").stdout.splitlines()]
    assert lines == [["valid", "true"], ["details.on_curve", "false"]]


SUMMARY = {
    "network": "ethereum",
    "type": "eip1559",
    "fee": {"amount": "420000000000000", "asset": "ETH"},
    "actions": [
        {"kind": "transfer", "amount": "1500000000000000000", "asset": "ETH", "to": "0xA"},
        {"kind": "token_transfer", "amount": "400", "asset": "0xTOKEN", "to": "0xB"},
    ],
}


def test_what_a_transaction_does_is_a_table_in_units_of_the_coin(server: Server) -> None:
    server.answer = json.dumps({"summary": SUMMARY, "warnings": [{"code": "unlimited", "message": "no end"}]})
    server.then = [json.dumps({"networks": [{"name": "ethereum", "symbol": "ETH", "decimals": 18}]})]
    lines = [line.split() for line in run(server, "decode", "ethereum", "0x00").stdout.splitlines()]
    assert lines == [
        ["summary.network", "ethereum"],
        ["summary.type", "eip1559"],
        ["fee", "0.00042", "ETH,", "at", "most"],
        ["kind", "amount", "asset", "to"],
        ["transfer", "1.5", "ETH", "0xA"],
        ["token_transfer", "400", "0xTOKEN", "0xB"],
        ["code", "message"],
        ["unlimited", "no", "end"],
    ]
    server.answer, server.then = json.dumps({"summary": SUMMARY}), []
    assert json.loads(run(server, "decode", "ethereum", "0x00", "--json").stdout) == {"summary": SUMMARY}


def test_every_page_is_one_list(server: Server) -> None:
    server.answer = json.dumps({"wallets": [{"id": "w1"}], "next_cursor": "a"})
    server.then = [
        json.dumps({"wallets": [{"id": f"w{at}"}], "next_cursor": next_}) for at, next_ in ((2, "b"), (3, None))
    ]
    result = run(server, "wallet", "list", "--all", "--state", "active", "--json")
    assert json.loads(result.stdout) == {"wallets": [{"id": "w1"}, {"id": "w2"}, {"id": "w3"}], "next_cursor": None}
    assert [dict(parse_qsl(urlsplit(each.path).query)) for each in server.asked] == [
        {"state": "active"}, {"state": "active", "cursor": "a"}, {"state": "active", "cursor": "b"},
    ]  # fmt: skip


def test_every_list_in_pages_has_all() -> None:
    for operation in OPERATIONS:
        paged = "next_cursor" in operation.result.__struct_fields__ and not operation.name.startswith("balances.")
        help_ = CliRunner().invoke(app, [*COMMANDS[operation.name].split(), "--help"], env={"COLUMNS": "200"}).stdout
        assert ("--all " in help_) is paged, operation.name


def test_the_routes_are_those_of_the_registry() -> None:
    assert {operation.name: (operation.method, operation.path) for operation in OPERATIONS} == ROUTES


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"strongroom {__version__}\n")


def test_a_document_comes_from_standard_input(server: Server) -> None:
    assert run(server, "decode", "ethereum", "-", stdin=json.dumps(DOCUMENT)).exit_code == 0
    assert json.loads(server.asked[0].body)["unsigned_tx"] == DOCUMENT


PSBT = b"psbt\xff\x01\x00\x00"


@pytest.mark.parametrize("written", [PSBT, b64encode(PSBT), b64encode(PSBT) + b"\r\n"], ids=["binary", "text", "line"])
def test_a_psbt_comes_from_a_file_as_wallets_write_it(written: bytes, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "spend.psbt"
    file.write_bytes(written)
    for arguments in (("decode", "bitcoin"), ("sign", "transaction", ID, "bitcoin")):
        assert run(server, *arguments, f"@{file}").exit_code == 0
        assert json.loads(server.asked[-1].body)["unsigned_tx"] == b64encode(PSBT).decode()


def test_a_binary_psbt_comes_from_standard_input(server: Server) -> None:
    env = {"STRONGROOM_URL": server.url, "STRONGROOM_API_KEY": KEY}
    result = CliRunner().invoke(app, ("decode", "bitcoin", "-"), input=PSBT, env=env)
    assert result.exit_code == 0
    assert json.loads(server.asked[-1].body)["unsigned_tx"] == b64encode(PSBT).decode()


def test_another_binary_file_is_refused(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "key.bin"
    file.write_bytes(b"\xff\xfe\0")
    result = run(server, "decode", "bitcoin", f"@{file}")
    assert (result.exit_code, result.stderr, server.asked) == (2, "must be UTF-8 text\n", [])


def test_words_come_from_a_file_in_lines(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(PHRASE.replace(" ", "\n") + "\n")
    assert run(server, "wallet", "import", "--file", str(file)).exit_code == 0
    assert json.loads(server.asked[-1].body)["mnemonic"].split() == PHRASE.split()
