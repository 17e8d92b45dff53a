"""What a call's data says, for the token functions that move value or hand out the right to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from strongroom.codecs import abi, eip55
from strongroom.domain.summary import Action

UNLIMITED: Final = 2**255
"""From here on an allowance means "all there ever is"."""

_FUNCTIONS: Final = {
    abi.selector(signature): signature
    for signature in (
        "transfer(address,uint256)",
        "approve(address,uint256)",
        "transferFrom(address,address,uint256)",
        "increaseAllowance(address,uint256)",
        "decreaseAllowance(address,uint256)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        "safeTransferFrom(address,address,uint256)",
        "safeTransferFrom(address,address,uint256,bytes)",
        "safeTransferFrom(address,address,uint256,uint256,bytes)",
        "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
        "setApprovalForAll(address,bool)",
    )
}


@dataclass(frozen=True, slots=True)
class Call:
    """A known function and its arguments."""

    name: str
    args: tuple[Any, ...]


def read(data: bytes) -> Call | None:
    """None where the selector is not known or the arguments are not its canonical encoding."""
    signature = _FUNCTIONS.get(data[:4])
    if signature is None:
        return None
    try:
        return Call(signature.partition("(")[0], abi.decode(abi.types(signature), data[4:]))
    except ValueError:
        return None


def action(call: Call, sender: str | None, contract: str) -> Action:
    """The effect of a call to ``contract``. The amount of transferFrom is a token id where that is an ERC-721."""
    details: dict[str, Any]
    args = [eip55.checksum(arg) if isinstance(arg, bytes) and len(arg) == eip55.LENGTH else arg for arg in call.args]
    common: dict[str, Any] = {"contract": contract, "asset": contract, "method": call.name}
    match call.name:
        case "transfer":
            return Action(kind="token_transfer", from_address=sender, to=args[0], amount=str(args[1]), **common)
        case "approve" | "increaseAllowance" | "decreaseAllowance":
            return Action(kind="token_approve", from_address=sender, spender=args[0], amount=str(args[1]), **common)
        case "permit":
            return Action(kind="token_approve", from_address=args[0], spender=args[1], amount=str(args[2]), **common)
        case "setApprovalForAll":
            return Action(
                kind="token_approve", from_address=sender, spender=args[0], details={"all": args[1]}, **common
            )
        case "transferFrom":
            return Action(kind="token_transfer_from", from_address=args[0], to=args[1], amount=str(args[2]), **common)
        case "safeBatchTransferFrom":
            details = {"token_ids": list(map(str, args[2])), "amounts": list(map(str, args[3]))}
        case _:
            amount = args[3] if len(args) == 5 else 1
            details = {"token_id": str(args[2]), "amount": str(amount)}
    return Action(kind="token_transfer_from", from_address=args[0], to=args[1], details=details, **common)
