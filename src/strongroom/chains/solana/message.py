"""The messages of transactions: legacy, version 0 with lookup tables, and version 1 (SIMD-0385). These are signed.

The rules are those of the validator (`sanitize` of the Solana SDK, account locks of Agave), so that a message that no
validator would run is refused before a key is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strongroom.chains.solana.wire import Reader, compact_u16

LEGACY: Final = -1
"""The version of a message without a version byte."""
V0: Final = 0
V1: Final = 1
VERSIONED: Final = 0x80
V1_BYTE: Final = VERSIONED | V1
MAX_SIZE: Final = {LEGACY: 1232, V0: 1232, V1: 4096}
"""Bytes of a whole transaction. 1232 is the least MTU of IPv6 without headers, and 4096 is from SIMD-0385."""

_KEY: Final = 32
_MAX_KEYS: Final = 256
_V1_MAX_SIGNATURES: Final = 12
_V1_MAX_KEYS: Final = 64
_V1_MAX_INSTRUCTIONS: Final = 64
_V1_KNOWN_BITS: Final = 0b11111
_V1_PRIORITY_FEE: Final = 0b11


@dataclass(frozen=True, slots=True)
class Header:
    """The number of static keys that sign, and the numbers of read-only keys at the end of the two parts."""

    signers: int
    readonly_signers: int
    readonly_others: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """An instruction whose accounts are indexes, first of static keys, then of keys from lookup tables."""

    program: int
    accounts: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Lookup:
    table: bytes
    writable: bytes
    readonly: bytes


@dataclass(frozen=True, slots=True)
class Config:
    """The compute budget in a version 1 message. The fee is in lamports. None means that a value is not set."""

    priority_fee: int | None = None
    compute_unit_limit: int | None = None
    loaded_accounts_size: int | None = None
    heap_size: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    version: int
    header: Header
    keys: tuple[bytes, ...]
    """Static keys, 32 bytes each. The signers come first, and the first of them pays the fee."""
    blockhash: bytes
    instructions: tuple[Compiled, ...]
    lookups: tuple[Lookup, ...] = ()
    config: Config = field(default_factory=Config)

    @property
    def signers(self) -> tuple[bytes, ...]:
        return self.keys[: self.header.signers]

    def is_writable(self, index: int) -> bool:
        """Whether the message asks for write access to an account, by its index."""
        header, static = self.header, len(self.keys)
        if index < header.signers:
            return index < header.signers - header.readonly_signers
        if index < static:
            return index < static - header.readonly_others
        return index - static < sum(len(each.writable) for each in self.lookups)

    def serialize(self) -> bytes:
        """The bytes of the message. They are compared with the input, and the structured form is built with them."""
        header = bytes((self.header.signers, self.header.readonly_signers, self.header.readonly_others))
        if self.version == V1:
            return _serialize_v1(self, header)
        parts = [b"" if self.version == LEGACY else bytes((VERSIONED | self.version,)), header]
        parts += [compact_u16(len(self.keys)), *self.keys, self.blockhash, compact_u16(len(self.instructions))]
        for each in self.instructions:
            parts += [bytes((each.program,)), _counted(each.accounts), _counted(each.data)]
        if self.version == V0:
            parts.append(compact_u16(len(self.lookups)))
            parts += [each.table + _counted(each.writable) + _counted(each.readonly) for each in self.lookups]
        return b"".join(parts)


def parse(raw: bytes) -> Message:
    """Read a message with nothing after it. Raises ValueError."""
    reader = Reader(raw)
    found = read(reader)
    reader.end()
    return found


def read(reader: Reader) -> Message:
    """Raises ValueError."""
    first = reader.uint(1)
    version = first & 0x7F if first & VERSIONED else LEGACY
    if version not in MAX_SIZE:
        raise ValueError(f"message version {version} is not supported")
    if version == V1:
        found = _read_v1(reader)
    else:
        signers = first if version == LEGACY else reader.uint(1)
        header = Header(signers, reader.uint(1), reader.uint(1))
        keys = tuple(reader.take(_KEY) for _ in range(_length(reader, _KEY)))
        blockhash = reader.take(_KEY)
        instructions = tuple(_instruction(reader) for _ in range(_length(reader, 3)))
        lookups = () if version == LEGACY else tuple(_lookup(reader) for _ in range(_length(reader, _KEY + 2)))
        found = Message(version, header, keys, blockhash, instructions, lookups)
    _check(found)
    return found


def _length(reader: Reader, least: int) -> int:
    """A count of items of at least ``least`` bytes. Raises ValueError if they cannot all follow."""
    count = reader.compact_u16()
    if count * least > reader.rest:
        raise ValueError("the bytes end too early")
    return count


def _instruction(reader: Reader) -> Compiled:
    program = reader.uint(1)
    return Compiled(program, reader.take(reader.compact_u16()), reader.take(reader.compact_u16()))


def _lookup(reader: Reader) -> Lookup:
    return Lookup(reader.take(_KEY), reader.take(reader.compact_u16()), reader.take(reader.compact_u16()))


def _read_v1(reader: Reader) -> Message:
    header = Header(reader.uint(1), reader.uint(1), reader.uint(1))
    mask = reader.uint(4)
    if mask & ~_V1_KNOWN_BITS or mask & _V1_PRIORITY_FEE not in (0, _V1_PRIORITY_FEE):
        raise ValueError("the configuration mask of a version 1 message has unknown bits")
    blockhash = reader.take(_KEY)
    instructions, addresses = reader.uint(1), reader.uint(1)
    keys = tuple(reader.take(_KEY) for _ in range(addresses))
    config = Config(
        priority_fee=reader.uint(8) if mask & _V1_PRIORITY_FEE else None,
        compute_unit_limit=reader.uint(4) if mask & 0b100 else None,
        loaded_accounts_size=reader.uint(4) if mask & 0b1000 else None,
        heap_size=reader.uint(4) if mask & 0b10000 else None,
    )
    sizes = [(reader.uint(1), reader.uint(1), reader.uint(2)) for _ in range(instructions)]
    compiled = tuple(Compiled(program, reader.take(accounts), reader.take(data)) for program, accounts, data in sizes)
    return Message(V1, header, keys, blockhash, compiled, config=config)


def _serialize_v1(message: Message, header: bytes) -> bytes:
    config = message.config
    values = [
        (_V1_PRIORITY_FEE, 8, config.priority_fee),
        (0b100, 4, config.compute_unit_limit),
        (0b1000, 4, config.loaded_accounts_size),
        (0b10000, 4, config.heap_size),
    ]
    given = [(bits, value.to_bytes(size, "little")) for bits, size, value in values if value is not None]
    instructions = message.instructions
    parts = [bytes((V1_BYTE,)), header, sum(bits for bits, _ in given).to_bytes(4, "little"), message.blockhash]
    parts += [bytes((len(instructions), len(message.keys))), *message.keys, *(value for _, value in given)]
    parts += [bytes((each.program, len(each.accounts))) + len(each.data).to_bytes(2, "little") for each in instructions]
    parts += [each.accounts + each.data for each in instructions]
    return b"".join(parts)


def _check(message: Message) -> None:
    header, keys = message.header, message.keys
    if not header.signers:
        raise ValueError("it has no signer")
    if header.readonly_signers >= header.signers:
        raise ValueError("the fee payer is read-only")
    if header.signers + header.readonly_others > len(keys):
        raise ValueError("its header counts more accounts than there are")
    if len(set(keys)) != len(keys):
        raise ValueError("it has the same account key twice")
    loaded = _loaded(message.lookups)
    total = len(keys) + loaded
    if total > _MAX_KEYS:
        raise ValueError("it names more than 256 accounts")
    for each in message.instructions:
        if not 0 < each.program < len(keys):
            raise ValueError("a program is the fee payer, or is not among the static keys")
        if each.accounts and max(each.accounts) >= total:
            raise ValueError("an instruction names an account that does not exist")
    if message.version == V1:
        _check_v1(message)


def _loaded(lookups: Sequence[Lookup]) -> int:
    """The number of accounts from lookup tables. Raises ValueError if an entry is loaded twice or a table unused."""
    seen: set[tuple[bytes, int]] = set()
    count = 0
    for each in lookups:
        indexes = each.writable + each.readonly
        if not indexes:
            raise ValueError("a lookup table is named but none of its entries is loaded")
        seen.update((each.table, index) for index in indexes)
        count += len(indexes)
    if len(seen) != count:
        raise ValueError("the same entry of a lookup table is loaded twice")
    return count


def _check_v1(message: Message) -> None:
    if message.header.signers > _V1_MAX_SIGNATURES or len(message.keys) > _V1_MAX_KEYS:
        raise ValueError("a version 1 message must have at most 12 signers and 64 addresses")
    if len(message.instructions) > _V1_MAX_INSTRUCTIONS:
        raise ValueError("a version 1 message must have at most 64 instructions")
    if message.config.heap_size is not None and message.config.heap_size % 1024:
        raise ValueError("the heap size of a version 1 message must be a multiple of 1024")


def _counted(data: bytes) -> bytes:
    return compact_u16(len(data)) + data
