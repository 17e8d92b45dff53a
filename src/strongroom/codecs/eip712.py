"""EIP-712 typed data, version 4 of it (`eth_signTypedData_v4`).

As MetaMask does: a struct that is absent or null is 32 zero bytes (so that a recursive type ends), and what a domain or
a message holds beyond its type is not signed. Stricter than MetaMask: every other field must be there, a salt is signed
if there is one, integers are in range, bytesN has N bytes, addresses pass EIP-55, every type that is named is defined.

Work is bounded: types, their fields and their text, and the values that are hashed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from strongroom.codecs import abi, eip55, hexadecimal
from strongroom.codecs.keccak import keccak256

DOMAIN: Final = "EIP712Domain"
MAX_DEPTH: Final = 64
MAX_NAME: Final = 128
"""Characters of the name of a type or a field."""
_MAX_TYPES: Final = 64
_MAX_FIELDS: Final = 512
"""Of all types together."""
_MAX_TEXT: Final = 2**14
"""Characters of all types as they are encoded. Each type may name all others, and is hashed with them."""
_MAX_VALUES: Final = 2**12
"""Of fields and array items together: a short message can name a type with many absent fields many times."""
_ABSENT: Final = bytes(32)
_DOMAIN_FIELDS: Final = frozenset({"name", "version", "chainId", "verifyingContract", "salt"})
_ARRAY: Final = re.compile(r"(.*)\[([1-9][0-9]{0,5})?\]", re.DOTALL)
_NAME: Final = re.compile(r"[^\s\[\](),\x00-\x1f]*")
"""Anything that cannot be mistaken for the punctuation of an encoded type; the empty name has been seen in use."""
_NOT_A_NAME: Final = re.compile(r"(?:u?int|bytes)[0-9]*|address|bool|string|u?fixed[0-9x]*", re.ASCII)
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)

Fields = tuple[tuple[str, str], ...]
"""(name, type) in the order of the definition."""
ParseAddress = Callable[[str], bytes]


class TypedDataError(ValueError):
    """Not typed data, or not of the types that it states."""


@dataclass(frozen=True, slots=True)
class TypedData:
    primary_type: str
    encoded_type: str
    """The primary type with all that it refers to, as it is hashed: what a contract checks against."""
    domain: Mapping[str, Any]
    """The fields that are signed."""
    message: Mapping[str, Any]
    """The fields that the primary type knows."""
    types: Mapping[str, Fields]
    """What the fields of structs within the message are: others are not signed."""
    domain_separator: bytes
    digest: bytes
    has_unsigned_fields: bool
    """Domain or message hold fields that their types do not know; the signature does not cover them."""


def parse(
    document: Mapping[str, object],
    *,
    parse_address: ParseAddress = eip55.parse,
    aliases: Mapping[str, str] | None = None,
) -> TypedData:
    """Typed data ``{types, primaryType, domain, message}``. Raises TypedDataError.

    ``aliases`` names further atomic types by the one that they are encoded as (TIP-712: trcToken is a uint256), and
    ``parse_address`` reads an address as 20 bytes; it raises ValueError.
    """
    if document.keys() != {"types", "primaryType", "domain", "message"}:
        raise TypedDataError("typed data has exactly types, primaryType, domain and message")
    primary = document["primaryType"]
    domain, message = _object(document["domain"], "domain"), _object(document["message"], "message")
    encoder = _Encoder(_definitions(document["types"], aliases or {}), parse_address, aliases or {})
    if not isinstance(primary, str) or primary not in encoder.types:
        raise TypedDataError("primaryType is one of types")
    if not domain.keys() >= {name for name, _ in encoder.types[DOMAIN]}:
        raise TypedDataError("domain lacks a field that the type EIP712Domain names")
    if domain.get("salt") is not None and "salt" not in dict(encoder.types[DOMAIN]):
        # Wallets need the other fields for themselves; a salt is there to be signed, or the types are another domain's.
        raise TypedDataError("domain has a salt that the type EIP712Domain does not name")
    separator = encoder.hash_struct(DOMAIN, domain, 0)
    # Of a message that is the domain itself only the domain is signed (MetaMask v4).
    body = b"" if primary == DOMAIN else encoder.hash_struct(primary, message, 0)
    return TypedData(
        primary_type=primary,
        encoded_type=encoder.encode_type(primary),
        domain={name: domain[name] for name, _ in encoder.types[DOMAIN]},
        message={name: message[name] for name, _ in encoder.types[primary] if name in message},
        types=encoder.types,
        domain_separator=separator,
        digest=keccak256(b"\x19\x01" + separator + body),
        has_unsigned_fields=encoder.has_unsigned_fields or (primary == DOMAIN and bool(message)),
    )


def integer(value: object) -> int:
    """A value of an integer type: a JSON integer, decimal digits or 0x-hex. Raises ValueError."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return int(value, 16)
    return abi.integer(value)


