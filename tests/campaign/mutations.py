"""Random cells and rows of a live database are edited, deleted, and restored to an earlier state.

After each mutation the service is called again, and `strongroom verify` checks everything. Run it as

    python -m tests.campaign.mutations [COUNT]
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog

from strongroom import bootstrap
from strongroom.domain.alert import (
    Alert,
    AlertState,
    Message,
    Notification,
    NotificationState,
    Severity,
    Sighting,
    alert_id,
)
from strongroom.domain.record import AuditEntry, AuditOutcome, Floor
from strongroom.journal import facts
from strongroom.journal.audit import Head
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.verify import verify
from strongroom.storage.base import Unit
from strongroom.storage.tables import metadata
from strongroom.telemetry.metrics import ALARMS_TOTAL
from tests.parity.story import transfer
from tests.support import postgres
from tests.support.fake_reader import FakeReader
from tests.support.service import TENANT, Outcome, RunningService, key_id, running, settings_for

BACKGROUND = {"tasks", "progress"}
"""They say when background work runs next, and how far it got. Nothing is signed or served from them."""
TABLES = tuple(table.name for table in metadata.sorted_tables if table.name not in BACKGROUND)
KEYS = {table.name: tuple(column.name for column in table.primary_key) for table in metadata.sorted_tables}
QUIET = {"RATES__SIGN": "off", "RATES__READ": "off", "RATES__CREATE": "off"}
HOW = ("edit", "delete", "put back")
EDITED_ONLY = {"sightings", "alerts", "silences", "notifications", "discoveries"}
"""If one of these rows is deleted or put back, that is not reported. An alert is sent once more or later, or some
addresses are checked once more (SECURITY.md)."""
OF_ANY_TYPE: tuple[Any, ...] = ("x", 1, b"x", UUID(int=1), datetime(2030, 1, 1, tzinfo=UTC))
"""Replacements for NULL. The database refuses those that a column cannot hold."""
SUBJECT = "campaign"
SENT = UUID(int=7)
"""The id of the alert and of the notification that exist before any mutation."""
LOCAL = ["127.0.0.0/8", "::1/128"]
Row = dict[str, Any]


@dataclass
class Report:
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By table and kind of mutation."""
    reported: int = 0
    alarmed: int = 0
    refused: int = 0
    signed: int = 0
    """Nonces that were signed again because their guard was gone, which `verify` had reported before."""
    faults: list[str] = field(default_factory=list)
    """Mutations that nothing reported, and wrong data that was signed or served."""

    @property
    def passed(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        tables = {table: [self.done[table, how] for how in HOW] for table in TABLES}
        lines = [f"  {table:16} edited {e:4}  deleted {d:4}  put back {p:4}" for table, (e, d, p) in tables.items()]
        return "\n".join(
            [
                (
                    f"{sum(self.done.values())} mutations: {self.reported} reported by verify, {self.alarmed} alarmed, "
                    f"{self.refused} refused, {self.signed} signed after verify told that their guard was gone; "
                    f"{len(self.faults)} faults"
                ),
                *lines,
                *self.faults[:20],
            ]
        )


class Raw(Protocol):
    """The database as its owner sees it, without the protections against others."""

    async def rows(self, table: str) -> list[Row]: ...
    async def history(self, table: str) -> list[Row]: ...
    async def put(self, table: str, row: Row) -> None: ...
    async def take(self, table: str, row: Row) -> None: ...


class SqliteRaw:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._database.row_factory = sqlite3.Row
        for name, *_ in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self._database.execute(f"DROP TRIGGER {name}")
        for table in TABLES:
            self._database.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table} WHERE 0")
            names = [each[1] for each in self._database.execute(f"PRAGMA table_info({table})")]
            old = ", ".join(f'OLD."{name}"' for name in names)
            self._database.execute(
                f"CREATE TRIGGER keep_{table} AFTER UPDATE ON {table} BEGIN INSERT INTO old_{table} VALUES ({old}); END"
            )

    async def rows(self, table: str) -> list[Row]:
        return [dict(row) for row in self._database.execute(f"SELECT * FROM {table}")]

    async def history(self, table: str) -> list[Row]:
        return await self.rows(f"old_{table}")

    async def put(self, table: str, row: Row) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        self._database.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", [*row.values()])

    async def take(self, table: str, row: Row) -> None:
        where = " AND ".join(f'"{name}" IS ?' for name in KEYS[table])
        assert self._database.execute(f"DELETE FROM {table} WHERE {where}", _key(table, row)).rowcount == 1


