"""Load on a running service over REST or gRPC, and its cost. Linux only."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from btclib_secp256k1 import recovery

from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as messages
from tests.support.grpc_calls import unary
from tests.support.server import Server

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = ("sign", "keyed", "address", "create")
"""A keyed one is a signature with an idempotency key, as the clients send it."""
UNLIMITED = ("RATES__SIGN", "RATES__ADDRESS", "RATES__CREATE")
"""Settings that would limit the load."""
RPCS = {
    "sign": "SignTransaction",
    "keyed": "SignTransaction",
    "address": "GetAddress",
    "create": "CreateWallet",
    "balance": "GetWalletBalances",
    "fresh": "GetWalletBalances",
}
_NONCE = itertools.count()

Send = Callable[[], Awaitable[None]]
"""Sends one request, and waits for its response, which must be a success."""


def bare_signatures(seconds: float = 1.0) -> float:
    """Signatures per second of libsecp256k1 on one core."""
    made, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        recovery.sign(made.to_bytes(32, "big"), b"\x11" * 32, verify=False)
        made += 1
    return made / seconds


def transaction() -> dict[str, str]:
    return {
        "chainId": "0x1",
        "nonce": hex(next(_NONCE)),
        "gas": "0x5208",
        "maxFeePerGas": "0x77359400",
        "maxPriorityFeePerGas": "0x3b9aca00",
        "to": "0x3535353535353535353535353535353535353535",
        "value": "0x1",
    }


def http_request(kind: str, wallet: str, key: str) -> bytes:
    method, path, body = "POST", "/api/v1/wallets", b"{}"
    if kind == "address":
        method, path, body = "GET", f"/api/v1/wallets/{wallet}/address/ethereum?index={next(_NONCE) % 100}", b""
    elif kind in ("balance", "fresh"):
        query = "?fresh=true" if kind == "fresh" else ""
        method, path, body = "GET", f"/api/v1/wallets/{wallet}/balances/ethereum{query}", b""
    elif kind.startswith("batch"):
        path = "/api/v1/transactions/sign-batch"
        size = int(kind.removeprefix("batch "))
        items = [{"wallet_id": wallet, "network": "ethereum", "unsigned_tx": transaction()} for _ in range(size)]
        body = json.dumps({"items": items}).encode()
    elif kind in ("sign", "keyed"):
        path = f"/api/v1/wallets/{wallet}/sign"
        body = json.dumps({"network": "ethereum", "unsigned_tx": transaction()}).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
    if kind == "keyed":
        head += f"Idempotency-Key: {secrets.token_hex(16)}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def over_rest(stack: AsyncExitStack, server: Server, kind: str, wallets: Iterator[str]) -> Send:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    stack.callback(writer.close)

    async def send() -> None:
        writer.write(http_request(kind, next(wallets), server.api_key))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert head.startswith((b"http/1.1 200", b"http/1.1 201")), body
        assert b'"status":"error"' not in body, body

    return send


async def over_grpc(stack: AsyncExitStack, server: Server, kind: str, wallets: Iterator[str]) -> Send:
    options = [("grpc.use_local_subchannel_pool", 1)]  # otherwise all channels of a process share a connection
    channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.target, options))
    call = unary(channel, f"/strongroom.v1.WalletService/{RPCS[kind]}")
    request: dict[str, Callable[[], Any]] = {
        "create": messages.CreateWalletRequest,
        "address": lambda: messages.GetAddressRequest(
            wallet_id=next(wallets), network="ethereum", index=next(_NONCE) % 100
        ),
        "balance": lambda: messages.GetWalletBalancesRequest(wallet_id=next(wallets), network="ethereum"),
        "fresh": lambda: messages.GetWalletBalancesRequest(wallet_id=next(wallets), network="ethereum", fresh=True),
        "sign": lambda: messages.SignTransactionRequest(
            wallet_id=next(wallets), network="ethereum", unsigned_tx={"json": json.dumps(transaction())}
        ),
    }
    request["keyed"] = request["sign"]
    metadata = [("x-api-key", server.api_key)]

    async def send() -> None:
        own = [("idempotency-key", secrets.token_hex(16))] if kind == "keyed" else []
        await call(request[kind]().SerializeToString(), metadata=[*metadata, *own])

    return send


FACES = {"rest": over_rest, "grpc": over_grpc}


@dataclass(frozen=True)
class Measured:
    rate: float
    """Responses per second."""
    p50: float
    p99: float
    """Milliseconds."""
    cpu: float
    """Microseconds of the workers' processor time per response."""
    memory: float
    """MiB of the biggest worker."""
    answers: int


async def measure(
    server: Server, face: str, kind: str, wallets: Sequence[str], connections: int, seconds: float
) -> Measured:
    """Each connection sends one request after another, for each wallet in turn. Over REST, ``kind`` may also be a batch
    of so many signatures: "batch 100".
    """
    took: list[float] = []

    async def keep_sending(send: Send) -> None:
        while (began := time.perf_counter()) < until:
            await send()
            took.append(time.perf_counter() - began)

    async with AsyncExitStack() as stack:
        turns = itertools.cycle(wallets)
        senders = [await FACES[face](stack, server, kind, turns) for _ in range(connections)]
        cpu, began = cpu_seconds(server), time.perf_counter()
        until = began + seconds
        await asyncio.gather(*map(keep_sending, senders))
        rate = len(took) / (time.perf_counter() - began)
        cpu = (cpu_seconds(server) - cpu) / len(took)
    took.sort()
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    return Measured(rate, p50, p99, cpu * 1e6, memory(server), len(took))


def cpu_seconds(server: Server) -> float:
    """Of all workers together."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in server.workers()]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS


def memory(server: Server, of: str = "Rss") -> float:
    """MiB of the biggest worker. ``of``: Rss, or Pss, which counts a page that n processes share as 1/n of it."""
    sizes = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in server.workers()]
    return max(int(text.split(f"\n{of}:")[1].split()[0]) for text in sizes) / 1024
