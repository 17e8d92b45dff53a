"""The keys in the URLs and headers of sources do not come out anywhere, however well or badly a source behaves.

One server, at the finest log level, reads networks whose sources are correct, of another chain, refusing, hanging,
absent, or repeat everything that they were sent. Searched are its log, every response over REST and gRPC, metrics,
health, the audit records, every column, the files of its folder, and the output of the command line.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from eth_account import Account

from strongroom import bootstrap
from strongroom.bootstrap.source_kinds import open_source
from strongroom.bootstrap.sources import check_sources
from strongroom.config.settings import load
from strongroom.domain.asset import coin_of
from strongroom.errors import ConfigurationError
from strongroom.rpc.base import Setup
from tests.support import otlp
from tests.support.anvil import Anvil
from tests.support.canaries import Canary, columns, files, found_in
from tests.support.liar import Liar, lying_http
from tests.support.server import Server
from tests.support.service import GrpcFace, HttpFace

USER, PASSWORD = "jocundvexillum93", "Brisket-93-plinth-quay"
PATH_KEY, QUERY_KEY, HEADER = "6f1d2c8e9b7a43500fd1b2", "quaverXyloid77sphinx", "gossamer-0451-bellwether"
SECRETS = {
    "user": USER, "password": PASSWORD, "login": f"{USER}:{PASSWORD}", "path key": PATH_KEY, "query key": QUERY_KEY,
    "header": HEADER,
}  # fmt: skip
CANARIES = [Canary(name, text, text.encode()) for name, text in SECRETS.items()]
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
ECHO = " ".join([*SECRETS.values(), LOGIN]).encode()
ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
TRON_ADDRESS, TON_ADDRESS = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "0:" + "35" * 32
CHAIN_IDS = {"ethereum": 1, "polygon": 137, "base": 8453, "optimism": 10, "arbitrum": 42161, "bsc": 56}
CAUSES = (b"another_chain", b"credential", b"slow", b"unreachable", b"error")
"""Causes of the failures in the log."""
READS = ("networks.head", "fees.suggest", "balances.address", "history.address", "transactions.state")

Answer = Callable[[str, str, bytes], Awaitable[tuple[int, bytes]]]


def repeats(status: int, words: bytes = b"%s") -> Answer:
    """Repeats all of it."""

    async def answer(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        return status, words % (ECHO + b" " + path.encode())

    return answer


async def hang(method: str, path: str, body: bytes) -> tuple[int, bytes]:
    await asyncio.Event().wait()
    raise AssertionError


FAULT = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"%s"}}'
EXPLORER = b'{"status":"0","message":"NOTOK","result":"Invalid API Key: %s"}'


@dataclass
class Sources:
    """From the TOML file, by network."""

    folder: Path
    text: list[str] = field(default_factory=list)

    def add(self, network: str, kind: str, port: int, *, in_file: bool = False) -> None:
        url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/v3/{PATH_KEY}?key={QUERY_KEY}"
        headers, secret = self.folder / "headers", self.folder / f"url-{network}-{kind}"
        headers.write_text(f"X-Key: {HEADER}\n")
        secret.write_text(url)
        place = f'url_file = "{secret}"' if in_file else f'url = "{url}"'
        name = f'name = "{kind}"\nkind = "{kind}"\nnetwork = "{network}"\n'
        self.text.append(f'[[sources]]\n{name}{place}\nheaders_file = "{headers}"\n')

    def write(self) -> Path:
        config = self.folder / "strongroom.toml"
        config.write_text("\n".join(self.text))
        return config


@asynccontextmanager
async def configured(folder: Path, anvil: Anvil) -> AsyncIterator[tuple[Path, dict[str, Liar]]]:
    made, liars = Sources(folder), dict[str, Liar]()

    async def truth(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """anvil only responds at its root."""
        async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as client:
            json_type = {"Content-Type": "application/json"}
            found = await client.post(f"http://127.0.0.1:{anvil.port}", content=body, headers=json_type)
        return found.status_code, found.content

    async with AsyncExitStack() as stack:
        for network, kind, answer in (
            ("ethereum", "evm", truth), ("ethereum", "etherscan", repeats(200, EXPLORER)), ("polygon", "evm", truth),
            ("base", "evm", repeats(401)), ("optimism", "evm", hang), ("bsc", "evm", repeats(200, FAULT)),
            ("tron", "tron", repeats(403)), ("ton", "toncenter-v3", repeats(500)),
        ):  # fmt: skip
            liar = liars[f"{network}/{kind}"] = await stack.enter_async_context(lying_http(answer))
            made.add(network, kind, liar.port, in_file=network == "ethereum")
        made.add("arbitrum", "evm", 1)
        yield made.write(), liars


def signed(chain_id: int) -> str:
    """An address that owns nothing."""
    fields = {"to": ADDRESS, "value": 1, "gas": 21000, "gasPrice": 10**9, "nonce": 0, "chainId": chain_id}
    return "0x" + bytes(Account.from_key("0x" + "11" * 32).sign_transaction(fields).raw_transaction).hex()


def commands(network: str) -> Iterator[tuple[str, dict[str, Any]]]:
    address = {"tron": TRON_ADDRESS, "ton": TON_ADDRESS}.get(network, ADDRESS)
    tx_id = "ab" * 32 if network in ("tron", "ton") else "0x" + "ab" * 32
    more = {"balances.address": {"address": address}, "history.address": {"address": address},
            "transactions.state": {"tx_id": tx_id}}  # fmt: skip
    for operation in READS:
        yield operation, {"network": network, **more.get(operation, {})}
    if network in CHAIN_IDS:
        yield "transactions.broadcast", {"network": network, "signed_tx": signed(CHAIN_IDS[network])}


def lines() -> Iterator[tuple[str, ...]]:
    yield ("config", "check")
    yield ("health",)
    yield ("audit", "list", "--json")
    for network in ("ethereum", "polygon", "base"):
        yield ("network", "head", network)
    yield ("balance", "address", "ethereum", ADDRESS)
    yield ("transaction", "broadcast", "bsc", signed(56))


async def said_to(server: Server, networks: list[str]) -> tuple[dict[str, bytes], set[str]]:
    """Everything that comes back over REST and gRPC, by the question, and the codes."""
    client = httpx.AsyncClient(base_url=server.url, timeout=120, trust_env=False)
    async with client, grpc.aio.insecure_channel(server.target) as channel:

        async def ask(face: HttpFace | GrpcFace, operation: str, command: dict[str, Any]) -> tuple[str, bytes, str]:
            found = await face.call(operation, command, key=server.api_key)
            return f"{face.name} {operation} {command['network']}", found.raw + repr(found).encode(), found.code

        faces: list[HttpFace | GrpcFace] = [HttpFace(client), GrpcFace(channel)]
        asked = [
            ask(face, *command) for face, network in itertools.product(faces, networks) for command in commands(network)
        ]
        answers = await asyncio.gather(*asked)
    return {name: raw for name, raw, _ in answers}, {code for *_, code in answers}


@pytest.mark.needs("anvil")
async def test_keys_of_sources_come_out_nowhere(tmp_path: Path) -> None:
    with Anvil(chain_id=1) as anvil, otlp.over_grpc() as receiver:
        async with configured(tmp_path, anvil) as (config, liars):
            off = {f"RATES__{name}": "off" for name in ("READ", "CHAIN", "BROADCAST")}
            traced = {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": receiver.endpoint, "TRACING__SAMPLE": "1"}
            server = Server(tmp_path / "data", {"CONFIG": str(config), "LOG__LEVEL": "debug", **off, **traced})
            await asyncio.to_thread(server.start)
            try:
                networks = [*CHAIN_IDS, "tron", "ton"]
                sinks, codes = await said_to(server, networks)
                for line in lines():
                    done = await asyncio.to_thread(server.command, *line)
                    sinks[" ".join(line)[:40]] = (done.stdout + done.stderr).encode()
                async with server.async_client() as client:
                    for path in ("/health", "/audit?limit=200", f"{server.url}/metrics"):
                        sinks[path] = (await client.get(path)).content
                    openmetrics = {"Accept": "application/openmetrics-text"}
                    sinks["openmetrics"] = (await client.get(f"{server.url}/metrics", headers=openmetrics)).content
                    sinks["anonymous health"] = (await client.get("/health", headers={"X-API-Key": ""})).content
            finally:
                await asyncio.to_thread(server.stop)
            sinks["spans"] = b"".join(receiver.raw)
            sinks |= files(server.data_dir)
            sinks |= columns(server.data_dir / "strongroom.db")
    assert found_in(sinks, CANARIES) == []
    # that everything was sent, in every way, and that failures were logged
    assert {"ok", "node_unavailable"} <= codes, codes
    assert all(liar.requests for liar in liars.values()), liars
    assert b"ethereum/evm" in sinks["/health"]
    assert b'source="evm"' in sinks[f"{server.url}/metrics"]
    assert b"trace_id=" in sinks["openmetrics"]
    assert {span.attributes.get("strongroom.source") for span in receiver.spans if span.name == "node"} >= {"evm"}
    log = server.log.read_bytes()
    assert [cause for cause in CAUSES if cause not in log] == []


KEYED = f"{PATH_KEY}?key={QUERY_KEY}"
BAD = {
    "url": [
        f"ftp://{USER}:{PASSWORD}@host/{KEYED}", f"http://{USER}:{PASSWORD}@host:port/{KEYED}", f"http://[{KEYED}",
        f"{USER}:{PASSWORD}@host/{KEYED}", f"http://{USER}:{PASSWORD}@:0/{KEYED}", f"http:///{KEYED}",
    ],
    "network": [f"{USER}:{PASSWORD}@host/{KEYED}"[:64], PATH_KEY], "name": [KEYED], "kind": [KEYED],
    "url_file": [KEYED], "headers_file": [KEYED], "solid_url": [f"ftp://{KEYED}"], "rate": [KEYED], "burst": [KEYED],
    "finality": [KEYED], "genesis": [KEYED], "fingerprint": [KEYED], "priority": [KEYED],
}  # fmt: skip


def test_settings_of_sources_that_are_refused_are_not_repeated(tmp_path: Path) -> None:
    """Where they are read, where they are checked, and where the source is opened."""
    odd = tmp_path / "odd"
    odd.write_text(f"{HEADER}\nX-Key {HEADER}\n")
    usual = {"name": "mine", "kind": "tron", "network": "tron", "url": f"http://{USER}:{PASSWORD}@host/{KEYED}"}
    variants = [{**usual, name: value} for name, values in BAD.items() for value in values]
    variants += [{**usual, "headers_file": str(odd)}, {**usual, "url_file": str(odd)}, {**usual, "network": "ethereum"}]
    variants += [{**usual, "kind": "electrum", "network": "bitcoin"}]
    for each in variants:
        if "url_file" in each:
            del each["url"]
    said = {}
    for number, given in enumerate(variants):
        config = tmp_path / f"{number}.toml"
        config.write_text("[[sources]]\n" + "".join(f'"{name}" = "{value}"\n' for name, value in given.items()))
        said[f"{number} {given}"] = refusal(config, tmp_path / "data")
    broken = tmp_path / "broken.toml"
    broken.write_text(f'[[sources]]\nurl = "{usual["url"]}')
    said["no TOML"] = refusal(broken, tmp_path / "data")
    assert [name for name, text in said.items() if not text] == []
    assert found_in(said, CANARIES) == []


def refusal(config: Path, data: Path) -> str:
    """Empty if the settings are accepted."""
    try:
        settings = load({"STRONGROOM_CONFIG": str(config), "STRONGROOM_DATA_DIR": str(data)}, dotenv=None)
        networks = bootstrap.networks(settings)
        for given in check_sources(settings, networks).values():
            for network, each in given:
                open_source(each, Setup(network, coin_of(network), {}, ""))
    except ConfigurationError as error:
        return f"{error!r} {error.message} {error.__cause__!r} {error.__context__!r}"
    return ""
