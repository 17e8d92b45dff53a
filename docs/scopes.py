"""Writes every scope, and what needs it, into scopes.md: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strongroom.access.scopes import SCOPES, in_a_sentence
from strongroom.domain.hazards import HAZARDS
from strongroom.entrypoints.http.probes import HEALTH, METRICS
from strongroom.operations.registry import OPERATIONS

DOCUMENT: Final = Path(__file__).with_suffix(".md")
_HEAD: Final = """# Scopes

An API key has scopes, and so does a token. Each operation needs one scope, and some of its options need another. A key
can only be given scopes that the key which creates it has. `make docs` writes this page.

Three operations can need a second scope. Signing with `broadcast` needs `broadcast` too, `addresses.discover` needs
`balances:read` too, and `accounts.get` needs `addresses:derive` too if it has to open the account.

| Scope | Allows to | Needed by |
|---|---|---|
"""
_OPTIONS: Final = {
    "wallets:backup": "`backup` of `wallets.create`",
    "sign:replace": "`options.replaces`",
    "sign:resign": "`options.allow_resign`",
    "sign:pre155": "`options.allow_pre155`",
    "sign:sighash": "`options.allowed_sighashes`",
}
"""The option that needs a scope which no operation needs."""


def written() -> str:
    rows = []
    for scope, description in SCOPES.items():
        rows.append(f"| `{scope}` | {in_a_sentence(description)} | {_needed_by(scope)} |\n")
    return _HEAD + "".join(rows)


def _needed_by(scope: str) -> str:
    if names := [f"`{each.name}`" for each in OPERATIONS if each.scope == scope]:
        return ", ".join(names)
    if scope == METRICS.scope == HEALTH.scope:
        return f"`{METRICS.method} {METRICS.path}`, and `{HEALTH.method} {HEALTH.path}` for its details"
    hazards = [f"`{name}` in `options.allow`" for name, hazard in HAZARDS.items() if hazard.scope == scope]
    return ", ".join(hazards) or _OPTIONS[scope]


if __name__ == "__main__":
    DOCUMENT.write_text(written(), "utf-8")
