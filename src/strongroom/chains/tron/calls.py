"""What the data of a TriggerSmartContract says: the calls of the EVM chains, with Tron's addresses.

TRC-20 and TRC-721 have the ABI of ERC-20 and ERC-721. Two functions of older tokens, USDT among them, are Tron's own,
and some wallets write the byte 0x41 before a recipient: contracts take the last 20 bytes of the word, so it is the same
recipient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from strongroom.chains.evm import calls as evm
from strongroom.chains.tron import addresses
from strongroom.codecs import abi, eip55
from strongroom.domain.summary import Action

UNLIMITED: Final = evm.UNLIMITED
_WORD: Final = abi.WORD
_SELECTOR: Final = 4
_PREFIXED: Final = bytes(11) + addresses.PREFIX
_APPROVALS: Final = {
    abi.selector(signature): signature
    for signature in ("increaseApproval(address,uint256)", "decreaseApproval(address,uint256)")
}
_MAX_SIGNATURE: Final = 256
_MAX_ARGUMENTS: Final = 1024
"""Those in arrays are counted."""
_PREFIXES: Final[tuple[tuple[int, ...], ...]] = ((), (0,), (1,), (0, 1))
"""Words that may carry the byte 0x41: every function that is known takes its addresses first, and no more than two."""


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple[Any, ...]
    """Addresses as 20 bytes."""
    prefixed: bool
    """An address carries the byte 0x41, which the contract does not see."""

    @property
    def raises_allowance(self) -> bool:
        return self.name in ("approve", "increaseAllowance", "increaseApproval", "permit")

    @property
    def lowers_allowance(self) -> bool:
        return self.name in ("decreaseAllowance", "decreaseApproval")


def read(data: bytes) -> Call | None:
    """None where the function is not known or the arguments are not its canonical encoding."""
    for words in _PREFIXES:
        plain = _without_prefixes(data, words)
        if plain is None:
            continue
        found = evm.read(plain) or _approval(plain)
        if found is not None and all(isinstance(found.args[word], bytes) for word in words):
            return Call(found.name, found.args, bool(words))
    return None


def action(call: Call, sender: str | None, contract: str) -> Action:
    """The effect of a call to ``contract``. ``sender`` and ``contract`` as Tron shows them, and so is what it gives."""
    if call.name in ("increaseApproval", "decreaseApproval"):
        return Action(
            kind="token_approve",
            from_address=sender,
            spender=addresses.to_text(addresses.PREFIX + call.args[0]),
            amount=str(call.args[1]),
            contract=contract,
            asset=contract,
            method=call.name,
        )
    found = evm.action(evm.Call(call.name, call.args), _to_evm(sender), _to_evm(contract) or "")
    shown = {name: _from_evm(getattr(found, name)) for name in ("from_address", "to", "spender", "contract", "asset")}
    return msgspec.structs.replace(found, **shown)


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


def _approval(data: bytes) -> evm.Call | None:
    signature = _APPROVALS.get(data[:_SELECTOR])
    if signature is None:
        return None
    try:
        return evm.Call(signature.partition("(")[0], abi.decode(abi.types(signature), data[_SELECTOR:]))
    except ValueError:
        return None


def _without_prefixes(data: bytes, words: tuple[int, ...]) -> bytes | None:
    """With the byte 0x41 before the address in each of these words put to zero; None where one does not carry it."""
    plain = bytearray(data)
    for word in words:
        at = _SELECTOR + word * _WORD
        if plain[at : at + len(_PREFIXED)] != _PREFIXED:
            return None
        plain[at + len(_PREFIXED) - 1] = 0
    return bytes(plain)


def _to_evm(text: str | None) -> str | None:
    return None if text is None else eip55.checksum(addresses.from_base58(text)[1:])


def _from_evm(text: str | None) -> str | None:
    return None if text is None else addresses.to_text(addresses.PREFIX + eip55.parse(text))
