"""Verification of stored data, and an operator's decisions about it. Uses the settings of the service itself."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from strongroom import bootstrap
from strongroom.bootstrap import Administration
from strongroom.domain.record import RESTORED_MARK, Floor
from strongroom.entrypoints.cli import failure, output, progress
from strongroom.entrypoints.cli.local import administer, held_against_heads, lines_of_heads
from strongroom.errors import StrongroomError
from strongroom.journal import facts, phase
from strongroom.journal.heads import read_heads
from strongroom.journal.local import local_entry
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.restored import EVERY_ADDRESS, accepted_losses, lost, marks, not_accepted
from strongroom.operations.verification import SLICE, verify_slice
from strongroom.storage.base import Unit

_SHOWN: Final = 1_000
_NUMBERED: Final = frozenset({"evm", "ton"})
"""Chains whose addresses count their transactions."""


def verify(heads: Path | None, rate: int, *, as_json: bool) -> None:
    """Check all rows and the audit, and print the findings. Exits with 1 if there are any."""

    async def work(administration: Administration) -> dict[str, Any]:
        report, kept = await held_against_heads(administration, heads, lines)
        findings: list[dict[str, Any]] = [
            {"kind": each.kind, "table": "audit", "key": f"{each.writer_id or ''}/{each.sequence or 0}"}
            for each in report.findings
        ]
        rows = await _walk(administration, rate, findings)
        return {
            "ok": not findings,
            "rows": rows,
            "heads": len(kept),
            "unanchored": report.unanchored,
            "accepted": report.accepted,
            "found": len(findings),
            "findings": findings[:_SHOWN],
        }

    lines = lines_of_heads(heads)  # before this process adds its own
    report = administer(work)
    output.show(json.dumps(report), as_json=as_json)
    if not report["ok"]:
        failure.fail("stored data failed its verification: see the findings above", failure.REFUSED)


async def _walk(administration: Administration, rate: int, findings: list[dict[str, Any]]) -> int:
    """Check at most ``rate`` rows per second, so that a running server is not slowed down."""
    reconciler = Reconciler(administration.storage, administration.authenticity.audit_key)
    cursor: str | None = None
    checked, began = 0, time.monotonic()
    with progress.bar("rows checked", lines=False) as show:
        while True:
            step = await verify_slice(reconciler, cursor, min(SLICE, rate))
            checked += step.checked
            show(checked, None)
            findings += [asdict(finding) for finding in step.findings]
            cursor = step.cursor
            if cursor is None:
                return checked
            await asyncio.sleep(max(0.0, checked / rate - (time.monotonic() - began)))


def authenticate(*, as_json: bool) -> None:
    """Put the rows of an old database under their MACs."""

    def said(table: str, rows: int) -> None:
        print(f"{table}: {rows}", file=sys.stderr, flush=True)

    async def work(administration: Administration) -> dict[str, Any]:
        storage, key = administration.storage, administration.authenticity.audit_key
        if await phase.is_authenticated(storage, key):
            return {"authenticated": False, "rows": 0}
        if administration.authenticity.strict:
            failure.fail(
                "the audit failed its verification, so its rows are not trusted: see `strongroom audit verify`",
                failure.REFUSED,
            )
        return {"authenticated": True, "rows": await phase.authenticate(storage, administration.committer, said)}

    output.show(json.dumps(administer(work)), as_json=as_json)


def accept_restore(
    reason: str,
    starts: Sequence[str],
    floors: Path | None,
    reconciled: Sequence[str],
    heads: Path | None,
    *,
    as_json: bool,
) -> None:
    """Record that a restored database is accepted, with the least nonces that may be signed."""

    async def work(administration: Administration) -> dict[str, Any]:
        storage, key = administration.storage, administration.authenticity.audit_key
        missing = await lost(storage, read_heads(lines))
        missing = not_accepted(missing, accepted_losses(await marks(storage, key, RESTORED_MARK)))
        if not missing:
            failure.fail("the database contains every known audit head: there is nothing to accept", failure.REFUSED)
        now = datetime.now(UTC)
        rows = _floors(administration, given, set(reconciled), now)
        unit = Unit(rows=rows)
        details = {
            "reason": reason,
            "lost": {str(id_): head.sequence for id_, head in missing.items()},
            "reconciled": sorted(set(reconciled)),
            "wrote": facts.of(unit),
        }
        await administration.committer.commit(unit, [local_entry(RESTORED_MARK, details)])
        return {"accepted": True, "writers": len(missing), "floors": len(rows)}

    lines = lines_of_heads(heads)
    given = [*starts, *_listed(floors)]
    output.show(json.dumps(administer(work)), as_json=as_json)


def _listed(floors: Path | None) -> list[str]:
    if floors is None:
        return []
    try:
        return [line.strip() for line in floors.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        failure.fail(f"{floors} cannot be read", failure.USAGE)


def _floors(administration: Administration, given: Sequence[str], reconciled: set[str], now: datetime) -> list[Floor]:
    """Every chain must be covered, because what was lost may be the first signature on it."""
    networks = bootstrap.networks(administration.settings)
    if unknown := reconciled - networks.chains.keys():
        failure.fail(
            f"--reconciled must be one of {', '.join(sorted(networks.chains))}: {len(unknown)} of its values are not",
            failure.USAGE,
        )
    rows: list[Floor] = []
    named: dict[str, set[str]] = {}
    for text in given:
        place, _, sequence = text.rpartition("=")
        name, _, address = place.partition(":")
        if not (name and address and sequence.isascii() and sequence.isdigit() and len(sequence) <= 20):
            failure.fail("--from must be NETWORK:ADDRESS=N, such as ethereum:0x3535…=17", failure.USAGE)
        try:
            network, chain = networks.resolve(name)
            canonical = chain.parse_address(network, address).canonical
        except StrongroomError as error:
            failure.fail(f"--from: {error.message}", failure.USAGE)
        if network.chain not in _NUMBERED:
            failure.fail(f"--from: {network.chain} has no nonces: use --reconciled {network.chain}", failure.USAGE)
        named.setdefault(network.chain, set()).add(network.keyspace)
        rows.append(Floor(network.keyspace, network.caip2, canonical.hex(), now, str(int(sequence))))
    if silent := sorted(networks.chains.keys() - named.keys() - reconciled):
        failure.fail(f"give --from or --reconciled for each chain; missing: {', '.join(silent)}", failure.USAGE)
    rest = {keyspace for chain, keyspaces in named.items() if chain not in reconciled for keyspace in keyspaces}
    rows += [Floor(keyspace, EVERY_ADDRESS, EVERY_ADDRESS, now, "0") for keyspace in sorted(rest)]
    return rows
