"""What the data of a TriggerSmartContract does. The calls are those of the Solidity ABI, with Tron's addresses.

Some wallets write the byte 0x41 before a recipient. Contracts use only the last 20 bytes of the word, so this is read
as the same recipient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.chains.tron import addresses
from strongroom.codecs import abi, effects
from strongroom.codecs.calls import Call, Reading, read_call
from strongroom.codecs.effects import Effect
from strongroom.domain.summary import Action

_SELECTOR: Final = 4
_PREFIXED: Final = bytes(11) + addresses.PREFIX
_ADDRESSES: Final = {
    abi.selector(signature): signature.count("address")
    for signature in (
        "transfer(address,uint256)",
        "transferFrom(address,address,uint256)",
        "approve(address,uint256)",
        "increaseAllowance(address,uint256)",
        "decreaseAllowance(address,uint256)",
        "increaseApproval(address,uint256)",
        "decreaseApproval(address,uint256)",
    )
}
"""The number of leading address arguments of token functions. The byte is looked for only there."""
_MAX_SIGNATURE: Final = 256
_MAX_ARGUMENTS: Final = 1024
"""Argument values, including those in arrays."""


@dataclass(frozen=True, slots=True)
class TronCall:
    reading: Reading
    prefixed: bool
    """Whether an address has the byte 0x41 before it, which the contract ignores."""

    @property
    def unknown(self) -> int:
        """The number of calls that were not understood. A call without data runs code too."""
        return self.reading.unknown or (1 if self.is_bare else 0)

    @property
    def is_bare(self) -> bool:
        return self.reading.effects[0].kind == "transfer" and len(self.reading.effects) == 1


def read(contract: bytes, data: bytes, owner: bytes) -> TronCall:
    """What a call does, apart from coins sent with it. ``contract`` and ``owner`` are 21 bytes."""
    plain = _without_prefixes(data)
    return TronCall(read_call(Call(contract[1:], plain, 0, owner[1:])), plain != data)


def action(effect: Effect, symbol: str) -> Action:
    return effects.action(effect, addresses.from_evm, symbol)


def selector(signature: str) -> bytes:
    """Raises ValueError."""
    if len(signature) > _MAX_SIGNATURE:
        raise ValueError(f"a function signature must have at most {_MAX_SIGNATURE} characters")
    return abi.selector(signature)


def encode(signature: str, arguments: list[object]) -> bytes:
    """The call data of a function and its arguments. Raises ValueError.

    An address is given as ``T…`` or as 41 and 40 hex digits.
    """
    head = selector(signature)
    names = abi.types(signature)
    if len(names) != len(arguments):
        raise ValueError("the number of arguments differs from that of the function")
    if not _is_short(arguments):
        raise ValueError(f"a call must have at most {_MAX_ARGUMENTS} values")
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
            raise ValueError("an address must be a string")
        return addresses.read(value)[1:]
    if name.startswith("address["):
        if not isinstance(value, list):
            raise ValueError("an array must be a list")
        return [_argument(name[: name.rindex("[")], item) for item in value]
    return value


def _without_prefixes(data: bytes) -> bytes:
    plain = bytearray(data)
    for word in range(_ADDRESSES.get(data[:_SELECTOR], 0)):
        at = _SELECTOR + word * abi.WORD
        if plain[at : at + len(_PREFIXED)] == _PREFIXED:
            plain[at + len(_PREFIXED) - 1] = 0
    return bytes(plain)
