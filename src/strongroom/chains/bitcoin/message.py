"""Messages by Bitcoin Core's `signmessage`, BIP-137 and BIP-322.

The first two are a recoverable signature and differ only in its first byte. `signmessage` supports only P2PKH. Electrum
and Sparrow use the same byte for every kind of address, and BIP-137 has one byte for each kind.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btclib_secp256k1 import dsa, keys, recovery

from strongroom.chains.base import no_message_format
from strongroom.chains.bitcoin import address, schemes, script, sighash
from strongroom.chains.bitcoin.bip322 import Challenge, Variant, from_base64
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.chains.bitcoin.spending import UnknownScriptError
from strongroom.chains.implementing import message_key, only_signature, own
from strongroom.codecs import hexadecimal
from strongroom.codecs.bip144 import Transaction
from strongroom.codecs.bitcoin_wire import var_bytes
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import hash256
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.signing import (
    Algorithm,
    Message,
    OurKey,
    Ours,
    Prepared,
    Purpose,
    SignedMessage,
    ToSign,
)
from strongroom.domain.summary import Action, Caution, Summary
from strongroom.errors import InternalError, InvalidMessage

BIP322: Final = "bip322"
BITCOIN: Final = "bitcoin"
BIP137: Final = "bip137"
MESSAGE_FORMATS: Final = (BIP322, BITCOIN, BIP137)

_MAGIC: Final = b"\x18Bitcoin Signed Message:\n"
_SCRIPTS: Final = {
    ScriptKind.P2PKH: schemes.p2pkh,
    ScriptKind.P2SH: schemes.p2sh_p2wpkh,
    ScriptKind.P2WPKH: schemes.p2wpkh,
    ScriptKind.P2TR: schemes.p2tr,
}
"""The scripts of a single key."""
_HEADERS: Final = {ScriptKind.P2PKH: 31, ScriptKind.P2SH: 35, ScriptKind.P2WPKH: 39}
"""The first byte of a BIP-137 signature by a compressed key, before the recovery id is added."""
_UNCOMPRESSED: Final = 27
_RECOVERABLE: Final = 65


@dataclass(frozen=True, slots=True)
class _Template:
    key: OurKey
    kind: ScriptKind
    digest: bytes
    form: str
    challenge: Challenge | None
    """Set only for BIP-322."""


def prepare(network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
    """``ours`` holds the one key that signs. Raises InvalidMessage, WrongKey."""
    key = message_key(ours)
    template = _template(message, key)
    taproot = template.kind is ScriptKind.P2TR
    to_sign = ToSign(
        path=key.path,
        algorithm=Algorithm.SCHNORR if taproot else Algorithm.ECDSA,
        payload=template.digest,
        public_key=key.public_key,
        purpose=Purpose.MESSAGE,
        taproot_root=b"" if taproot else None,
    )
    summary = Summary(
        network=network.name,
        type=message.format,
        actions=[Action(kind="message", data_size=len(message.data))],
        from_address=address.encode(address.params(network), key.address),
        payload_hash=hexadecimal.to_text(template.digest),
    )
    prepared = Prepared(network=network, to_sign=(to_sign,), summary=summary, template=template)
    return prepared, _cautions(message.format, template.kind)


def assemble(prepared: Prepared, signatures: Sequence[bytes]) -> SignedMessage:
    """Raises InternalError if a signature is not valid."""
    template, made = own(prepared.template, _Template), only_signature(signatures)
    challenge, details = template.challenge, {}
    if challenge is None:
        signature = _recoverable(template, made)
    else:
        signed = _complete(challenge, template, made)
        signature = challenge.encode(signed)
        details = {
            "variant": challenge.variant.name.lower(),
            "message_hash": challenge.message_hash.hex(),
            "to_spend_txid": challenge.to_spend.txid,
            "to_sign_txid": signed.txid,
        }
    return SignedMessage(
        signature=signature,
        address=prepared.summary.from_address or "",
        digest=hexadecimal.to_text(template.digest),
        details=details,
    )


def verify(network: Network, message: Message, signature: str, signer: str) -> bool:
    """Whether the address ``signer`` signed the message. Raises InvalidMessage, InvalidAddress.

    An address with a script of an unknown kind raises InvalidMessage too. BIP-322 calls this inconclusive.
    """
    _known(message.format)
    address_script = address.decode(address.params(network), signer)
    try:
        if message.format == BIP322 and not _is_legacy(address_script, signature):
            challenge = Challenge(message.data, address_script)
            return challenge.is_met(challenge.decode(signature))
        return _is_signed_by(address_script, message.data, from_base64(signature))
    except UnknownScriptError:
        raise InvalidMessage("signatures of an address with this script cannot be verified", field="address") from None
    except ValueError as error:
        raise InvalidMessage(str(error), field="signature") from None


def _known(form: str) -> None:
    if form not in MESSAGE_FORMATS:
        raise no_message_format(MESSAGE_FORMATS)


def _template(message: Message, key: OurKey) -> _Template:
    _known(message.format)
    kind = next((kind for kind, script_of in _SCRIPTS.items() if script_of(key.public_key) == key.address), None)
    if kind is None:
        raise InvalidMessage("an address with several keys cannot sign messages", field="address")
    if message.format != BIP322:
        if kind not in _HEADERS:
            raise InvalidMessage("a Taproot address can only sign messages in the format bip322", field="format")
        return _Template(key, kind, _digest(message.data), message.format, None)
    challenge = Challenge(message.data, key.address)
    return _Template(key, kind, _virtual_digest(challenge, kind, key), message.format, challenge)


def _cautions(form: str, kind: ScriptKind) -> tuple[Caution, ...]:
    if form != BITCOIN or kind is ScriptKind.P2PKH:
        return ()
    return (caution("not_verified_by_core"),)


def _digest(data: bytes) -> bytes:
    return hash256(_MAGIC + var_bytes(data))


def _virtual_digest(challenge: Challenge, kind: ScriptKind, key: OurKey) -> bytes:
    code = schemes.p2pkh(key.public_key)
    if kind is ScriptKind.P2TR:
        return sighash.taproot(challenge.to_sign, 0, challenge.to_spend.outputs, HashType.DEFAULT)
    if kind is ScriptKind.P2PKH:
        return sighash.legacy(challenge.to_sign, 0, code, HashType.ALL)
    return sighash.segwit_v0(challenge.to_sign, 0, code, 0, HashType.ALL)


def _recoverable(template: _Template, made: bytes) -> str:
    compact, recovery_id = made[:64], made[64] if len(made) == _RECOVERABLE else -1
    if _recover(template.digest, compact, recovery_id) != template.key.public_key:
        raise InternalError("a signature is not valid")
    header = _HEADERS[template.kind if template.form == BIP137 else ScriptKind.P2PKH]
    return base64.b64encode(bytes((header + recovery_id,)) + compact).decode()


def _complete(challenge: Challenge, template: _Template, made: bytes) -> Transaction:
    key = template.key.public_key
    if template.kind is ScriptKind.P2TR:
        signed = challenge.signed(witness=(made,))
    else:
        signature = dsa.to_der(made[:64]) + bytes((HashType.ALL,))
        if template.kind is ScriptKind.P2PKH:
            signed = challenge.signed(script_sig=script.push(signature) + script.push(key))
        else:
            nested = template.kind is ScriptKind.P2SH
            signed = challenge.signed(script.push(schemes.p2wpkh(key)) if nested else b"", (signature, key))
    if not challenge.is_met(signed):
        raise InternalError("a signature is not valid")
    return signed


def _is_legacy(address_script: bytes, signature: str) -> bool:
    """Whether this is a recoverable signature, which BIP-322 still accepts for P2PKH addresses."""
    if script.classify(address_script)[0] is not ScriptKind.P2PKH or signature[:3] in tuple(Variant):
        return False
    return len(from_base64(signature)) == _RECOVERABLE


def _is_signed_by(address_script: bytes, data: bytes, raw: bytes) -> bool:
    """Whether ``raw`` is a signature by this address. Raises ValueError if it is no recoverable signature."""
    if len(raw) != _RECOVERABLE or not _UNCOMPRESSED <= raw[0] < _UNCOMPRESSED + 16:
        raise ValueError("a signature must be 65 bytes in base64, and the first of them 27 to 42")
    form, recovery_id = divmod(raw[0] - _UNCOMPRESSED, 4)
    key = _recover(_digest(data), raw[1:], recovery_id)
    if key is None:
        return False
    if form == 0:
        return address_script == script.p2pkh(hash160(keys.reserialize(key, compressed=False)))
    stated = {header: kind for kind, header in _HEADERS.items()}[raw[0] - recovery_id]
    # 31 to 34 may mean any kind, because Electrum and Sparrow write nothing else.
    kinds = _HEADERS if stated is ScriptKind.P2PKH else (stated,)
    return any(_SCRIPTS[kind](key) == address_script for kind in kinds)


def _recover(digest: bytes, compact: bytes, recovery_id: int) -> bytes | None:
    try:
        return recovery.recover(digest, compact, recovery_id)
    except ValueError:
        return None
