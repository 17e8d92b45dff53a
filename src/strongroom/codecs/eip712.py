"""EIP-712 typed data, in the version that wallets call `eth_signTypedData_v4`.

As in MetaMask, a struct that is absent or null is encoded as 32 zero bytes, so that recursive types can end, and
fields of a domain or a message that its type does not have are not signed. Unlike MetaMask, this requires every other
field, a salt to be signed if there is one, integers in range, N bytes in bytesN, valid EIP-55 addresses, and a
definition for every type that is used.

The work is bounded by limits on the types, their fields, their text and the number of hashed values.
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
"""Characters in the name of a type or a field."""
_MAX_TYPES: Final = 64
_MAX_FIELDS: Final = 512
"""Fields of all types together."""
_MAX_TEXT: Final = 2**14
"""Characters of all encoded types together. Each type may refer to all others and is hashed with them."""
_MAX_VALUES: Final = 2**12
"""Fields and array items together. A short message can use a type with many absent fields many times."""
_ABSENT: Final = bytes(32)
_DOMAIN_FIELDS: Final = frozenset({"name", "version", "chainId", "verifyingContract", "salt"})
_ARRAY: Final = re.compile(r"(.*)\[([1-9][0-9]{0,5})?\]", re.DOTALL)
_NAME: Final = re.compile(r"[^\s\[\](),\x00-\x1f]*")
"""Anything that cannot be mistaken for the punctuation of an encoded type. Empty names of types exist in practice."""
_NOT_A_NAME: Final = re.compile(r"(?:u?int|bytes)[0-9]*|address|bool|string|u?fixed[0-9x]*", re.ASCII)
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)

Fields = tuple[tuple[str, str], ...]
"""Pairs of name and type, in the order of the definition."""
ParseAddress = Callable[[str], bytes]
"""Reads an address as 20 bytes, or raises ValueError."""


class TypedDataError(ValueError):
    """The document is not typed data, or does not match its own types."""


@dataclass(frozen=True, slots=True)
class TypedData:
    primary_type: str
    encoded_type: str
    """The primary type with all types that it refers to, as hashed (encodeType). Contracts accept one such text."""
    domain: Mapping[str, Any]
    """The fields of the domain that are signed."""
    message: Mapping[str, Any]
    """The fields of the message that are in the primary type."""
    types: Mapping[str, Fields]
    """The fields of each struct. Fields of the message that are not listed here are not signed."""
    domain_separator: bytes
    digest: bytes
    """The 32 bytes to sign."""
    has_unsigned_fields: bool
    """Whether the domain or the message has fields that are not in their types, so that they are not signed."""


def parse(
    document: Mapping[str, object],
    *,
    parse_address: ParseAddress = eip55.parse,
    aliases: Mapping[str, str] | None = None,
) -> TypedData:
    """Read typed data, an object of ``types``, ``primaryType``, ``domain`` and ``message``. Raises TypedDataError.

    ``aliases`` maps further atomic types to the type that they are encoded as. In TIP-712, trcToken is a uint256.
    """
    if document.keys() != {"types", "primaryType", "domain", "message"}:
        raise TypedDataError("typed data must have exactly types, primaryType, domain and message")
    primary = document["primaryType"]
    domain, message = _object(document["domain"], "domain"), _object(document["message"], "message")
    encoder = _Encoder(_definitions(document["types"], aliases or {}), parse_address, aliases or {})
    if not isinstance(primary, str) or primary not in encoder.types:
        raise TypedDataError("primaryType must be one of types")
    if not domain.keys() >= {name for name, _ in encoder.types[DOMAIN]}:
        raise TypedDataError("domain lacks a field of the type EIP712Domain")
    if domain.get("salt") is not None and "salt" not in dict(encoder.types[DOMAIN]):
        # Wallets use the other fields themselves. A salt serves only to be signed, so the types belong elsewhere.
        raise TypedDataError("domain has a salt, but the type EIP712Domain does not")
    separator = encoder.hash_struct(DOMAIN, domain, 0)
    # If the primary type is the domain itself, only the domain is signed, as in MetaMask.
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
    """The value of an integer field, given as a JSON integer, decimal text or 0x-hex. Raises ValueError."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return int(value, 16)
    return abi.integer(value)


