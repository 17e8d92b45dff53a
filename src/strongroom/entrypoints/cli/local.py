"""What the command line does without a server, with the settings of the service: start, migrate, administer."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from strongroom import bootstrap
from strongroom.access.api_keys import new_key
from strongroom.access.scopes import SCOPES
from strongroom.bootstrap import Administration
from strongroom.config.environment import PREFIX
from strongroom.config.settings import Settings, every_setting, load, load_with_sources, show
from strongroom.domain.ids import new_id
from strongroom.domain.record import RESTORED_MARK, REWRAP, AuditOutcome, AuditWriter
from strongroom.entrypoints.cli import failure, output, progress
from strongroom.entrypoints.locks import only_instance
from strongroom.entrypoints.tls.material import check_tls, read_material
from strongroom.journal import facts
from strongroom.journal.audit import Head
from strongroom.journal.heads import read_heads
from strongroom.journal.local import local_entry
from strongroom.journal.restored import accepted_losses, marks
from strongroom.journal.verify import Report, verify
from strongroom.keys import rewrap as rewraps
from strongroom.operations.fields import clean_text
from strongroom.storage.base import Unit
from strongroom.telemetry import logging

T = TypeVar("T")

_ANCHOR_SECONDS: Final = 2.0
LONGEST_TOKEN: Final = 65_536
"""How many characters of a token are read. It is more than the service accepts, so that the service can refuse it."""


def migrate() -> None:
    """Migrate the database to the newest schema."""
    with failure.errors_in_words():
        _log_to_stderr()
        with progress.bar("migrations", lines=False) as show:
            worked = asyncio.run(bootstrap.migrate_database(load(), show))
    output.show(json.dumps({"migrated": worked}), as_json=False)


def check_config(*, as_json: bool) -> None:
    """Print every setting with its value and source."""
    with failure.errors_in_words():
        loaded = load_with_sources()
        check_tls(loaded.settings)
    rows = []
    for setting in every_setting():
        value: Any = loaded.settings
        for part in setting.path:
            value = getattr(value, part)
        source = loaded.sources.get(setting.path, "default")
        text = ("not set" if value is None else "set") if setting.secret else show(value)
        rows.append({"setting": setting.variable, "value": text, "source": source})
    for chain, limits in loaded.settings.chains.items():
        for name, limit in limits.items():
            path = ("chains", chain, name)
            variable = PREFIX + "__".join(path).upper()
            text = "off" if limit is None else str(limit)
            rows.append({"setting": variable, "value": text, "source": loaded.sources[path]})
    for network, symbol in loaded.settings.symbols.items():
        rows.append({"setting": f"symbols.{network}", "value": symbol, "source": loaded.sources["symbols", network]})
    if networks := loaded.settings.networks:
        names = ",".join(network.name for network in networks)
        rows.append({"setting": "networks", "value": names, "source": loaded.sources[("networks",)]})
    if issuers := loaded.settings.access.jwt:
        names = ",".join(issuer.name for issuer in issuers)
        rows.append({"setting": "access.jwt", "value": names, "source": loaded.sources["access", "jwt"]})
    output.show(json.dumps({"settings": rows}), as_json=as_json)


def check_components(*, as_json: bool) -> None:
    """Try each component, and print a line for each."""
    with failure.errors_in_words():
        _log_nothing()
        found = asyncio.run(bootstrap.connect(load(), lambda tls: read_material(tls).expires_at))
    if as_json:
        output.show(json.dumps({"components": [asdict(each) for each in found]}), as_json=True)
    else:
        for each in found:
            more = f" ({each.message})" if each.ok and each.message else "" if each.ok else f": {each.message}"
            print(failure.printable(f"{each.component}: {'ok' if each.ok else 'FAILED'}{more}"))
    if failed := sum(not each.ok for each in found):
        failure.fail(f"{failed} of {len(found)} components failed", failure.REFUSED)


def create_api_key(tenant_id: UUID, name: str, scopes: list[str], expires_at: datetime | None) -> str:
    """Return the response's JSON."""

    async def work(administration: Administration) -> dict[str, Any]:
        now = datetime.now(UTC)
        made = new_key(tenant_id, name, tuple(scopes), expires_at, administration.authenticity.api_key_mac, now)
        unit = Unit(rows=[made.row])
        details = {"key_id": str(made.row.id), "scopes": scopes, "wrote": facts.of(unit)}
        await administration.committer.commit(unit, [local_entry("api_keys.create", details, tenant_id=tenant_id)])
        return {"id": str(made.row.id), "name": name, "scopes": scopes, "api_key": made.text.reveal()}

    scopes = sorted(set(scopes))
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        failure.fail(f"{len(unknown)} of the scopes are unknown; the scopes are " + ", ".join(SCOPES), failure.USAGE)
    if expires_at is not None and expires_at <= datetime.now(UTC):
        failure.fail("--expires-at must be in the future", failure.USAGE)
    with failure.errors_in_words():
        name = clean_text(name, "name") or ""
    return json.dumps(administer(work))