class PostgresRaw:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> PostgresRaw:
        connection = await asyncpg.connect(url)
        for table in TABLES:
            await connection.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table} WHERE false")
            await connection.execute(
                f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ "
                f"BEGIN INSERT INTO old_{table} SELECT OLD.*; RETURN NULL; END $$"
            )
            await connection.execute(
                f"CREATE TRIGGER keep_{table} AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
            )
        await connection.execute("SET session_replication_role = replica")
        return cls(connection)

    async def rows(self, table: str) -> list[Row]:
        return [dict(row) for row in await self._connection.fetch(f"SELECT * FROM {table}")]

    async def history(self, table: str) -> list[Row]:
        return await self.rows(f"old_{table}")

    async def put(self, table: str, row: Row) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())

    async def take(self, table: str, row: Row) -> None:
        where = " AND ".join(f'"{name}" = ${n}' for n, name in enumerate(KEYS[table], 1))
        assert await self._connection.execute(f"DELETE FROM {table} WHERE {where}", *_key(table, row)) == "DELETE 1"

    async def close(self) -> None:
        await self._connection.close()


def _key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS[table])


def _other(value: Any, choice: random.Random) -> Any:
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1 << choice.randrange(64))
    if isinstance(value, bytes):
        if not value:
            return b"\0"
        place = choice.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << choice.randrange(8)]) + value[place + 1 :]
    if isinstance(value, str):
        return choice.choice([value + "x", value[1:] + "0", choice.choice(["active", "done", "failed", "null"])])
    if isinstance(value, datetime):
        return value + timedelta(seconds=choice.choice([-1, 1, 86_400]))
    if isinstance(value, int):
        return value + choice.choice([-1, 1, 1_000])
    return choice.choice(OF_ANY_TYPE)


