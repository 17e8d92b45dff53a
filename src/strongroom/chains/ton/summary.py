"""The summary of a transfer, with one action per message in the order of sending."""

from __future__ import annotations

from typing import Any

from strongroom.chains.ton import addresses
from strongroom.chains.ton.payloads import (
    Comment,
    Empty,
    EncryptedComment,
    JettonBurn,
    JettonTransfer,
    NftTransfer,
    Unknown,
)
from strongroom.chains.ton.transfer import OutMessage, TonTransfer
from strongroom.domain.network import Network
from strongroom.domain.summary import Action, Summary


def summarise(transfer: TonTransfer, sender: bytes | None, contract: str | None, signing_hash: bytes | None) -> Summary:
    network = transfer.network
    text = None if sender is None else addresses.shown(network, sender)
    details: dict[str, Any] = {"mode": transfer.mode, "deploy": transfer.deploy}
    if contract is not None:
        details["contract"] = contract
    if transfer.valid_until is not None:
        details["valid_until"] = transfer.valid_until
    return Summary(
        network=network.name,
        type="transfer" if contract is None else f"wallet_{contract}",
        actions=[_action(network, message, text) for message in transfer.messages],
        from_address=text,
        sequence=transfer.sequence,
        payload_hash=None if signing_hash is None else signing_hash.hex(),
        details=details,
    )


def _action(network: Network, message: OutMessage, sender: str | None) -> Action:
    to = addresses.shown(network, message.to.canonical, bounceable=message.bounce)
    details: dict[str, Any] = {"to_raw": addresses.raw(message.to.canonical), "bounce": message.bounce}
    if message.state_init is not None:
        details["deploys"] = True
    payload = message.payload
    if isinstance(payload, JettonTransfer | JettonBurn | NftTransfer):
        details |= {"value": str(message.amount), "query_id": str(payload.query_id)}
        details |= _response(network, payload.response_to)
        if payload.custom_payload:
            details["custom_payload"] = True
        return _token(network, payload, sender, to, details)
    return Action(
        kind="contract_call" if isinstance(payload, Unknown) else "transfer",
        from_address=sender,
        to=to,
        amount=str(message.amount),
        asset=network.symbol,
        method=_operation(payload) if isinstance(payload, Unknown) else None,
        contract=to if isinstance(payload, Unknown) else None,
        data_size=-(-message.body.length // 8) if isinstance(payload, Unknown) else None,
        details=details | _comment(payload),
    )


def _token(
    network: Network,
    payload: JettonTransfer | JettonBurn | NftTransfer,
    sender: str | None,
    contract: str,
    details: dict[str, Any],
) -> Action:
    """``contract`` is the sender's jetton wallet, or the NFT. The jetton itself cannot be known without a node."""
    if isinstance(payload, JettonBurn):
        amount = str(payload.amount)
        return Action(kind="jetton_burn", from_address=sender, contract=contract, amount=amount, details=details)
    details |= {"forward_amount": str(payload.forward_amount)} | _comment(payload.forward)
    if isinstance(payload.forward, Unknown):
        details["forward_payload"] = {"operation": _operation(payload.forward), "bits": payload.forward.bits}
    recipient = payload.recipient if isinstance(payload, JettonTransfer) else payload.new_owner
    details["recipient_raw"] = addresses.raw(recipient)
    return Action(
        kind="jetton_transfer" if isinstance(payload, JettonTransfer) else "nft_transfer",
        from_address=sender,
        to=addresses.shown(network, recipient),
        amount=str(payload.amount) if isinstance(payload, JettonTransfer) else None,
        contract=contract,
        details=details,
    )


def _response(network: Network, response_to: bytes | None) -> dict[str, str]:
    return {} if response_to is None else {"response_to": addresses.shown(network, response_to)}


def _comment(payload: Empty | Comment | EncryptedComment | Unknown) -> dict[str, Any]:
    if isinstance(payload, Comment):
        return {"comment": payload.text}
    return {"encrypted_comment": True} if isinstance(payload, EncryptedComment) else {}


def _operation(payload: Unknown) -> str:
    return "none" if payload.operation is None else f"0x{payload.operation:08x}"
