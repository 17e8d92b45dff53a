"""Schemes, which are named path templates with their curve."""

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
    """The variable steps of a key's path in a scheme."""

    account: int = 0
    change: int = 0
    index: int = 0


@dataclass(frozen=True)
class Scheme:
    """A path template such as ``m/44'/60'/{account}'/{change}/{index}`` with its purpose.

    The placeholders are ``{account}``, ``{change}`` (0 or 1) and ``{index}``. One that is missing is always 0.
    """

    name: str
    template: str
    curve: Curve
    description: str
    kinds: frozenset[WalletKind] = frozenset({WalletKind.BIP39})
    shared: bool = False
    """Whether its keys share a script with keys of other wallets, so that none has an address of its own."""

    def path(self, at: Position) -> str:
        """The canonical path. Raises ValueError if a number is out of range or has no placeholder in the template."""
        for name in ("account", "change", "index"):
            value: int = getattr(at, name)
            if value and f"{{{name}}}" not in self.template:
                raise ValueError(f"the scheme {self.name} has no {name}")
            if not 0 <= value <= (1 if name == "change" else MAX_INDEX):
                raise ValueError(f"{name} is out of range")
        return self.template.format(account=at.account, change=at.change, index=at.index)

    def has(self, at: Position) -> bool:
        """Whether `path` accepts ``at``."""
        try:
            self.path(at)
        except ValueError:
            return False
        return True

    def match(self, path: str) -> Position | None:
        """The position whose path is ``path`` (in canonical form, with ``'`` for hardened), or None."""
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
        """Path template of the account's public node. None if deeper steps are hardened, so that keys are stored."""
        if self.curve is not Curve.SECP256K1 or self.template == "m":
            return None
        steps = self.template.split("/")
        while not steps[-1].endswith("'"):
            steps.pop()
        prefix = "/".join(steps)
        return None if "{change}" in prefix or "{index}" in prefix or prefix == self.template else prefix

    def account_path(self, number: int) -> str | None:
        """Path of the public node that all addresses of this account derive from, or None."""
        return None if self.account_template is None else self.account_template.format(account=number)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        escaped = re.escape(self.template)
        for name in ("account", "change", "index"):
            escaped = escaped.replace(re.escape(f"{{{name}}}"), rf"(?P<{name}>[0-9]{{1,10}})")
        return re.compile(escaped)
