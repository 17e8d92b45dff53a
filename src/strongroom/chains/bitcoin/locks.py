"""What has to be shown to spend an output: whose signatures, over which digest, and where they are put."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from strongroom.chains.bitcoin import script
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.codecs.hash160 import hash160
from strongroom.errors import InvalidTransaction

_SIGNATURE: Final = bytes(72)
"""Stands for an ECDSA signature of the usual longer size, with its hash type."""
_SCHNORR: Final = bytes(64)
_KEY: Final = bytes(33)


class Way(StrEnum):
    """Which algorithm makes the digest."""

    LEGACY = "legacy"
    SEGWIT = "segwit"
    TAPROOT = "taproot"
    NONE = "none"
    """Nobody signs: an anchor."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Of one key, or of ``threshold`` among ``keys``."""

    way: Way
    code: bytes
    """What the digest commits to: the script code; for Taproot the output script."""
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    threshold: int = 1
    keys: tuple[bytes, ...] = ()
    """Of a multisig, in the order of the script; empty where one key's hash or the key itself is in the script."""

    def satisfy(self, signatures: Mapping[bytes, bytes], key_path: bytes | None) -> tuple[bytes, ...] | None:
        """The stack that opens it, bottom first, or None as long as signatures are missing.

        ``signatures``: DER and hash type by public key; ``key_path``: the Schnorr signature of Taproot.
        """
        if self.way is Way.NONE:
            return ()
        if self.way is Way.TAPROOT:
            return None if key_path is None else (key_path,)
        if not self.keys:
            return next(((made, key) for key, made in signatures.items() if self.admits(key)), None)
        made = [signatures[key] for key in self.keys if key in signatures]
        return (b"", *made[: self.threshold]) if len(made) >= self.threshold else None

    def admits(self, key: bytes) -> bool:
        """Whether an ECDSA signature of this key is of any use."""
        if self.way in (Way.TAPROOT, Way.NONE):
            return False
        return key in self.keys if self.keys else hash160(key) == script.classify(self.code)[1]

    def estimate(self) -> tuple[bytes, ...]:
        """A stack of the size that `satisfy` will give, to a byte or two a signature."""
        if self.way is Way.NONE:
            return ()
        if self.way is Way.TAPROOT:
            return (_SCHNORR,)
        return (b"", *(_SIGNATURE,) * self.threshold) if self.keys else (_SIGNATURE, _KEY)

    def place(self, stack: Sequence[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
        """scriptSig and witness."""
        redeem = b"" if self.redeem_script is None else script.push(self.redeem_script)
        if self.way is Way.LEGACY:
            return b"".join(map(script.push, stack)) + redeem, ()
        return redeem, (*stack, *([] if self.witness_script is None else [self.witness_script]))


def read(output_script: bytes, redeem_script: bytes | None, witness_script: bytes | None) -> Lock | None:
    """The lock of an output, given the scripts that its own only names by their hash.

    None where a script is missing or is of no kind that is signed here. Raises InvalidTransaction where a script that
    is given is not the one that is named, or none is named.
    """
    inner = _named(output_script, ScriptKind.P2SH, redeem_script, hash160)
    code = None if inner is None else _named(inner, ScriptKind.P2WSH, witness_script, _sha256)
    if code is None or len(redeem_script or b"") > script.MAX_PUSH:
        return None
    if witness_script is not None:
        return _several(Way.SEGWIT, code, redeem_script, witness_script)
    kind, program = script.classify(code)
    if kind is ScriptKind.P2WPKH:
        return Lock(Way.SEGWIT, script.p2pkh(program), redeem_script)
    if kind is ScriptKind.P2TR:
        return Lock(Way.TAPROOT, code) if redeem_script is None else None
    if kind is ScriptKind.ANCHOR:
        return Lock(Way.NONE, code) if redeem_script is None else None
    if kind is ScriptKind.P2PKH:
        return Lock(Way.LEGACY, code, redeem_script)
    return _several(Way.LEGACY, code, redeem_script)


def _named(outer: bytes, kind: ScriptKind, given: bytes | None, digest: Callable[[bytes], bytes]) -> bytes | None:
    """The script that ``outer`` names where it is of this kind, else ``outer`` itself; None where it is not given."""
    found, program = script.classify(outer)
    if found is not kind:
        if given is not None:
            raise InvalidTransaction(f"a script is given as that of {kind}, which its output is not",
                                     field="unsigned_tx")  # fmt: skip
        return outer
    if given is not None and digest(given) != program:
        raise InvalidTransaction(f"a script is not the one that its output of {kind} names", field="unsigned_tx")
    return given


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _several(way: Way, code: bytes, redeem: bytes | None, witness: bytes | None = None) -> Lock | None:
    multisig = script.parse_multisig(code)
    if multisig is None:
        return None
    return Lock(way, code, redeem, witness, multisig.threshold, multisig.keys)
