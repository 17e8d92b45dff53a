"""Runs one signing vector of ``bitcoin.*.json`` against the code, without a server. The others are in `direct_bitcoin`.

`RUNNERS` is like the one there. Keys come from the service's signer, with a key wrap in memory, and are found as the
service finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from btclib_secp256k1 import dsa, keys, ssa, xonly

from strongroom.chains.bitcoin import finalising, locks, psbt, sighash
from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Lock, Way
from strongroom.chains.bitcoin.schemes import p2sh_p2wpkh, p2wpkh
from strongroom.codecs import base58
from strongroom.codecs.bip144 import TxOut, parse, parse_unsigned
from strongroom.domain.network import Network
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import (
    Algorithm,
    OurKey,
    Ours,
    Policy,
    Prepared,
    Purpose,
    Signed,
    SignOptions,
    SignRequest,
    ToSign,
)
from strongroom.domain.wallet import Account, Owner, SealedSecret, Wallet, WalletKind, WalletState
from strongroom.errors import Refused
from strongroom.keys.base import Mnemonic, RawKey, RawKeyFormat, Want
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.local import LocalKeyWrap
from strongroom.operations.call import Call
from strongroom.operations.fields import KeySelector
from strongroom.operations.networks import Networks
from strongroom.operations.places import Place
from strongroom.operations.signing_keys import SigningKeys
from tests.vectors.rest import NotExpressible

Vector = dict[str, Any]

BITCOIN = Bitcoin()
NETWORKS = Networks({"bitcoin": BITCOIN}, BITCOIN.networks, limits={}, any_network=False)
PERMISSIVE = Policy(
    dict.fromkeys(BITCOIN.limits), SignOptions(allow_resign=True, allow=frozenset({"unverified_amounts"}))
)
"""For valid vectors. Some are older than today's rules and leave previous transactions out."""
DEFAULT = Policy(BITCOIN.limits)
"""For invalid vectors, the defaults of a new installation."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_OWNER = Owner(UUID(int=1), UUID(int=2))
_NAMES = {"mainnet": "bitcoin", "testnet": "bitcoin-testnet3", "signet": "bitcoin-signet", "regtest": "bitcoin-regtest"}
_ROLES = {"psbts_base64", "psbt_base64", "wifs", "network", "master_tprv", "paths"}
_FINAL = {"finalized_psbt_base64", "raw_tx_hex", "txid"}
_MULTISIG = {"network", "mnemonics", "path", "signers", "witness_script_hex", "address", "psbt_base64"}
_PREPARED_BY_TOOLS = {"unsigned_tx_hex", "inputs", "outputs", "version", "locktime"}
"""The same transaction in another form."""


@dataclass(frozen=True)
class Holder:
    """A wallet as our signer holds it."""

    signer: SeededSigner
    secret: SealedSecret
    wallet: Wallet

    async def ours(self, decoded: BitcoinTransaction) -> Ours:
        """Every account is taken for open."""
        keyring = SimpleNamespace(account=self._account)
        call = cast("Call", SimpleNamespace(networks=NETWORKS, keyring=keyring))
        if self.wallet.kind is WalletKind.RAW_KEY:
            [node] = await self.signer.public(self.secret, [Want("m", Curve.SECP256K1)])
            return {node.public_key: OurKey(node.public_key, "m", "raw-p2wpkh", p2wpkh(node.public_key))}
        return await SigningKeys(call, self.wallet, decoded.network, KeySelector(), decoded).ours()

    async def sign(self, network: Network, text: str, policy: Policy) -> Signed:
        """As `transactions.sign` does. Raises Refused before a key is used."""
        decoded = BITCOIN.decode(network, text)
        ours = await self.ours(decoded)
        BITCOIN.check(decoded, ours, policy, NOW)
        prepared = BITCOIN.prepare(decoded, ours)
        return BITCOIN.assemble(prepared, await self.signatures(prepared))

    async def signatures(self, prepared: Prepared) -> list[bytes]:
        made = await self.signer.sign(prepared.requests(self.secret, UUID(int=3)))
        assert all(isinstance(one, bytes) for one in made)
        return [one for one in made if isinstance(one, bytes)]

    async def _account(self, _: Call, place: Place) -> Account:
        path = place.scheme.account_path(place.at.account)
        assert path is not None
        [node] = await self.signer.public(self.secret, [Want(path, Curve.SECP256K1, node=True)])
        return Account(_OWNER.tenant_id, place.account_id, _OWNER.wallet_id, place.network.keyspace,
                       place.scheme.name, place.at.account, path, node, 2**31)  # fmt: skip


async def holder(signer: SeededSigner, material: Mnemonic | RawKey) -> Holder:
    created = await signer.restore(_OWNER, material, [])
    wallet = Wallet(_OWNER.tenant_id, _OWNER.wallet_id, created.kind, None, None, WalletState.ACTIVE, 1,
                    created.master_fingerprint, None, NOW)  # fmt: skip
    return Holder(signer, created.secret, wallet)


def run(material: Mnemonic | RawKey, use: Callable[[Holder], Any]) -> Any:
    async def go() -> Any:
        signer = SeededSigner(LocalKeyWrap([bytes(32)]))
        try:
            return await use(await holder(signer, material))
        finally:
            await signer.close()

    return asyncio.run(go())


def network(name: str) -> Network:
    return NETWORKS.resolve(_NAMES[name])[0]


def raw_key(private: str) -> RawKey:
    return RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret(private))


def mnemonic(given: Vector) -> Mnemonic:
    return Mnemonic(Secret(given["mnemonic"]), Secret(given.get("passphrase", "")))


def sign(vector: Vector) -> None:
    given, expected = dict(vector["input"]), dict(vector["expected"])
    where, text = network(given.pop("network")), given.pop("psbt_base64")
    signed, unsigned = None, text
    for key in _keys(given):
        signed = run(key, lambda held: held.sign(where, text, PERMISSIVE))  # noqa: B023 - called at once
        text = str(signed.details["psbt"])
    assert signed is not None
    assert signed.complete
    assert given.keys() <= _PREPARED_BY_TOOLS | {"mnemonic", "passphrase"}
    policy = expected.pop("signature_policy", None)
    assert policy in (None, "rfc6979_no_grind; taproot aux_rand=0^32")
    low_r = expected.pop("raw_tx_hex_low_r", None), expected.pop("txid_low_r", None)
    assert low_r[0] is None or parse(bytes.fromhex(low_r[0])).txid == low_r[1]
    assert (signed.raw, signed.tx_id) in ((expected.pop("raw_tx_hex"), expected["txid"]), low_r)
    assert signed.details["fee_sat"] == str(expected.pop("fee_sat"))
    assert expected == {name: signed.details.get(name) for name in expected}
    final = psbt.parse_text(str(signed.details["psbt"]))
    assert final.transaction == psbt.parse_text(unsigned).transaction


def _keys(given: Vector) -> list[Mnemonic | RawKey]:
    """The keys that sign, one after another. Removes what names them from ``given``."""
    if "private_key_hex" in given:
        return [raw_key(given.pop("private_key_hex"))]
    if "mnemonic" in given:
        return [mnemonic(given)]
    alone = [given.pop("wif")] if "wif" in given else []
    return [_of_wif(text) for text in dict.fromkeys([*alone, *(each["wif"] for each in given.get("inputs", ()))])]


def _of_wif(text: str) -> RawKey:
    return raw_key(base58.decode_check(text)[1:33].hex())


def any_sighash(vector: Vector) -> None:
    (taproot_sighash if "prevouts" in vector["input"] else one_sighash)(vector)


def one_sighash(vector: Vector) -> None:
    """For an input of one key, with only what it spends."""
    given, expected = dict(vector["input"]), dict(vector["expected"])
    network(given.pop("network"))
    transaction = parse_unsigned(bytes.fromhex(given.pop("unsigned_tx_hex")))
    index, kind, private = given.pop("input_index"), given.pop("sighash_type"), given.pop("private_key_hex")
    spent = TxOut(given.pop("amount_sat"), bytes.fromhex(given.pop("script_pubkey_hex")))
    assert not given
    public = keys.pubkey_from_prvkey(bytes.fromhex(private))
    nested = p2wpkh(public) if spent.script == p2sh_p2wpkh(public) else None
    lock = locks.read(spent.script, nested, None)
    assert lock is not None, "the output is not one of a single key"
    if lock.way is Way.TAPROOT:
        assert len(transaction.inputs) == 1, "Taproot signs what every input spends"
        digest = sighash.taproot(transaction, index, [spent], kind)
    elif lock.way is Way.SEGWIT:
        digest = sighash.segwit_v0(transaction, index, lock.code, spent.value, kind)
    else:
        digest = sighash.legacy(transaction, index, lock.code, kind)
    assert digest.hex() == expected.pop("sighash_hex")
    theirs = bytes.fromhex(expected.pop("signature_hex"))
    theirs = theirs if theirs[-1] == kind and not _is_whole(theirs, lock) else theirs + _suffix(kind, lock)
    assert _is_sound(theirs, digest, public, lock)
    assert _is_sound(_signed_by(raw_key(private), digest, lock) + _suffix(kind, lock), digest, public, lock)
    signed = parse(bytes.fromhex(expected.pop("raw_tx_hex")))
    assert [(each.outpoint, each.sequence) for each in signed.inputs] == [
        (each.outpoint, each.sequence) for each in transaction.inputs
    ]
    assert (signed.version, signed.outputs, signed.lock_time) == (
        transaction.version, transaction.outputs, transaction.lock_time,
    )  # fmt: skip
    stack = (theirs,) if lock.way is Way.TAPROOT else (theirs, public)
    assert (signed.inputs[index].script_sig, signed.inputs[index].witness) == lock.place(stack)
    assert not expected


def _suffix(kind: int, lock: Lock) -> bytes:
    return b"" if lock.way is Way.TAPROOT and kind == 0 else bytes((kind,))


def _is_whole(made: bytes, lock: Lock) -> bool:
    """Whether a signature is written without its hash type."""
    return len(made) == (64 if lock.way is Way.TAPROOT else made[1] + 2)


def _is_sound(made: bytes, digest: bytes, public: bytes, lock: Lock) -> bool:
    if lock.way is Way.TAPROOT:
        return ssa.verify(digest, lock.code[2:], made[:64])
    return dsa.verify(digest, public, made[:-1])


def _signed_by(key: RawKey, digest: bytes, lock: Lock) -> bytes:
    taproot = lock.way is Way.TAPROOT

    async def made(held: Holder) -> Any:
        [node] = await held.signer.public(held.secret, [Want("m", Curve.SECP256K1)])
        algorithm = Algorithm.SCHNORR if taproot else Algorithm.ECDSA
        item = ToSign("m", algorithm, digest, node.public_key, Purpose.TRANSACTION, b"" if taproot else None)
        return (await held.signer.sign([SignRequest(held.secret, item, UUID(int=3))]))[0]

    signature: bytes = run(key, made)
    return signature if taproot else dsa.to_der(signature[:64])


def taproot_sighash(vector: Vector) -> None:
    given, expected = dict(vector["input"]), dict(vector["expected"])
    transaction = parse_unsigned(bytes.fromhex(given.pop("unsigned_tx_hex")))
    index, kind, root = given.pop("input_index"), given.pop("sighash_type"), given.pop("merkle_root_hex")
    spent = [TxOut(each["amount_sat"], bytes.fromhex(each["script_pubkey_hex"])) for each in given.pop("prevouts")]
    private = given.pop("internal_private_key_hex")
    assert not given
    digest = sighash.taproot(transaction, index, spent, kind)
    assert digest.hex() == expected.pop("sighash_hex")

    async def made(held: Holder) -> Any:
        [node] = await held.signer.public(held.secret, [Want("m", Curve.SECP256K1)])
        item = ToSign("m", Algorithm.SCHNORR, digest, node.public_key, Purpose.TRANSACTION, bytes.fromhex(root or ""))
        return (await held.signer.sign([SignRequest(held.secret, item, UUID(int=3))]))[0]

    signature = run(raw_key(private), made)
    suffix = b"" if kind == sighash.HashType.DEFAULT else bytes((kind,))
    assert [(signature + suffix).hex()] == expected.pop("witness")
    output_key, _ = xonly.from_prvkey(bytes.fromhex(expected.pop("tweaked_private_key_hex")))
    assert spent[index].script[2:] == output_key
    assert ssa.verify(digest, output_key, signature)
    assert expected == {"aux_rand": "00*32"}


def roles(vector: Vector) -> None:
    """Signer and combiner as BIP-174 has them, or what a finaliser makes of all signatures."""
    (finalised if vector["expected"].keys() & _FINAL else signers)(vector)


def finalised(vector: Vector) -> None:
    given, expected = dict(vector["input"]), dict(vector["expected"])
    where = network(given.pop("network", "mainnet"))
    text = given.pop("psbt_base64")
    assert not given
    decoded = BITCOIN.decode(where, text)
    expected.pop("note", None)
    final = finalising.finalise(decoded.psbt, decoded.locks)
    if final is None:
        raise NotExpressible("an input that nothing here has a key or the script for is not finalised")
    made = finalising.extract(final)
    wanted = expected.pop("finalized_psbt_base64", None)
    assert wanted is None or _unordered(psbt.parse_text(wanted)) == _unordered(final)
    assert expected == {name: {"raw_tx_hex": made.serialize().hex(), "txid": made.txid}[name] for name in expected}


def signers(vector: Vector) -> None:
    given, expected = dict(vector["input"]), dict(vector["expected"])
    expected.pop("note", None)
    if not expected:
        BITCOIN.decode(network(given["network"]), given["psbt_base64"])
        raise NotExpressible("the PSBT is of another signer's wallet")
    wanted = psbt.parse_text(expected.pop("psbt_base64"))
    assert not expected
    assert given.keys() <= _ROLES
    if "psbts_base64" in given:
        first, second = map(psbt.parse_text, given["psbts_base64"])
        _combined(first, second, wanted)
        return
    text = given["psbt_base64"]
    for wif in given["wifs"]:  # as raw keys: the paths beside them are of no scheme
        key = _of_wif(wif)
        signed: Signed = run(key, lambda held: held.sign(network("testnet"), text, PERMISSIVE))  # noqa: B023
        text = signed.raw
        assert not signed.complete
    assert _unordered(psbt.parse_text(text)) == _unordered(wanted)


def _unordered(one: psbt.Psbt) -> psbt.Psbt:
    """The content, independent of the order in the maps, which BIP-174 leaves open."""
    return replace(one, order=(), inputs=tuple(replace(each, order=()) for each in one.inputs))


def _combined(first: psbt.Psbt, second: psbt.Psbt, wanted: psbt.Psbt) -> None:
    """The service has no combiner. Signing one after another gives the same maps."""
    inputs = tuple(
        replace(one, partial_sigs={**one.partial_sigs, **other.partial_sigs})
        for one, other in zip(first.inputs, second.inputs, strict=True)
    )
    combined = psbt.parse(psbt.serialize(replace(first, inputs=inputs)))
    assert _unordered(combined) == _unordered(wanted)


def multisig(vector: Vector) -> None:
    given, expected = dict(vector["input"]), dict(vector["expected"])
    assert given.keys() == _MULTISIG
    where, text = network(given["network"]), given["psbt_base64"]
    witness_script, partial = given["witness_script_hex"], expected.pop("partial_sig_hex")
    for count, place in enumerate(given["signers"], 1):
        words = Mnemonic(Secret(given["mnemonics"][place]), Secret(""))
        signed: Signed = run(words, lambda held: held.sign(where, text, DEFAULT))  # noqa: B023 - called at once
        last = count == len(given["signers"])
        assert (signed.complete, signed.tx_id) == (last, expected["txid"])
        if not last:
            assert signed.raw == signed.details["psbt"]
            [only] = psbt.parse_text(signed.raw).inputs
            assert only.witness_script == bytes.fromhex(witness_script)
            assert len(only.partial_sigs) == count
            assert all(partial.get(key.hex()) == made.hex() for key, made in only.partial_sigs.items())
            text = signed.raw
    transaction = parse(bytes.fromhex(signed.raw))
    assert {made.hex() for made in transaction.inputs[0].witness[1:-1]} == set(partial.values())
    assert expected == {"raw_tx_hex": signed.raw, "txid": transaction.txid}


def refused(vector: Vector) -> None:
    given = vector["input"]
    assert vector["expected"]["error"] is True
    assert given.keys() <= {"network", "mnemonic", "psbt_base64"}
    assert vector["expected"].keys() <= {"error", "reason", "kind", "stage"}
    key = mnemonic(given) if "mnemonic" in given else Mnemonic(Secret("abandon " * 11 + "about"), Secret(""))
    where = network(given.get("network", "mainnet"))
    try:
        run(key, lambda held: held.sign(where, given["psbt_base64"], DEFAULT))
    except Refused:
        return
    raise AssertionError("accepted")


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "btc.sign.public": sign,
    "btc.sign.psbt": sign,
    "btc.sign.sighash": any_sighash,
    "btc.sign.psbt_roles": roles,
    "btc.sign.multisig": multisig,
    "btc.negative.psbt_signer": refused,
    "btc.negative.psbt_policy": refused,
}