def verify_audit(heads: Path | None, *, as_json: bool) -> None:
    """Verify the audit chains, and print the report. Exits with 1 if a record does not match."""

    async def work(administration: Administration) -> dict[str, Any]:
        report, kept = await held_against_heads(administration, heads, lines)
        findings = [
            {"kind": each.kind, "writer_id": each.writer_id and str(each.writer_id), "sequence": each.sequence}
            for each in report.findings
        ]
        return {
            "ok": report.ok,
            "writers": report.writers,
            "records": report.records,
            "heads": len(kept),
            "unanchored": report.unanchored,
            "accepted": report.accepted,
            "findings": findings,
        }

    lines = lines_of_heads(heads)  # before this process adds its own
    report = administer(work)
    output.show(json.dumps(report), as_json=as_json)
    if not report["ok"]:
        failure.fail("the audit failed its verification: see the findings above", failure.REFUSED)


async def held_against_heads(
    administration: Administration, file: Path | None, lines: list[str]
) -> tuple[Report, list[Head]]:
    """The report on the chains, and the heads with which they were compared."""
    storage, key = administration.storage, administration.authenticity.audit_key
    accepted = accepted_losses(await marks(storage, key, RESTORED_MARK))
    kept = read_heads(lines)
    own = frozenset({administration.committer.head().writer_id})
    report = await verify(storage, key, kept, but=own, accepted=accepted)
    if any(finding.kind == "writer_unanchored" for finding in report.findings):
        # A server that is just starting registers before it anchors its head, so look once more.
        await asyncio.sleep(_ANCHOR_SECONDS)
        kept = read_heads(lines_of_heads(file))
        report = await verify(storage, key, kept, but=own, accepted=accepted)
    return report, kept


def show_heads(*, as_json: bool) -> None:
    """Print the head of each audit chain."""

    async def work(administration: Administration) -> list[dict[str, Any]]:
        return [await _head(administration, writer) for writer in await administration.storage.audit_writers()]

    heads = administer(work)
    if as_json:
        output.show("\n".join(json.dumps(head) for head in heads), as_json=True)
    else:
        output.show(json.dumps({"heads": heads}), as_json=False)


async def _head(administration: Administration, writer: AuditWriter) -> dict[str, Any]:
    """In the form that `audit verify --heads` reads."""
    sequence, mac = 0, writer.mac
    while records := await administration.storage.audit_chain(writer.id, sequence, 1000):
        sequence, mac = records[-1].sequence, records[-1].mac
    return {"at": datetime.now(UTC).isoformat(), "writer_id": str(writer.id), "sequence": sequence, "mac": mac.hex()}


def lines_of_heads(file: Path | None) -> list[str]:
    """The lines of the file of heads. Ends the program if there is none, or it cannot be read."""
    with failure.errors_in_words():
        audit = load().audit
    path = file or audit.heads_file or audit.known_heads
    if path is None:
        failure.fail(
            "audit.heads is log: extract the lines with heads from the log, and name that file with --heads",
            failure.USAGE,
        )
    try:
        return path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        failure.fail(f"the file with audit heads, {path}, cannot be read", failure.USAGE)