def _definitions(value: object, aliases: Mapping[str, str]) -> dict[str, Fields]:
    types = _object(value, "types")
    if DOMAIN not in types:
        raise TypedDataError("types has no EIP712Domain")
    if len(types) > _MAX_TYPES:
        raise TypedDataError(f"types has at most {_MAX_TYPES} entries")
    for name in types:
        if len(name) > MAX_NAME or _NAME.fullmatch(name) is None or _NOT_A_NAME.fullmatch(name) or name in aliases:
            raise TypedDataError("a name in types is not a name for a struct")
    definitions = {name: _fields(fields) for name, fields in types.items()}
    if sum(map(len, definitions.values())) > _MAX_FIELDS:
        raise TypedDataError(f"types has at most {_MAX_FIELDS} fields in all")
    if not {name for name, _ in definitions[DOMAIN]} <= _DOMAIN_FIELDS:
        raise TypedDataError("EIP712Domain has fields of name, version, chainId, verifyingContract and salt")
    for fields in definitions.values():
        for _, kind in fields:
            core = _core(kind)
            if core not in definitions and core not in abi.ATOMIC and core not in aliases:
                raise TypedDataError("a field in types is of a type that is not defined")
    return definitions


def _fields(value: object) -> Fields:
    if not isinstance(value, list):
        raise TypedDataError("a type in types is a list of fields")
    fields: dict[str, str] = {}
    for field in value:
        if not isinstance(field, dict) or field.keys() != {"name", "type"}:
            raise TypedDataError("a field in types has exactly name and type")
        name, kind = field["name"], field["type"]
        if not isinstance(name, str) or not isinstance(kind, str) or max(len(name), len(kind)) > MAX_NAME:
            raise TypedDataError(f"the name or type of a field in types is no text, or over {MAX_NAME} characters")
        if not name or _NAME.fullmatch(name) is None:
            raise TypedDataError("the name of a field in types is not a name")
        if name in fields:
            raise TypedDataError("a type in types has two fields of one name")
        fields[name] = kind
    return tuple(fields.items())


@lru_cache(maxsize=512)
def _array(kind: str) -> tuple[str, int | None] | None:
    """Type of the items and fixed size of an array type, None for any other. ``kind`` is short."""
    found = _ARRAY.fullmatch(kind)
    return None if found is None else (found[1], None if found[2] is None else int(found[2]))


@lru_cache(maxsize=512)
def _core(kind: str) -> str:
    """The type inside all array brackets."""
    for _ in range(MAX_DEPTH):
        array = _array(kind)
        if array is None:
            return kind
        kind = array[0]
    raise TypedDataError("an array type is nested too deeply")


class _Encoder:
    """encodeType, typeHash, encodeData and hashStruct of EIP-712 over one set of types."""

    def __init__(self, types: Mapping[str, Fields], parse_address: ParseAddress, aliases: Mapping[str, str]) -> None:
        self.types = types
        self.has_unsigned_fields = False
        self._parse_address = parse_address
        self._aliases = aliases
        self._type_hashes: dict[str, bytes] = {}
        self._written = {
            name: f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})" for name, fields in types.items()
        }
        if sum(map(len, self._written.values())) > _MAX_TEXT:
            raise TypedDataError(f"types has at most {_MAX_TEXT} characters in all")
        self._named = {name: {_core(kind) for _, kind in fields} & types.keys() for name, fields in types.items()}
        self._left = _MAX_VALUES

    def encode_type(self, name: str) -> str:
        return "".join(self._written[struct] for struct in (name, *sorted(self._dependencies(name) - {name})))

    def hash_struct(self, name: str, value: Mapping[str, Any], depth: int) -> bytes:
        fields = self.types[name]
        present = sum(1 for field, _ in fields if field in value)
        self.has_unsigned_fields |= present < len(value)
        body = (self._encode(kind, value.get(field), depth + 1) for field, kind in fields)
        return keccak256(self._type_hash(name) + b"".join(body))

    def _type_hash(self, name: str) -> bytes:
        known = self._type_hashes.get(name)
        if known is None:
            known = self._type_hashes[name] = keccak256(_utf8(self.encode_type(name)))
        return known

    def _dependencies(self, name: str) -> set[str]:
        found, pending = {name}, [name]
        while pending:
            more = self._named[pending.pop()] - found
            found |= more
            pending += more
        return found

    def _encode(self, kind: str, value: object, depth: int) -> bytes:
        """The 32 bytes that stand for a value in encodeData."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise TypedDataError("message is nested too deeply or holds too many values")
        if kind in self.types:
            return _ABSENT if value is None else self.hash_struct(kind, _object(value, "a struct in message"), depth)
        if value is None:
            raise TypedDataError("a field of domain or message is missing or null")
        array = _array(kind)
        if array is not None:
            item, size = array
            if not isinstance(value, list) or size not in (None, len(value)):
                raise TypedDataError("an array in message is a list of the length that its type states")
            return keccak256(b"".join([self._encode(item, each, depth + 1) for each in value]))
        try:
            return self._atom(self._aliases.get(kind, kind), value)
        except ValueError as error:
            raise TypedDataError(f"a value in domain or message does not fit its type: {error}") from None

    def _atom(self, kind: str, value: object) -> bytes:
        if kind in abi.INTEGERS:
            return abi.encode_integer(kind, integer(value))
        if kind == "bool":
            if not isinstance(value, bool):
                raise ValueError("a bool is true or false")
            return value.to_bytes(32, "big")
        if not isinstance(value, str):
            raise ValueError("an address, bytes or a string is a JSON string")
        if kind == "address":
            return self._parse_address(value).rjust(32, b"\0")
        if kind == "string":
            return keccak256(_utf8(value))
        raw = hexadecimal.to_bytes(value)
        if kind == "bytes":
            return keccak256(raw)
        if len(raw) != int(kind.removeprefix("bytes")):
            raise ValueError("bytesN has N bytes")
        return raw.ljust(32, b"\0")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypedDataError(f"{what} is an object")
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise TypedDataError("a string is not valid Unicode") from None
