"""What the data of a TriggerSmartContract does: the calls of every chain with the Solidity ABI, with Tron's addresses.

Some wallets write the byte 0x41 before a recipient. Contracts take the last 20 bytes of the word, so it is the same
recipient, and it is read as that.
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
"""How many addresses the functions of a token begin with: only there the byte is looked for."""
_MAX_SIGNATURE: Final = 256
_MAX_ARGUMENTS: Final = 1024
"""Those in arrays are counted."""


@dataclass(frozen=True, slots=True)
class TronCall:
    reading: Reading
    prefixed: bool
    """An address carries the byte 0x41, which the contract does not see."""

    @property
    def unknown(self) -> int:
        """Calls that were not understood. A contract runs code without data too."""
        return self.reading.unknown or (1 if self.is_bare else 0)

    @property
    def is_bare(self) -> bool:
        return self.reading.effects[0].kind == "transfer" and len(self.reading.effects) == 1


def read(contract: bytes, data: bytes, owner: bytes) -> TronCall:
    """``contract`` and ``owner``: 21 bytes. Coins that go with the call are not part of it."""
    plain = _without_prefixes(data)
    return TronCall(read_call(Call(contract[1:], plain, 0, owner[1:])), plain != data)


def action(effect: Effect, symbol: str) -> Action:
    return effects.action(effect, addresses.from_evm, symbol)


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


def _without_prefixes(data: bytes) -> bytes:
    plain = bytearray(data)
    for word in range(_ADDRESSES.get(data[:_SELECTOR], 0)):
        at = _SELECTOR + word * abi.WORD
        if plain[at : at + len(_PREFIXED)] == _PREFIXED:
            plain[at + len(_PREFIXED) - 1] = 0
    return bytes(plain)
