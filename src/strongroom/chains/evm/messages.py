"""Messages: EIP-191 `personal_sign`, EIP-712 typed data and EIP-7702 authorizations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom.chains.evm import cautions, fields
from strongroom.chains.evm.calls import UNLIMITED
from strongroom.chains.evm.checks import MAX_NONCE
from strongroom.chains.evm.transaction import Authorization
from strongroom.codecs import eip55, eip191, eip712
from strongroom.codecs.eip712 import TypedData, TypedDataError
from strongroom.domain.network import Network
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution
from strongroom.errors import InvalidMessage

EIP191: Final = "eip191"
EIP712: Final = "eip712"
EIP7702: Final = "eip7702"
MESSAGE_FORMATS: Final = (EIP191,)
DOCUMENT_FORMATS: Final = (EIP712, EIP7702)

_SPENDING: Final = frozenset(
    {
        "Permit",
        "PermitSingle",
        "PermitBatch",
        "PermitTransferFrom",
        "PermitBatchTransferFrom",
        "PermitWitnessTransferFrom",
        "PermitBatchWitnessTransferFrom",
        "TransferWithAuthorization",
        "ReceiveWithAuthorization",
        "OrderComponents",
        "BulkOrder",
        "Order",
        "SafeTx",
    }
)
"""Primary types whose signature lets another take tokens: EIP-2612, Permit2, EIP-3009, exchanges, Safe."""
_AMOUNTS: Final = {"value": UNLIMITED, "amount": 2**160 - 1}
"""Where an allowance stands in them, and from where on it means all: Permit2 counts in uint160."""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that could be read: what is signed and what it does."""

    format: str
    digest: bytes
    action: Action
    cautions: tuple[Caution, ...] = ()
    authorization: Authorization | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def read(network: Network, message: Message) -> ReadMessage:
    """Raises InvalidMessage."""
    if message.format == EIP191:
        return _personal(message.data)
    if message.format == EIP712:
        return _typed(network, message.document)
    if message.format == EIP7702:
        return _authorization(network, message.document)
    raise InvalidMessage("this chain has no such message format", field="format")


def _personal(data: bytes) -> ReadMessage:
    return ReadMessage(EIP191, eip191.digest(data), Action(kind="message", data_size=len(data)))


def _typed(network: Network, document: Mapping[str, object]) -> ReadMessage:
    try:
        typed = eip712.parse(document)
    except TypedDataError as error:
        raise InvalidMessage(str(error), field="typed_data") from None
    # A domain may give chainId any type; whoever states one means it.
    if "chainId" in typed.domain and _integer(typed.domain["chainId"]) != network.chain_id:
        raise InvalidMessage("domain.chainId is not that of the network", field="typed_data.domain.chainId")
    action = Action(
        kind="typed_data",
        contract=_text(typed.domain.get("verifyingContract")),
        method=typed.primary_type,
        spender=_text(typed.message.get("spender")),
        details={"primary_type": typed.primary_type, "domain": dict(typed.domain)},
    )
    return ReadMessage(EIP712, typed.digest, action, typed_cautions(typed))


def typed_cautions(typed: TypedData) -> tuple[Caution, ...]:
    found = []
    if typed.primary_type in _SPENDING:
        message = "Lets another take tokens or change them for others, without a transaction of this account"
        found.append(Caution(code="spending_permission", message=message))
        if _unlimited(typed.message) or typed.message.get("allowed") is True:
            found.append(cautions.unlimited_approval())
    if typed.has_unsigned_fields:
        message = "The message holds fields that its type does not have; they are not signed"
        found.append(Caution(code="unsigned_fields", message=message))
    return tuple(found)


def _unlimited(message: Mapping[str, Any]) -> bool:
    """Whether an allowance in a permit, or in its `details` or `permitted`, means all there is."""
    nested = [message]
    for name in ("details", "permitted"):
        inner = message.get(name)
        nested += [part for part in (inner if isinstance(inner, list) else [inner]) if isinstance(part, dict)]
    amounts = ((_integer(part.get(name)), most) for part in nested for name, most in _AMOUNTS.items())
    return any(amount is not None and amount >= most for amount, most in amounts)


def _authorization(network: Network, document: Mapping[str, object]) -> ReadMessage:
    if document.keys() != {"chain_id", "address", "nonce"}:
        raise InvalidMessage("an authorization has exactly chain_id, address and nonce", field="authorization")
    try:
        authorization = Authorization(
            fields.quantity(document["chain_id"]),
            fields.address(document["address"]),
            fields.quantity(document["nonce"]),
        )
    except ValueError as error:
        raise InvalidMessage(str(error), field="authorization") from None
    if authorization.chain_id not in (0, network.chain_id):
        raise InvalidMessage("chain_id is neither that of the network nor 0", field="chain_id")
    if authorization.nonce > MAX_NONCE:
        raise InvalidMessage("nonce is below 2^64 - 1 (EIP-2681)", field="nonce")
    address = eip55.checksum(authorization.address)
    details = {"chain_id": str(authorization.chain_id), "address": address, "nonce": str(authorization.nonce)}
    action = Action(
        kind="authorization",
        contract=address,
        details={"chain_id": details["chain_id"], "nonce": details["nonce"]},
    )
    found = (cautions.delegation(), *([cautions.authorization_any_chain()] if authorization.chain_id == 0 else []))
    return ReadMessage(EIP7702, authorization.signing_hash, action, found, authorization, details)


def _integer(value: object) -> int | None:
    try:
        return eip712.integer(value)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
