"""Schemes: named path templates with their curve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from strongroom.domain.wallet import WalletKind

HARDENED: Final = 2**31
MAX_INDEX: Final = HARDENED - 1


class Curve(StrEnum):
    SECP256K1 = "secp256k1"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a key stands inside a scheme."""

    account: int = 0
    change: int = 0
    index: int = 0


@dataclass(frozen=True)
class Scheme:
    """A template such as ``m/44'/60'/{account}'/{change}/{index}`` and what it is for.

    Placeholders are ``{account}``, ``{change}`` (0 or 1) and ``{index}``; one that is missing is always 0.
    """

    name: str
    template: str
    curve: Curve
    description: str
    kinds: frozenset[WalletKind] = frozenset({WalletKind.BIP39})
    shared: bool = False
    """Its keys stand beside those of other wallets in one script: none has an address of its own."""

    def path(self, at: Position) -> str:
        """The canonical path. Raises ValueError where ``at`` names what the template has no place for."""
        for name in ("account", "change", "index"):
            value: int = getattr(at, name)
            if value and f"{{{name}}}" not in self.template:
                raise ValueError(f"scheme {self.name} has no {name}")
            if not 0 <= value <= (1 if name == "change" else MAX_INDEX):
                raise ValueError(f"{name} is out of range")
        return self.template.format(account=at.account, change=at.change, index=at.index)

    def has(self, at: Position) -> bool:
        """Whether the template has a place for all that ``at`` names."""
        try:
            self.path(at)
        except ValueError:
            return False
        return True

    def match(self, path: str) -> Position | None:
        """The position that gives ``path`` (canonical form, ``'`` for hardened), or None."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        at = Position(**{name: int(value) for name, value in found.groupdict().items()})
        try:
            return at if self.path(at) == path else None
        except ValueError:
            return None

    @cached_property
    def account_template(self) -> str | None:
        """The path of the account's public node, or None where a step below it is hardened (every key is stored)."""
        if self.curve is not Curve.SECP256K1 or self.template == "m":
            return None
        steps = self.template.split("/")
        while not steps[-1].endswith("'"):
            steps.pop()
        prefix = "/".join(steps)
        return None if "{change}" in prefix or "{index}" in prefix or prefix == self.template else prefix

    def account_path(self, number: int) -> str | None:
        """Path of the public node from which all addresses of this account follow, if there is one."""
        return None if self.account_template is None else self.account_template.format(account=number)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.template)
        for name in ("account", "change", "index"):
            escaped = escaped.replace(re.escape(f"{{{name}}}"), rf"(?P<{name}>[0-9]{{1,10}})")
        return re.compile(escaped)
