"""Which inputs of a transaction the wallet signs, and which outputs pay the wallet."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from strongroom.chains.bitcoin import locks, schemes, script
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Way
from strongroom.chains.bitcoin.psbt import PsbtOutput
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.codecs.hash160 import hash160
from strongroom.domain.scheme import Position
from strongroom.domain.signing import OurKey, Ours
from strongroom.errors import InvalidTransaction

GAP: Final = 20
"""Consecutive unused addresses after which wallets stop looking (BIP-44)."""
FAR: Final = 10_000
"""No wallet is expected to look beyond this index."""


class Ownership:
    """``ours`` are the keys of the wallet that signs. It is empty if nothing is to be signed."""

    def __init__(self, decoded: BitcoinTransaction, ours: Ours) -> None:
        self._decoded = decoded
        self._ours = ours

    @cached_property
    def signers(self) -> tuple[tuple[OurKey, ...], ...]:
        """The wallet's keys that can sign each input. A final input needs none."""
        return tuple(map(self._signers, range(len(self._decoded.spent))))

    @cached_property
    def outputs(self) -> tuple[OurKey | None, ...]:
        """The wallet's key that alone can spend each output, or None."""
        return tuple(self.key_of(output.script) for output in self._decoded.transaction.outputs)

    @cached_property
    def receives(self) -> tuple[OurKey, ...]:
        """The wallet's keys that an output pays at their own address, not by another script of the same key."""
        paid = zip(self._decoded.transaction.outputs, self.outputs, strict=True)
        return tuple(dict.fromkeys(key for output, key in paid if key is not None and key.address == output.script))

    def is_far(self, key: OurKey) -> bool:
        """Whether a wallet that stops at the gap after the last known index would miss this key.

        Known indexes are those that were handed out and those that this transaction spends from.
        """
        at = self._position(key)
        if at is None or key.next_index is None:
            return False
        known = max(key.next_index, self._spent_up_to.get((key.scheme, at.account, at.change), 0))
        return at.index > min(known + GAP, FAR)

    @cached_property
    def _spent_up_to(self) -> dict[tuple[str, int, int], int]:
        """One more than the highest index that an input spends from, by scheme, account and branch."""
        found: dict[tuple[str, int, int], int] = {}
        for output, signers in zip(self._decoded.spent, self.signers, strict=True):
            owner = None if output is None else self.key_of(output.script)
            for key in {*signers, *([] if owner is None else [owner])}:
                at = self._position(key)
                if at is not None:
                    branch = (key.scheme, at.account, at.change)
                    found[branch] = max(found.get(branch, 0), at.index + 1)
        return found

    def _position(self, key: OurKey) -> Position | None:
        scheme = schemes.SCHEMES[self._decoded.network.keyspace].get(key.scheme)
        return None if scheme is None else scheme.match(key.path)

    def check_claims(self) -> None:
        """Raises InvalidTransaction if an output claims a key of the wallet without paying it, as fake change does."""
        transaction, given = self._decoded.transaction, self._decoded.psbt.outputs
        for output, owner, claims in zip(transaction.outputs, self.outputs, given, strict=True):
            self._check_claim(output.script, owner, claims)

    def root(self, index: int) -> bytes | None:
        """The Taproot root that the signing key is tweaked with. b"" means without scripts, None means no Taproot."""
        lock = self._decoded.locks[index]
        if lock is None or lock.way is not Way.TAPROOT:
            return None
        return self._decoded.psbt.inputs[index].tap_merkle_root or b""

    def key_of(self, output_script: bytes) -> OurKey | None:
        """The wallet's key that can spend this script alone, without other keys or further scripts."""
        kind, program = script.classify(output_script)
        if kind in (ScriptKind.P2PKH, ScriptKind.P2WPKH):
            return self._by_hash.get(program)
        if kind is ScriptKind.P2SH:
            return self._by_nested_script.get(output_script)
        return self._by_taproot_script.get(output_script) if kind is ScriptKind.P2TR else None

    @cached_property
    def _by_hash(self) -> dict[bytes, OurKey]:
        return {hash160(key.public_key): key for key in self._ours.values()}

    @cached_property
    def _by_nested_script(self) -> dict[bytes, OurKey]:
        return {schemes.p2sh_p2wpkh(key.public_key): key for key in self._ours.values()}

    @cached_property
    def _by_taproot_script(self) -> dict[bytes, OurKey]:
        return {schemes.p2tr(key.public_key): key for key in self._ours.values()}

    @cached_property
    def _by_xonly(self) -> dict[bytes, OurKey]:
        return {key.public_key[1:]: key for key in self._ours.values()}

    def _signers(self, index: int) -> tuple[OurKey, ...]:
        output, lock, given = self._decoded.spent[index], self._decoded.locks[index], self._decoded.psbt.inputs[index]
        if output is None or lock is None or given.is_final:
            return ()
        if lock.keys:
            return tuple(self._ours[key] for key in lock.keys if key in self._ours)
        if given.tap_merkle_root:
            key = self._by_xonly.get(given.tap_internal_key or b"")
            return () if key is None or not _pays(output.script, key, given.tap_merkle_root) else (key,)
        key = self.key_of(output.script)
        return () if key is None else (key,)

    def _check_claim(self, output_script: bytes, owner: OurKey | None, given: PsbtOutput) -> None:
        claimed = {key for key in given.bip32_derivations if key in self._ours}
        claimed |= {
            self._by_xonly[key].public_key
            for key, tap in given.tap_bip32_derivations.items()
            if key in self._by_xonly and not tap.leaf_hashes and given.tap_tree is None
        }
        if not claimed or (owner is not None and claimed == {owner.public_key}):
            return
        lock = locks.read(output_script, given.redeem_script, given.witness_script)
        if lock is None or not claimed <= set(lock.keys):
            raise InvalidTransaction(
                "an output is marked with a key of this wallet but does not pay it", field="unsigned_tx"
            )


def _pays(output_script: bytes, key: OurKey, root: bytes) -> bool:
    return script.p2tr(schemes.output_key(key.public_key, root)) == output_script
