"""Partially signed Bitcoin transactions of version 0 (BIP-174), with the Taproot fields of BIP-371."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from btclib_secp256k1 import keys, xonly

from strongroom.codecs import base64text, bip144
from strongroom.codecs.bip144 import Transaction, TxOut
from strongroom.codecs.bitcoin_wire import Reader, compact_size, var_bytes

MAGIC: Final = b"psbt\xff"

_VERSION: Final = b"\xfb"
_GLOBAL_OF_V2: Final = frozenset(range(0x02, 0x07))
_INPUT_OF_V2: Final = frozenset(range(0x0E, 0x13))
_OUTPUT_OF_V2: Final = frozenset({0x03, 0x04})
_XPUB: Final = 78
_MAX_MERKLE_PATH: Final = 128
_SPACE: Final = dict.fromkeys(map(ord, " \t\r\n"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a key."""

    fingerprint: bytes
    """Fingerprint of the master key, 4 bytes."""
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TapOrigin:
    """The origin of an x-only key, and the leaves that it signs. The internal key has no leaves."""

    leaf_hashes: tuple[bytes, ...]
    origin: Origin


Unknown: TypeAlias = Mapping[bytes, bytes]
"""Unknown fields by their whole key. They are kept byte for byte."""
Order: TypeAlias = tuple[bytes, ...]
"""The keys of a map in their original order. Fields that are added later come after them."""


@dataclass(frozen=True, kw_only=True)
class PsbtInput:
    non_witness_utxo: Transaction | None = None
    witness_utxo: TxOut | None = None
    partial_sigs: Mapping[bytes, bytes] = field(default_factory=dict)
    """DER signatures with their sighash byte, by public key."""
    sighash_type: int | None = None
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    bip32_derivations: Mapping[bytes, Origin] = field(default_factory=dict)
    final_script_sig: bytes | None = None
    final_script_witness: tuple[bytes, ...] | None = None
    tap_key_sig: bytes | None = None
    tap_script_sigs: Mapping[bytes, bytes] = field(default_factory=dict)
    """Signatures by x-only key ‖ leaf hash (64 bytes)."""
    tap_leaf_scripts: Mapping[bytes, bytes] = field(default_factory=dict)
    """Script ‖ leaf version, by control block."""
    tap_bip32_derivations: Mapping[bytes, TapOrigin] = field(default_factory=dict)
    tap_internal_key: bytes | None = None
    tap_merkle_root: bytes | None = None
    unknown: Unknown = field(default_factory=dict)
    order: Order = ()

    @property
    def is_final(self) -> bool:
        return self.final_script_sig is not None or self.final_script_witness is not None


@dataclass(frozen=True, kw_only=True)
class PsbtOutput:
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    bip32_derivations: Mapping[bytes, Origin] = field(default_factory=dict)
    tap_internal_key: bytes | None = None
    tap_tree: bytes | None = None
    tap_bip32_derivations: Mapping[bytes, TapOrigin] = field(default_factory=dict)
    unknown: Unknown = field(default_factory=dict)
    order: Order = ()


@dataclass(frozen=True, kw_only=True)
class Psbt:
    transaction: Transaction
    inputs: tuple[PsbtInput, ...]
    outputs: tuple[PsbtOutput, ...]
    xpubs: Mapping[bytes, Origin] = field(default_factory=dict)
    """Origins by extended key, 78 bytes."""
    version: int | None = None
    """0, or None if the field is absent."""
    unknown: Unknown = field(default_factory=dict)
    order: Order = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """One type of field in a map, and the attribute that holds its value."""

    kind: int
    name: str
    read: Callable[[bytes], Any] = bytes
    write: Callable[[Any], bytes] = bytes
    key: Callable[[bytes], bytes] | None = None
    """Checks the key data after the type. None if there must be none, so that the field occurs once."""

    def pairs(self, value: Any) -> Iterable[tuple[bytes, bytes]]:
        prefix = bytes((self.kind,))
        if self.key is not None:
            return [(prefix + key, self.write(one)) for key, one in value.items()]
        return [] if value is None else [(prefix, self.write(value))]


Table: TypeAlias = Mapping[int, _Field]