def _definitions(value: object, aliases: Mapping[str, str]) -> dict[str, Fields]:
    types = _object(value, "types")
    if DOMAIN not in types:
        raise TypedDataError("types must have EIP712Domain")
    if len(types) > _MAX_TYPES:
        raise TypedDataError(f"types must have at most {_MAX_TYPES} entries")
    for name in types:
        if len(name) > MAX_NAME or _NAME.fullmatch(name) is None or _NOT_A_NAME.fullmatch(name) or name in aliases:
            raise TypedDataError("a name in types is not a valid name for a struct")
    definitions = {name: _fields(fields) for name, fields in types.items()}
    if sum(map(len, definitions.values())) > _MAX_FIELDS:
        raise TypedDataError(f"types must have at most {_MAX_FIELDS} fields in all")
    if not {name for name, _ in definitions[DOMAIN]} <= _DOMAIN_FIELDS:
        raise TypedDataError("EIP712Domain may only have the fields name, version, chainId, verifyingContract and salt")
    for fields in definitions.values():
        for _, kind in fields:
            core = _core(kind)
            if core not in definitions and core not in abi.ATOMIC and core not in aliases:
                raise TypedDataError("a field in types has a type that is not defined")
    return definitions


def _fields(value: object) -> Fields:
    if not isinstance(value, list):
        raise TypedDataError("a type in types must be a list of fields")
    fields: dict[str, str] = {}
    for field in value:
        if not isinstance(field, dict) or field.keys() != {"name", "type"}:
            raise TypedDataError("a field in types must have exactly name and type")
        name, kind = field["name"], field["type"]
        if not isinstance(name, str) or not isinstance(kind, str) or max(len(name), len(kind)) > MAX_NAME:
            raise TypedDataError(f"the name and type of a field in types must be text of at most {MAX_NAME} characters")
        if not name or _NAME.fullmatch(name) is None:
            raise TypedDataError("the name of a field in types is not valid")
        if name in fields:
            raise TypedDataError("a type in types has two fields with the same name")
        fields[name] = kind
    return tuple(fields.items())


@lru_cache(maxsize=512)
def _array(kind: str) -> tuple[str, int | None] | None:
    """The item type and the fixed size (or None) of an array type. None for any other type."""
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
            raise TypedDataError(f"types must have at most {_MAX_TEXT} characters in all")
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
        """The 32 bytes of a value in encodeData."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise TypedDataError("message is nested too deeply or has too many values")
        if kind in self.types:
            return _ABSENT if value is None else self.hash_struct(kind, _object(value, "a struct in message"), depth)
        if value is None:
            raise TypedDataError("a field of domain or message is missing or null")
        array = _array(kind)
        if array is not None:
            item, size = array
            if not isinstance(value, list) or size not in (None, len(value)):
                raise TypedDataError("an array in message must be a list with the length that its type states")
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
                raise ValueError("a bool must be true or false")
            return value.to_bytes(32, "big")
        if not isinstance(value, str):
            raise ValueError("an address, bytes and a string must be JSON strings")
        if kind == "address":
            return self._parse_address(value).rjust(32, b"\0")
        if kind == "string":
            return keccak256(_utf8(value))
        raw = hexadecimal.to_bytes(value)
        if kind == "bytes":
            return keccak256(raw)
        if len(raw) != int(kind.removeprefix("bytes")):
            raise ValueError("bytesN must have N bytes")
        return raw.ljust(32, b"\0")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypedDataError(f"{what} must be an object")
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise TypedDataError("a string must be valid Unicode") from None
