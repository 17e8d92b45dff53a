"""Keys, and PSBTs that spend their coins, for the tests of signing on Bitcoin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from btclib_secp256k1 import keys, recovery, ssa, xonly

from strongroom.chains.bitcoin import psbt, schemes, script
from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.chains.bitcoin.psbt import Origin, Psbt, PsbtInput, PsbtOutput, TapOrigin
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.signing import Algorithm, OurKey, Ours, Policy, Prepared, Signed, SignOptions, ToSign

BITCOIN: Final = Bitcoin()
NETWORK: Final = BITCOIN.networks[0]
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT: Final = Policy(BITCOIN.limits)

VALUE: Final = 100_000
FEE: Final = 1_000
FINGERPRINT: Final = bytes.fromhex("73c5da0a")
FOREIGN: Final = script.p2wpkh(b"\x07" * 20)
SINGLE: Final = ("p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr")
"""Kinds of output of one key."""
SHARED: Final = ("multisig", "p2sh-multisig", "p2wsh", "p2sh-p2wsh")
"""Of two keys out of three."""
_MAKERS: Final = {
    "p2pkh": schemes.p2pkh,
    "p2sh-p2wpkh": schemes.p2sh_p2wpkh,
    "p2wpkh": schemes.p2wpkh,
    "p2tr": schemes.p2tr,
}


def private_key(number: int) -> bytes:
    return sha256(b"key %d" % number).digest()


def public_key(number: int) -> bytes:
    return keys.pubkey_from_prvkey(private_key(number))


def path(number: int) -> str:
    return f"m/84'/0'/0'/0/{number}"


def ours(*numbers: int) -> Ours:
    """Keys of one wallet, as if each were under BIP-84."""
    found = (OurKey(public_key(each), path(each), "bip84", schemes.p2wpkh(public_key(each))) for each in numbers)
    return {key.public_key: key for key in found}


def multisig(numbers: Sequence[int]) -> bytes:
    return script.multisig(2, sorted(map(public_key, numbers)))


def output_script(kind: str, number: int = 0) -> bytes:
    """Of key ``number``, or of it and the two after it."""
    if kind in SINGLE:
        return _MAKERS[kind](public_key(number))
    several = multisig((number, number + 1, number + 2))
    witness = script.p2wsh(sha256(several).digest())
    return {
        "multisig": several,
        "p2sh-multisig": script.p2sh(hash160(several)),
        "p2wsh": witness,
        "p2sh-p2wsh": script.p2sh(hash160(witness)),
    }[kind]


def scripts(kind: str, number: int = 0) -> dict[str, Any]:
    """The redeem and witness scripts that an output of this kind commits to."""
    several = multisig((number, number + 1, number + 2))
    return {
        "p2sh-p2wpkh": {"redeem_script": schemes.p2wpkh(public_key(number))},
        "p2sh-multisig": {"redeem_script": several},
        "p2wsh": {"witness_script": several},
        "p2sh-p2wsh": {"redeem_script": script.p2wsh(sha256(several).digest()), "witness_script": several},
    }.get(kind, {})


def origin(number: int) -> Origin:
    return Origin(FINGERPRINT, (84 + 2**31, 2**31, 2**31, 0, number))


def claims(kind: str, number: int = 0) -> dict[str, Any]:
    if kind == "p2tr":
        internal = public_key(number)[1:]
        return {"tap_internal_key": internal, "tap_bip32_derivations": {internal: TapOrigin((), origin(number))}}
    numbers = (number,) if kind in SINGLE else (number, number + 1, number + 2)
    return {"bip32_derivations": {public_key(each): origin(each) for each in numbers}}


def previous(output: TxOut, salt: int = 0) -> Transaction:
    """A transaction with ``output`` as its output 1."""
    spending = TxIn(OutPoint(sha256(b"%d" % salt).digest(), salt), b"", 0xFFFFFFFF)
    return Transaction(2, (spending,), (TxOut(5_000, FOREIGN), output), 0)


def make(kinds: Sequence[str], outputs: Sequence[TxOut] = (), value: int = VALUE) -> Psbt:
    """Input i spends an output of ``kinds[i]`` of key 10 i. The rest goes to a stranger."""
    spent = [TxOut(value, output_script(kind, 10 * i)) for i, kind in enumerate(kinds)]
    made = [previous(output, i) for i, output in enumerate(spent)]
    rest = value * len(kinds) - sum(each.value for each in outputs) - FEE
    paid = (*outputs, TxOut(rest, FOREIGN))
    transaction = Transaction(2, tuple(TxIn(OutPoint(each.hash, 1), b"", 0xFFFFFFFD) for each in made), paid, 0)
    inputs = tuple(
        PsbtInput(non_witness_utxo=made[i], **scripts(kind, 10 * i), **claims(kind, 10 * i))
        for i, kind in enumerate(kinds)
    )
    return Psbt(transaction=transaction, inputs=inputs, outputs=tuple(PsbtOutput() for _ in paid))


def with_input(one: Psbt, index: int, **changes: Any) -> Psbt:
    inputs = list(one.inputs)
    inputs[index] = replace(inputs[index], **changes)
    return replace(one, inputs=tuple(inputs))


def with_output(one: Psbt, index: int, **changes: Any) -> Psbt:
    outputs = list(one.outputs)
    outputs[index] = replace(outputs[index], **changes)
    return replace(one, outputs=tuple(outputs))


def with_transaction(one: Psbt, **changes: Any) -> Psbt:
    return replace(one, transaction=replace(one.transaction, **changes))


def codes(one: Psbt, held: Ours | None, policy: Policy = DEFAULT) -> list[str]:
    decoded = BITCOIN.decode(NETWORK, psbt.to_base64(one))
    return [each.code for each in BITCOIN.check(decoded, held, policy, NOW)]


def prepare(one: Psbt | str, held: Ours, policy: Policy = DEFAULT) -> Prepared:
    text = one if isinstance(one, str) else psbt.to_base64(one)
    decoded = BITCOIN.decode(NETWORK, text)
    BITCOIN.check(decoded, held, policy, NOW)
    return BITCOIN.prepare(decoded, held)


def sign(one: Psbt | str, held: Ours, policy: Policy = DEFAULT) -> Signed:
    prepared = prepare(one, held, policy)
    return BITCOIN.assemble(prepared, [signature(item) for item in prepared.to_sign])


def signature(item: ToSign) -> bytes:
    """The signature that a signer would make, made without one."""
    private = next(private_key(each) for each in range(100) if public_key(each) == item.public_key)
    if item.algorithm is Algorithm.SCHNORR:
        if item.taproot_root is not None:
            tweak = tagged_hash("TapTweak", item.public_key[1:] + item.taproot_root)
            private = xonly.prvkey_tweak_add(private, tweak)
        return ssa.sign(item.payload, private, bytes(32))
    compact, recovery_id = recovery.sign(item.payload, private)
    return compact + bytes((recovery_id,))


def allowing(*sighashes: str) -> Policy:
    return Policy(BITCOIN.limits, SignOptions(allowed_sighashes=sighashes))