def parse(raw: bytes) -> Psbt:
    """Raises ValueError on anything that BIP-174 or BIP-371 calls invalid, on version 2 and on trailing bytes."""
    if not raw.startswith(MAGIC):
        raise ValueError("a PSBT must begin with the bytes 70736274ff")
    reader = Reader(raw[len(MAGIC) :])
    found = _read_map(reader)
    if found.get(_VERSION, bytes(4)) != bytes(4):
        raise ValueError("the PSBT must have version 0: let the program that made it convert version 2 (BIP-370)")
    fields = _parse_map(found, _GLOBAL, _GLOBAL_OF_V2)
    if "transaction" not in fields:
        raise ValueError("the PSBT has no unsigned transaction")
    inputs = tuple(
        PsbtInput(**_parse_map(_read_map(reader), _INPUT, _INPUT_OF_V2)) for _ in fields["transaction"].inputs
    )
    outputs = tuple(
        PsbtOutput(**_parse_map(_read_map(reader), _OUTPUT, _OUTPUT_OF_V2)) for _ in fields["transaction"].outputs
    )
    reader.end()
    return Psbt(inputs=inputs, outputs=outputs, **fields)


def without_space(text: str) -> str:
    """The text without white space, which files, mails and terminals add."""
    return text.translate(_SPACE)


def parse_text(text: str) -> Psbt:
    """Read base64 or hex on any number of lines. Raises ValueError."""
    text = without_space(text)
    if text[: 2 * len(MAGIC)].lower() == MAGIC.hex():
        if not text.isascii() or not text.isalnum():
            raise ValueError("the PSBT is not hex")
        return parse(bytes.fromhex(text))
    try:
        raw = base64text.decode(text)
    except ValueError:
        raw = b""
    if not raw:
        raise ValueError("a PSBT must be base64, or hex that begins with 70736274ff")
    return parse(raw)


def serialize(psbt: Psbt) -> bytes:
    """The bytes of a PSBT. A parsed one gives its original bytes."""
    maps = [_write_map(psbt, _GLOBAL)]
    maps += (_write_map(one, _INPUT) for one in psbt.inputs)
    maps += (_write_map(one, _OUTPUT) for one in psbt.outputs)
    return MAGIC + b"".join(maps)


def to_base64(psbt: Psbt) -> str:
    return b64encode(serialize(psbt)).decode()


def _read_map(reader: Reader) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while key := reader.var_bytes():
        if key in found:
            raise ValueError("a map of the PSBT has the same key twice")
        found[key] = reader.var_bytes()
    return found


def _parse_map(found: Mapping[bytes, bytes], table: Table, forbidden: frozenset[int]) -> dict[str, Any]:
    by_kind: dict[int, dict[bytes, bytes]] = defaultdict(dict)
    unknown = {}
    for key, value in found.items():
        kind = key[0]  # all known types have one byte
        if kind in table:
            by_kind[kind][key[1:]] = value
        elif kind in forbidden:
            raise ValueError("a PSBT of version 0 must not have fields of version 2")
        else:
            unknown[key] = value
    values = {table[kind].name: _parse_field(table[kind], given) for kind, given in by_kind.items()}
    return values | {"unknown": unknown, "order": tuple(found)}


def _parse_field(one: _Field, given: Mapping[bytes, bytes]) -> Any:
    try:
        if one.key is not None:
            return {one.key(key): one.read(value) for key, value in given.items()}
        if given.keys() != {b""}:
            raise ValueError("the key of this field must be only its type")
        return one.read(given[b""])
    except ValueError as reason:
        raise ValueError(f"{one.name} of the PSBT: {reason}") from None


def _write_map(one: Psbt | PsbtInput | PsbtOutput, table: Table) -> bytes:
    pairs = {key: value for field in table.values() for key, value in field.pairs(getattr(one, field.name))}
    pairs |= one.unknown
    came = dict.fromkeys(key for key in one.order if key in pairs)
    ordered = (*came, *(key for key in pairs if key not in came))
    return b"".join(var_bytes(key) + var_bytes(pairs[key]) for key in ordered) + b"\0"


def _unsigned(raw: bytes) -> Transaction:
    found = bip144.parse_unsigned(raw)
    if any(txin.script_sig for txin in found.inputs):
        raise ValueError("an input of the unsigned transaction must not have a scriptSig")
    return found


def _write_unsigned(found: Transaction) -> bytes:
    return found.serialize(witness=False)


def _txout(raw: bytes) -> TxOut:
    reader = Reader(raw)
    found = bip144.read_output(reader)
    reader.end()
    return found


def _witness(raw: bytes) -> tuple[bytes, ...]:
    reader = Reader(raw)
    found = bip144.read_witness(reader)
    reader.end()
    return found


def _u32(raw: bytes) -> int:
    return int.from_bytes(_sized(raw, 4), "little")