class Campaign:
    """One service and its database, until it is ``spoiled``: something was signed that the database had forgotten."""

    def __init__(self, service: RunningService, raw: Raw, choice: random.Random, report: Report) -> None:
        self.spoiled = False
        self._service = service
        self._raw = raw
        self._choice = choice
        self._wallets: dict[str, str] = {}
        self._till = ""
        self._revoked = ""
        self._sent = ""
        self._empty: list[str] = []
        self._heads: list[Head] = []
        self._baseline: dict[str, Outcome] = {}
        self._report = report

    async def call(self, operation: str, key: str = "", **command: Any) -> Outcome:
        return await self._service.http.call(operation, command, key=key or self._service.key)

    async def use(self) -> None:
        """Use some of everything, and change rows afterwards."""
        for name in ("spender", "archived", "renamed"):
            made = await self.call("wallets.create", networks=["ethereum", "bitcoin"], external_id=name)
            self._wallets[name] = made.result["id"]
        await self.call("wallets.archive", wallet_id=self._wallets["archived"])
        await self.call("wallets.update", wallet_id=self._wallets["renamed"], label="new")
        wallet = self._wallets["spender"]
        for network in ("ethereum", "bitcoin", "ethereum"):
            assert (await self.call("addresses.next", wallet_id=wallet, network=network)).code == "ok"
        for nonce in (0, 1):
            assert (await self._sign(nonce)).code == "ok"
        assert (await self._sign(1, "0x9", allow_resign=True)).code == "ok"
        self._service.readers["eip155:1"] = FakeReader()
        command: dict[str, Any] = {"wallet_id": wallet, "network": "ethereum", "broadcast": True}
        command["unsigned_tx"] = transfer(nonce="0x2")
        self._sent = (await self.call("transactions.sign", **command)).result["tx_id"]
        for name in ("till", "revoked"):
            made = await self.call("api_keys.create", name=name, scopes=["wallets:read"])
            setattr(self, f"_{name}", made.result["api_key"])
        await self.call("api_keys.revoke", key_id=str(key_id(self._revoked)))
        floor = Floor("evm", "eip155:1", "ab" * 20, datetime.now(UTC), "3")
        unit = Unit(rows=[floor])
        entry = AuditEntry(
            datetime.now(UTC), TENANT, UUID(int=0), "state.restored", UUID(int=1), AuditOutcome.SUCCEEDED, None, None,
            "campaign", "local", '{"wrote":' + json.dumps(facts.of(unit)) + "}",
        )  # fmt: skip
        await self._service.admin.committer.commit(unit, [entry])
        await self._use_restrictions()
        await self._use_alerts()
        self._heads = await self._every_head()
        self._baseline = await self._probe()

    async def _done(self, operation: str, **command: Any) -> dict[str, Any]:
        found = await self.call(operation, **command)
        assert found.code == "ok", (operation, found)
        return dict(found.result)

    async def _use_restrictions(self) -> None:
        """Restrictions of callers, addresses with names, and a discovery."""
        renamed = self._wallets["renamed"]
        for rate in ("5/minute", "7/minute"):
            await self._done("wallets.limit", wallet_id=renamed, rates={"sign": rate})
            await self._done("client_networks.set", networks=LOCAL if rate == "7/minute" else [*LOCAL, "10.0.0.0/8"])
        named = {"label": "of a customer", "external_id": "customer-1"}
        await self._done("addresses.next", wallet_id=renamed, network="ethereum", **named)
        await self._done("addresses.discover", wallet_id=renamed, network="ethereum", gap=1)
        restricted = {"networks": ["ethereum"], "wallets": [renamed], "rates": {"read": "100/second"}}
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        await self._done(
            "api_keys.create", name="bounded", scopes=["wallets:read"], restriction=restricted, expires_at=later
        )
        for number in (1, 2):
            revoked = await self._done("revocations.create", principal_id=str(UUID(int=number)), reason="left")
        await self._done("revocations.lift", revocation_id=revoked["id"])

    async def _use_alerts(self) -> None:
        await self._done("alerts.silence", rule="fee_cap", subject=SUBJECT, seconds=3600)
        now, told = datetime.now(UTC), '{"reason":"x"}'
        sighting = Sighting(alert_id("fee_cap", SUBJECT, TENANT), "fee_cap", SUBJECT, TENANT, now, None, told)
        what = ("fee_cap", SUBJECT, TENANT, Severity.WARNING)
        alert = Alert(sighting.id, *what, AlertState.FIRING, now, now, None, now, now, told)
        sent = Notification(
            SENT, sighting.id, TENANT, "webhook", Message.FIRING, "fee_cap", SUBJECT, Severity.WARNING, now,
            told, NotificationState.SENT, None, now, now,
        )  # fmt: skip
        await self._service.admin.committer.commit(Unit(rows=[sighting, alert, sent]))
        self._empty = [table for table in TABLES if not await self._raw.rows(table)]

    async def _sign(self, nonce: int, value: str = "0x1", **options: Any) -> Outcome:
        wallet = self._wallets["spender"]
        transaction = transfer(nonce=hex(nonce), value=value)
        return await self.call(
            "transactions.sign", wallet_id=wallet, network="ethereum", unsigned_tx=transaction, options=options
        )

    async def _every_head(self) -> list[Head]:
        storage, found = self._service.admin.storage, []
        for writer in await storage.audit_writers():
            records = await storage.audit_chain(writer.id, 0, 10_000)
            last = records[-1] if records else None
            at = datetime.now(UTC)
            found.append(Head(at, writer.id, last.sequence, last.mac) if last else Head(at, writer.id, 0, writer.mac))
        return found

    async def _probe(self) -> dict[str, Outcome]:
        """What a caller is served. Only reads, so that every round is the same."""
        found = {
            "wallets": await self.call("wallets.list"),
            "api_keys": await self.call("api_keys.list"),
            # An attempt with a revoked key is audited, so each round has one more denial.
            "audit": _of_callers(await self.call("audit.list", limit=200, outcome="succeeded")),
            "by external id": await self.call("wallets.list", external_id="spender"),
            "till": await self.call("wallets.list", key=self._till),
            "sent": await self.call("transactions.state", network="ethereum", tx_id=self._sent),
            "revoked": await self.call("wallets.list", key=self._revoked),
            "revocations": await self.call("revocations.list"),
            "client networks": await self.call("client_networks.get"),
            "alerts": _of_ours(await self.call("alerts.list", limit=200)),
            "notifications": _of_ours(await self.call("alerts.notifications", limit=200)),
        }
        for name, wallet in self._wallets.items():
            found[f"{name}"] = await self.call("wallets.get", wallet_id=wallet)
            found[f"{name} addresses"] = await self.call("addresses.list", wallet_id=wallet)
        return found

    async def _verify(self) -> set[str]:
        storage, key = self._service.admin.storage, self._service.admin.authenticity.audit_key
        found = {finding.kind for finding in (await verify(storage, key, self._heads)).findings}
        reconciler, cursor = Reconciler(storage, key), None
        while True:
            step = await reconciler.slice(cursor, 500)
            found |= {finding.kind for finding in step.findings}
            cursor = step.cursor
            if cursor is None:
                return found

    async def mutate(self) -> None:
        table = self._choice.choice(TABLES)
        how = "edit" if table in EDITED_ONLY else self._choice.choice(HOW)
        rows = await self._raw.rows(table)
        if how == "put back":
            there = {_key(table, row): row for row in rows}
            older = [row for row in await self._raw.history(table) if there.get(_key(table, row), row) != row]
            if not older:
                how = "edit"
            else:
                new = self._choice.choice(older)
                await self._change(table, how, there[_key(table, new)], new)
                return
        if not rows:
            return
        row = self._choice.choice(rows)
        if how == "delete":
            await self._change(table, how, row, None)
            return
        column = self._choice.choice(list(row))
        changed = _other(row[column], self._choice)
        if changed == row[column]:
            return
        await self._change(table, f"edit {column}", row, {**row, column: changed})

    async def _change(self, table: str, how: str, row: Row, new: Row | None) -> None:
        await self._raw.take(table, row)
        if new is not None:
            try:
                await self._raw.put(table, new)
            except (sqlite3.Error, asyncpg.PostgresError, asyncpg.DataError):
                await self._raw.put(table, row)  # the database itself refuses such a value
                return
        try:
            await self._judge(table, how)
        finally:
            if not self.spoiled:
                if new is not None:
                    await self._raw.take(table, new)
                await self._raw.put(table, row)

    async def _judge(self, table: str, how: str) -> None:
        self._report.done[table, how.partition(" ")[0] if how != "put back" else how] += 1
        before = _alarms()
        callers = self._service.pipeline._services.callers
        for remembered in (
            callers.keys._rows, callers.keys._recent, callers.keys._good, callers.keys._unknown,
            callers._revocations._known, callers._tenants._known,
        ):  # fmt: skip
            remembered.clear()
        self._service.pipeline._services.wallets.__init__()
        served = await self._probe()
        kinds = await self._verify()
        signed = await self._sign(0, "0x7")
        wrong = [
            name
            for name, outcome in served.items()
            if outcome.code == "ok" and not _same(outcome, self._baseline[name])
        ]
        refused = any(o.code != self._baseline[n].code for n, o in served.items())
        alarmed = _alarms() > before
        self._report.reported += bool(kinds)
        self._report.alarmed += alarmed
        self._report.refused += refused
        if not (kinds or alarmed or refused):
            self._report.faults.append(f"{table}, {how}: nobody noticed")
        if wrong and not kinds:
            self._report.faults.append(f"{table}, {how}: served wrongly, and not reported: {wrong}")
        is_gone = how.removeprefix("edit ") in KEYS[table]  # it cannot be found under another key
        if wrong and how.startswith("edit") and not is_gone:
            self._report.faults.append(f"{table}, {how}: served an edited row: {wrong}")
        if signed.code == "ok":
            self.spoiled = True
            self._report.signed += 1
            if not kinds or not await self._verify():
                self._report.faults.append(f"{table}, {how}: signed, and not reported")

    async def run(self, count: int) -> None:
        await self.use()
        if self._empty:
            self._report.faults.append(f"nothing was written to {self._empty}")
        if kinds := await self._verify():
            self._report.faults.append(f"before anything was touched: {sorted(kinds)}")
        while sum(self._report.done.values()) < count and not self.spoiled:
            await self.mutate()


