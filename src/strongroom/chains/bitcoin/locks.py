"""What it takes to spend an output, that is, whose signatures, over which digest, and where they go."""

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
"""A placeholder for an ECDSA signature of the longer usual size, with its hash type."""
_SCHNORR: Final = bytes(64)
_KEY: Final = bytes(33)


class Way(StrEnum):
    """The algorithm that makes the digest."""

    LEGACY = "legacy"
    SEGWIT = "segwit"
    TAPROOT = "taproot"
    NONE = "none"
    """No signature, as for an anchor."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of one key, or of ``threshold`` among ``keys``."""

    way: Way
    code: bytes
    """The script code that the digest commits to, or for Taproot the output script."""
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    threshold: int = 1
    keys: tuple[bytes, ...] = ()
    """The keys of a multisig in the order of the script. Empty if the script is for a single key."""

    def satisfy(self, signatures: Mapping[bytes, bytes], key_path: bytes | None) -> tuple[bytes, ...] | None:
        """The stack that opens the lock, bottom first, or None if signatures are missing.

        ``signatures`` are DER with the hash type, by public key. ``key_path`` is the Schnorr signature for Taproot.
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
        """Whether an ECDSA signature of this key can help to open the lock."""
        if self.way in (Way.TAPROOT, Way.NONE):
            return False
        return key in self.keys if self.keys else hash160(key) == script.classify(self.code)[1]

    def estimate(self) -> tuple[bytes, ...]:
        """A stack of the size that `satisfy` will return, within a byte or two per signature."""
        if self.way is Way.NONE:
            return ()
        if self.way is Way.TAPROOT:
            return (_SCHNORR,)
        return (b"", *(_SIGNATURE,) * self.threshold) if self.keys else (_SIGNATURE, _KEY)

    def place(self, stack: Sequence[bytes]) -> tuple[bytes, tuple[bytes, ...]]:
        """The scriptSig and the witness that hold the stack."""
        redeem = b"" if self.redeem_script is None else script.push(self.redeem_script)
        if self.way is Way.LEGACY:
            return b"".join(map(script.push, stack)) + redeem, ()
        return redeem, (*stack, *([] if self.witness_script is None else [self.witness_script]))


def read(output_script: bytes, redeem_script: bytes | None, witness_script: bytes | None) -> Lock | None:
    """The lock of an output. The scripts are those that the output script commits to by their hash.

    Returns None if a script is missing or of a kind that is not signed here. Raises InvalidTransaction if a script does
    not have the committed hash, or if the output commits to no script.
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
    """The script that ``outer`` commits to if it is of this kind (None if that is missing), or else ``outer``."""
    found, program = script.classify(outer)
    if found is not kind:
        if given is not None:
            raise InvalidTransaction(f"a {kind} script is given for an output of another kind",
                                     field="unsigned_tx")  # fmt: skip
        return outer
    if given is not None and digest(given) != program:
        raise InvalidTransaction(f"a script does not match the hash in its {kind} output", field="unsigned_tx")
    return given


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _several(way: Way, code: bytes, redeem: bytes | None, witness: bytes | None = None) -> Lock | None:
    multisig = script.parse_multisig(code)
    if multisig is None:
        return None
    return Lock(way, code, redeem, witness, multisig.threshold, multisig.keys)