def _write_u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _origin(raw: bytes) -> Origin:
    if len(raw) < 4 or len(raw) % 4:
        raise ValueError("a key origin must be a fingerprint and steps of 4 bytes")
    steps = tuple(int.from_bytes(raw[at : at + 4], "little") for at in range(4, len(raw), 4))
    return Origin(raw[:4], steps)


def _write_origin(origin: Origin) -> bytes:
    return origin.fingerprint + b"".join(map(_write_u32, origin.path))


def _tap_origin(raw: bytes) -> TapOrigin:
    reader = Reader(raw)
    leaves = tuple(reader.take(32) for _ in range(reader.count(32)))
    return TapOrigin(leaves, _origin(reader.take(reader.left)))


def _write_tap_origin(tap: TapOrigin) -> bytes:
    return compact_size(len(tap.leaf_hashes)) + b"".join(tap.leaf_hashes) + _write_origin(tap.origin)


def _tap_tree(raw: bytes) -> bytes:
    reader = Reader(raw)
    while True:
        depth, leaf_version = reader.u8(), reader.u8()
        if depth > _MAX_MERKLE_PATH or leaf_version % 2:
            raise ValueError("a leaf must be at most 128 deep and have an even version")
        reader.var_bytes()
        if not reader.left:
            return raw


def _sized(raw: bytes, *sizes: int) -> bytes:
    if len(raw) not in sizes:
        raise ValueError("it has the wrong length")
    return raw


def _public_key(raw: bytes) -> bytes:
    if not keys.pubkey_verify(_sized(raw, 33, 65)):
        raise ValueError("the public key is not valid")
    return raw


def _xonly(raw: bytes) -> bytes:
    if not xonly.pubkey_verify(_sized(raw, 32)):
        raise ValueError("the x-only public key is not valid")
    return raw


def _extended_key(raw: bytes) -> bytes:
    return _sized(raw, _XPUB)


def _der(raw: bytes) -> bytes:
    return _sized(raw, *range(9, 74))


def _schnorr(raw: bytes) -> bytes:
    return _sized(raw, 64, 65)


def _hash(raw: bytes) -> bytes:
    return _sized(raw, 32)


def _key_and_leaf(raw: bytes) -> bytes:
    _xonly(_sized(raw, 64)[:32])
    return raw


def _control_block(raw: bytes) -> bytes:
    return _sized(raw, *range(33, 33 + 32 * _MAX_MERKLE_PATH + 1, 32))


def _leaf_script(raw: bytes) -> bytes:
    if not raw:
        raise ValueError("the leaf version is missing")
    return raw


def _table(*fields: _Field) -> Table:
    return {field.kind: field for field in fields}


_GLOBAL: Final = _table(
    _Field(0x00, "transaction", _unsigned, _write_unsigned),
    _Field(0x01, "xpubs", _origin, _write_origin, _extended_key),
    _Field(_VERSION[0], "version", _u32, _write_u32),
)
_INPUT: Final = _table(
    _Field(0x00, "non_witness_utxo", bip144.parse, Transaction.serialize),
    _Field(0x01, "witness_utxo", _txout, TxOut.serialize),
    _Field(0x02, "partial_sigs", _der, key=_public_key),
    _Field(0x03, "sighash_type", _u32, _write_u32),
    _Field(0x04, "redeem_script"),
    _Field(0x05, "witness_script"),
    _Field(0x06, "bip32_derivations", _origin, _write_origin, _public_key),
    _Field(0x07, "final_script_sig"),
    _Field(0x08, "final_script_witness", _witness, bip144.serialize_witness),
    _Field(0x13, "tap_key_sig", _schnorr),
    _Field(0x14, "tap_script_sigs", _schnorr, key=_key_and_leaf),
    _Field(0x15, "tap_leaf_scripts", _leaf_script, key=_control_block),
    _Field(0x16, "tap_bip32_derivations", _tap_origin, _write_tap_origin, _xonly),
    _Field(0x17, "tap_internal_key", _xonly),
    _Field(0x18, "tap_merkle_root", _hash),
)
_OUTPUT: Final = _table(
    _Field(0x00, "redeem_script"),
    _Field(0x01, "witness_script"),
    _Field(0x02, "bip32_derivations", _origin, _write_origin, _public_key),
    _Field(0x05, "tap_internal_key", _xonly),
    _Field(0x06, "tap_tree", _tap_tree),
    _Field(0x07, "tap_bip32_derivations", _tap_origin, _write_tap_origin, _xonly),
)