def _of_ours(page: Outcome) -> Outcome:
    """Without the service's own reports about the mutations, and without changes of alerts over time."""
    if page.code != "ok":
        return page
    [name] = {"alerts", "notifications"} & page.result.keys()
    entries = [each for each in page.result[name] if each["subject"] == SUBJECT]
    if name == "alerts":
        return replace(page, result={name: [{key: each[key] for key in ("rule", "severity")} for each in entries]})
    return replace(page, result={name: [each for each in entries if each["id"] == str(SENT)]})


def _of_callers(page: Outcome) -> Outcome:
    """Without records of background work, which ends at any time. One more of them is no edited row."""
    if page.code != "ok":
        return page
    records = [each for each in page.result["records"] if each["request_id"] != "background"]
    return replace(page, result={**page.result, "records": records})


def _same(now: Outcome, then: Outcome) -> bool:
    """Whether nothing else is served than before. `verify` reports rows that are gone, or belong to another tenant."""
    before, after = then.result, now.result
    if isinstance(after, dict) and isinstance(before, dict):
        lists = {name for name, value in before.items() if isinstance(value, list)}
        more = any(entry not in before[name] for name in lists for entry in after.get(name, ()))
        return not more and all(after.get(name) == before.get(name) for name in before.keys() - lists)
    return bool(after == before)


