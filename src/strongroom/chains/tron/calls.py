"""What the data of a TriggerSmartContract does: the calls of the Solidity ABI, with Tron's addresses.

TRC-20 and TRC-721 have the ABI of ERC-20 and ERC-721. Some wallets write the byte 0x41 before a recipient. Contracts
take the last 20 bytes of the word, so it is the same recipient.
"""

from __future__ import annotations

from typing import Final

from strongroom.chains.tron import addresses
from strongroom.chains.tron.transaction import Transaction
from strongroom.codecs import abi
from strongroom.codecs.calls import Call, Reading, read_call

_WORD: Final = abi.WORD
_SELECTOR: Final = 4
_PREFIXED: Final = bytes(11) + addresses.PREFIX
_MAX_SIGNATURE: Final = 256
_MAX_ARGUMENTS: Final = 1024
"""Those in arrays are counted."""
_MAX_ADDRESSES: Final = 2
"""Every function that moves tokens takes its addresses first, and no more than two."""


def reading(read: Transaction) -> Reading:
    """What a TriggerSmartContract with data does. Addresses in it have 20 bytes."""
    return _reading(read, read.values["data"])


def without_prefixes(read: Transaction) -> Reading | None:
    """The same call without the byte 0x41 before its addresses, which the contract does not see. None if it has none.

    What else begins with this byte, such as an amount, is no address: without the byte the call would do another thing.
    """
    whole, data = reading(read), bytes(read.values["data"])
    plain = None
    for at in (_SELECTOR + number * _WORD for number in range(_MAX_ADDRESSES)):
        if len(data) >= at + _WORD and data.startswith(_PREFIXED, at):
            bare = data[:at] + bytes(len(_PREFIXED)) + data[at + len(_PREFIXED) :]
            found = _reading(read, bare)
            if found.effects == whole.effects:
                data, plain = bare, found
    return plain


def _reading(read: Transaction, data: bytes) -> Reading:
    target: bytes = read.values["contract_address"]
    return read_call(Call(target[1:], data, read.values.get("call_value", 0), read.owner[1:]))


def show(address: bytes) -> str:
    """20 bytes as Tron shows them."""
    return addresses.to_text(addresses.PREFIX + address)


def selector(signature: str) -> bytes:
    """Raises ValueError."""
    if len(signature) > _MAX_SIGNATURE:
        raise ValueError(f"a function has at most {_MAX_SIGNATURE} characters")
    return abi.selector(signature)


def encode(signature: str, arguments: list[object]) -> bytes:
    """Call data; an address is ``T…`` or 41 and 40 hex digits. Raises ValueError."""
    head = selector(signature)
    names = abi.types(signature)
    if len(names) != len(arguments):
        raise ValueError("the number of arguments is not that of the function")
    if not _is_short(arguments):
        raise ValueError(f"a call has at most {_MAX_ARGUMENTS} values")
    return head + abi.encode(names, [_argument(name, value) for name, value in zip(names, arguments, strict=True)])


def _is_short(arguments: list[object]) -> bool:
    pending, count = list(arguments), len(arguments)
    while pending and count <= _MAX_ARGUMENTS:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
            count += len(value)
    return count <= _MAX_ARGUMENTS


def _argument(name: str, value: object) -> object:
    if name == "address":
        if not isinstance(value, str):
            raise ValueError("an address is a string")
        return addresses.read(value)[1:]
    if name.startswith("address["):
        if not isinstance(value, list):
            raise ValueError("an array is a list")
        return [_argument(name[: name.rindex("[")], item) for item in value]
    return value
