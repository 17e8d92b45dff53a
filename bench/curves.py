"""Signing on PostgreSQL and OpenBao by connections, by size of batches, and by what is stored.

    python bench/curves.py --workers 2

Prints the tables and draws them into docs/performance.svg. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import scale
from strongroom.bootstrap import DEVELOPMENT_TENANT, administration
from strongroom.config.settings import load
from strongroom.domain.ids import new_id
from strongroom.domain.wallet import Account, Address, SealedSecret, Wallet
from strongroom.storage.base import AddressFilter, Unit
from tests.support.load import UNLIMITED, Measured, bare_signatures, measure
from tests.support.server import Server
from tests.support.stack import production

CONNECTIONS: Final = (1, 4, 16, 64, 256)
WALLETS: Final = (100, 1_000, 10_000, 100_000)
OPERATIONS: Final = (1_000, 10_000, 100_000, 1_000_000)
BATCHES: Final = (1, 10, 100, 1_000)
PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.svg"
_USED: Final = 100
"""Wallets that sign. They are new before each step, so that nothing of them is in memory."""
_BATCH: Final = 100
_BATCHES_AT_ONCE: Final = 4


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    bare = bare_signatures()
    print(f"bare libsecp256k1 {bare:.0f} signatures/s on one core; {given.workers} workers")
    off = dict.fromkeys(UNLIMITED, "off")
    with production() as parts, tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), {**off, **parts, "WORKERS__COUNT": str(given.workers)})
        server.command("migrate").check_returncode()
        with server:
            by_connections = {n: sign(server, n, given.seconds, bare, f"{n} connections") for n in CONNECTIONS}
            by_wallets, stored = {}, 0
            for count in WALLETS:
                asyncio.run(fill(server, count - stored))
                stored = count
                by_wallets[count] = sign(server, 64, given.seconds, bare, f"{count} wallets")
            by_size = {n: batches(server, n, given.seconds) for n in BATCHES}
            by_operations, stored = {}, 0
            for count in OPERATIONS:
                asyncio.run(scale.fill(server, parts["DATABASE__MIGRATE_URL"], count - stored, new_id()))
                stored = count
                sign(server, 64, given.seconds, bare, "not counted")  # it pays for the unfinished work of the copy
                by_operations[count] = sign(server, 64, given.seconds, bare, f"{count} operations")
    PICTURE.write_text(picture(by_connections, by_wallets, by_size, by_operations), encoding="utf-8")


def sign(server: Server, connections: int, seconds: float, bare: float, title: str) -> Measured:
    with server.client() as client:
        wallets = [client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"] for _ in range(_USED)]
    found = asyncio.run(measure(server, "rest", "sign", wallets, connections, seconds))
    print(
        f"{title:>16}  {found.rate:6.0f}/s  1/{bare / found.rate:.0f} of bare  p50 {found.p50:6.1f} ms  "
        f"p99 {found.p99:6.1f} ms  {found.cpu:5.0f} us CPU  {found.memory:4.0f} MiB",
        flush=True,
    )
    return found


def batches(server: Server, size: int, seconds: float) -> float:
    """Signatures per second in batches."""
    with server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    found = asyncio.run(measure(server, "rest", f"batch {size}", [wallet], _BATCHES_AT_ONCE, seconds))
    print(f"{f'batches of {size}':>16}  {found.rate * size:6.0f}/s  {found.cpu / size:5.0f} us CPU", flush=True)
    return found.rate * size


async def fill(server: Server, count: int) -> None:
    """Store copies of an unused wallet, since creating that many would take minutes."""
    with server.client() as client:
        made = UUID(client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"])
    environment = {name: text for name, text in server.environment.items() if name.startswith("STRONGROOM_")}
    async with administration(load(environment, dotenv=None)) as parts:
        storage, tenant = parts.storage, DEVELOPMENT_TENANT
        wallet, secret = await storage.wallet(tenant, made), await storage.secret(tenant, made)
        assert wallet is not None
        assert secret is not None
        addresses = await storage.addresses(tenant, made, AddressFilter(), None, 100)
        accounts = []
        for first in addresses:  # a new wallet has one address of each account
            account = await storage.account(tenant, made, first.keyspace, first.scheme, first.account)
            assert account is not None
            accounts.append(account)
        for start in range(0, count, _BATCH):
            units = [_copy(wallet, secret, accounts, addresses) for _ in range(min(_BATCH, count - start))]
            assert not (await storage.apply(units)).conflicts


def _copy(wallet: Wallet, secret: SealedSecret, accounts: Sequence[Account], addresses: Sequence[Address]) -> Unit:
    own = new_id()
    ids = {account.id: new_id() for account in accounts}
    return Unit(
        rows=[
            replace(wallet, id=own),
            replace(secret, wallet_id=own),
            *(replace(account, id=ids[account.id], wallet_id=own) for account in accounts),
            *(replace(address, account_id=ids[address.account_id], wallet_id=own) for address in addresses),
        ]
    )


def picture(
    by_connections: Mapping[int, Measured],
    by_wallets: Mapping[int, Measured],
    by_size: Mapping[int, float],
    by_operations: Mapping[int, Measured],
) -> str:
    """Panels in rows, with logarithmic horizontal axes."""
    panels = (
        ("signatures/s", "connections", {n: found.rate for n, found in by_connections.items()}),
        ("p99, ms", "connections", {n: found.p99 for n, found in by_connections.items()}),
        ("signatures/s, four batches at a time", "items in a batch", by_size),
        ("µs of processor a signature", "wallets stored", {n: found.cpu for n, found in by_wallets.items()}),
        ("µs of processor a signature", "operations stored", {n: found.cpu for n, found in by_operations.items()}),
    )
    drawn = "\n".join(line for n, panel in enumerate(panels) for line in _panel(n, *panel))
    rows = math.ceil(len(panels) / _IN_A_ROW)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH * _IN_A_ROW} {_HEIGHT * rows}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n{drawn}\n</svg>\n'
    )


_IN_A_ROW: Final = 3
_WIDTH, _HEIGHT = 300, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 280, 40, 210


def _panel(place: int, title: str, axis: str, values: Mapping[int, float]) -> Iterator[str]:
    top = max(values.values()) * 1.15
    lowest, span = math.log(min(values)), math.log(max(values)) - math.log(min(values))

    def at(n: int, value: float) -> tuple[float, float]:
        x = _LEFT + (math.log(n) - lowest) / span * (_RIGHT - _LEFT)
        return round(x, 1), round(_BOTTOM - value / top * (_BOTTOM - _TOP), 1)

    points = [at(n, value) for n, value in values.items()]
    row, column = divmod(place, _IN_A_ROW)
    yield f'<g transform="translate({column * _WIDTH} {row * _HEIGHT})">'
    yield f'<text x="{_LEFT}" y="22" font-weight="bold">{title}</text>'
    yield f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="#888"/>'
    yield f'<polyline points="{" ".join(f"{x},{y}" for x, y in points)}" fill="none" stroke="#05a" stroke-width="2"/>'
    for (x, y), (n, value) in zip(points, values.items(), strict=True):
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="#05a"/>'
        yield f'<text x="{x}" y="{y - 8}" text-anchor="middle">{value:.0f}</text>'
        yield f'<text x="{x}" y="{_BOTTOM + 18}" text-anchor="middle">{n}</text>'
    yield f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 38}" text-anchor="middle" fill="#555">{axis}</text>'
    yield "</g>"


if __name__ == "__main__":
    main()