def _alarms() -> float:
    return sum(
        sample.value for metric in ALARMS_TOTAL.collect() for sample in metric.samples if "_total" in sample.name
    )


async def on_sqlite(folder: Path, count: int, seed: int) -> Report:
    report, choice = Report(), random.Random(seed)
    for attempt in itertools.count():
        place = folder / str(attempt)
        place.mkdir(parents=True)
        await asyncio.to_thread(_prepare, place)
        async with running(place, QUIET) as service:
            await Campaign(service, SqliteRaw(place / "strongroom.db"), choice, report).run(count)
        if sum(report.done.values()) >= count:
            break
    return report


async def on_postgres(folder: Path, server: postgres.Postgres, count: int, seed: int) -> Report:
    report, choice = Report(), random.Random(seed)
    for attempt in itertools.count():
        place = folder / str(attempt)
        place.mkdir(parents=True)
        name = await asyncio.to_thread(server.create_database, migrated=True)
        async with AsyncExitStack() as stack:
            raw = await PostgresRaw.open(server.url(name))
            stack.push_async_callback(raw.close)
            settings = {"DATABASE__URL": server.url(name, postgres.SERVICE), **QUIET}
            service = await stack.enter_async_context(running(place, settings))
            await Campaign(service, raw, choice, report).run(count)
        if sum(report.done.values()) >= count:
            break
    return report


def _prepare(folder: Path) -> None:
    asyncio.run(bootstrap.prepare(settings_for(folder, {})))


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    passed = True
    with tempfile.TemporaryDirectory(prefix="strongroom-mutations-") as folder, contextlib.ExitStack() as stack:
        server = stack.enter_context(postgres.running())
        for name, work in (
            ("SQLite", on_sqlite(Path(folder) / "sqlite", count, 1)),
            ("PostgreSQL", on_postgres(Path(folder) / "postgresql", server, count, 2)),
        ):
            report = asyncio.run(work)
            print(f"{name}: {report}")
            passed = passed and report.passed
    sys.exit(not passed)


if __name__ == "__main__":
    main()