def show_keys(*, as_json: bool) -> None:
    """Print how many secrets each version of the wrapping key has wrapped."""

    async def work(administration: Administration) -> dict[str, Any]:
        return _shown(await rewraps.status(administration.storage, administration.keywrap))

    output.show(json.dumps(administer(work)), as_json=as_json)


def rewrap_keys(*, as_json: bool) -> None:
    """Move data keys to the newest wrapping key, and audit that. Exits with 1 if some remain."""

    async def work(administration: Administration) -> dict[str, Any]:
        storage, keywrap, operation_id = administration.storage, administration.keywrap, new_id()

        async def audit(outcome: AuditOutcome, details: dict[str, Any]) -> None:
            entry = local_entry(REWRAP, details, operation_id=operation_id, outcome=outcome)
            await administration.committer.commit(Unit(), [entry])

        before = await rewraps.status(storage, keywrap)
        await audit(AuditOutcome.REQUESTED, {"kek": before.kek, "kek_version": before.version})
        with progress.bar("moved") as show:
            report = await rewraps.rewrap(storage, keywrap, lambda each: show(each.moved, each.total))
        left = (await rewraps.status(storage, keywrap)).behind
        outcome = AuditOutcome.FAILED if left else AuditOutcome.SUCCEEDED
        await audit(outcome, {"moved": report.moved, "left": left})
        refused = [str(wallet_id) for wallet_id in report.refused]
        return {"kek": before.kek, "version": before.version, "moved": report.moved, "left": left, "refused": refused}

    with failure.errors_in_words():
        settings = load()
    with contextlib.ExitStack() as alone:
        if settings.database.url.reveal().startswith("sqlite"):
            with failure.errors_in_words():
                alone.enter_context(only_instance(settings.data_dir))
        report = administer(work)
    output.show(json.dumps(report), as_json=as_json)
    if report["refused"]:
        failure.fail(f"the data keys of {len(report['refused'])} wallets cannot be opened", failure.REFUSED)
    if report["left"]:
        failure.fail(
            "other processes have wrapped more with the old key meanwhile: run the command again", failure.REFUSED
        )


def _shown(status: rewraps.Status) -> dict[str, Any]:
    rows = [
        {"kek": each.kek, "version": each.version, "secrets": each.secrets, "newest": newest}
        for each in status.secrets
        for newest in [(each.kek, each.version) == (status.kek, status.version)]
    ]
    return {
        "kek": status.kek,
        "version": status.version,
        "behind": status.behind,
        "service_secret": {"kek": status.service_kek, "version": status.service_version},
        "keks": rows,
    }


def import_tokens(content: bytes) -> None:
    """Print a token list as a file for the settings, and refused entries to standard error."""
    with failure.errors_in_words():
        listed, taken, refused = bootstrap.import_tokens(load(), content)
    for each in refused:
        print(f"entry {each.position}: {each.reason}", file=sys.stderr)
    print(f"{taken} imported, {len(refused)} refused", file=sys.stderr)
    sys.stdout.write(listed.decode())


def check_token(token: str, *, as_json: bool) -> None:
    """Print whether a token would be accepted. Exits with 1 if not."""

    async def work(administration: Administration) -> dict[str, Any]:
        return await bootstrap.explain_token(administration, token)

    report = administer(work)
    output.show(json.dumps(report), as_json=as_json)
    if not report["accepted"]:
        failure.fail(f"the token is refused: {report['reason']}", failure.REFUSED)


def administer(work: Callable[[Administration], Awaitable[T]]) -> T:
    """Run ``work`` with the service's own settings and database, and turn errors into an exit code."""

    async def run(settings: Settings) -> T:
        async with bootstrap.administration(settings) as administration:
            return await work(administration)

    with failure.errors_in_words():
        _log_to_stderr()
        return asyncio.run(run(load()))


def _log_nothing() -> None:
    """The log would say the same as the findings, in more technical words."""
    logging.configure("error", "console", io.BytesIO())


def _log_to_stderr() -> None:
    logging.configure("error", "console", sys.stderr.buffer)
