"""The summary of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from strongroom.chains.tron import addresses, calls, contracts, signatures, transaction
from strongroom.chains.tron.contracts import RESOURCES, Contract
from strongroom.chains.tron.decoding import TronTransaction
from strongroom.chains.tron.transaction import Transaction
from strongroom.chains.tron.values import Style, to_object
from strongroom.codecs import hexadecimal
from strongroom.domain.summary import Action, Fee, Summary

_STAKING: Final[dict[Contract, tuple[str, str]]] = {
    contracts.FREEZE: ("stake", "frozen_balance"),
    contracts.UNFREEZE: ("unstake", "unfreeze_balance"),
    contracts.DELEGATE: ("delegate_resource", "balance"),
    contracts.UNDELEGATE: ("undelegate_resource", "balance"),
}
"""The kind of action, and the field with the amount in sun."""
_WITHDRAWING: Final = {
    contracts.WITHDRAW_BALANCE: "withdraw_rewards",
    contracts.WITHDRAW_UNFROZEN: "withdraw_unstaked",
    contracts.CANCEL_UNFREEZE: "cancel_unstaking",
}
_SIGNATURE: Final = bytes(signatures.LENGTH)
_RESULT: Final = 64
"""Bytes that nodes count for the result."""


def summarise(decoded: TronTransaction) -> Summary:
    read = decoded.transaction
    symbol = decoded.network.symbol
    return Summary(
        network=decoded.network.name,
        type=read.contract.name,
        actions=list(_actions(decoded)),
        from_address=addresses.to_text(read.owner),
        fee=Fee(amount=str(read.fee_limit), asset=symbol, limit=str(read.fee_limit)) if read.fee_limit else None,
        payload_hash=hexadecimal.to_text(decoded.tx_id),
        details=_details(decoded),
    )


def memo_text(memo: bytes) -> str | None:
    """The memo as text, or None if it is not UTF-8 or has characters that are invisible or reorder others."""
    try:
        text = memo.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _details(decoded: TronTransaction) -> dict[str, Any]:
    read = decoded.transaction
    found: dict[str, Any] = {
        "tx_id": decoded.tx_id.hex(),
        "permission_id": read.permission_id,
        "expiration": read.expiration,
        "expires_at": transaction.moment(read.expiration).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ref_block_bytes": read.ref_block_bytes.hex(),
        "ref_block_hash": read.ref_block_hash.hex(),
        "bandwidth": _bandwidth(decoded),
    }
    if read.timestamp:
        found["timestamp"] = read.timestamp
    if read.fee_limit:
        found["fee_limit"] = str(read.fee_limit)
    if read.memo:
        text = memo_text(read.memo)
        found |= {"memo_hex": read.memo.hex(), **({} if text is None else {"memo": text})}
    if decoded.signers:
        found["signed_by"] = [addresses.to_text(address) for address in decoded.signers]
    return found


def _bandwidth(decoded: TronTransaction) -> int:
    """Bytes that the network charges for, including the wallet's signature."""
    signatures = [_SIGNATURE] * (1 + len(decoded.signers))
    return len(transaction.serialise(decoded.reading.raw_data, signatures)) + _RESULT


def _actions(decoded: TronTransaction) -> Iterator[Action]:
    read = decoded.transaction
    owner, values, symbol = addresses.to_text(read.owner), read.values, decoded.network.symbol
    if read.contract is contracts.TRIGGER:
        yield from _call(decoded, owner)
    elif read.contract in _STAKING:
        yield _staking(read, owner, symbol)
    elif read.contract in _WITHDRAWING:
        yield Action(kind=_WITHDRAWING[read.contract], from_address=owner, asset=symbol)
    elif read.contract is contracts.TRANSFER:
        yield _transfer(owner, values["to_address"], values.get("amount", 0), symbol)
    elif read.contract is contracts.TRANSFER_ASSET:
        asset = values.get("asset_name", b"").decode("utf-8", "replace")
        yield _token(owner, values["to_address"], values.get("amount", 0), asset)
    elif read.contract is contracts.VOTE_WITNESS:
        for vote in values.get("votes", ()):
            to, count = addresses.to_text(vote["vote_address"]), str(vote.get("vote_count", 0))
            yield Action(kind="vote", from_address=owner, to=to, details={"votes": count})
    elif read.contract is contracts.ACCOUNT_CREATE:
        yield Action(kind="account_creation", from_address=owner, to=addresses.to_text(values["account_address"]))
    else:
        permissions = to_object(read.contract.fields, values, Style.VISIBLE)
        permissions.pop("owner_address")
        yield Action(kind="permission_update", from_address=owner, details=permissions)


def _call(decoded: TronTransaction, owner: str) -> Iterator[Action]:
    values, symbol = decoded.transaction.values, decoded.network.symbol
    data: bytes = values.get("data", b"")
    contract = addresses.to_text(values["contract_address"])
    if decoded.call is not None and data:
        yield from (calls.action(effect, symbol) for effect in decoded.call.reading.effects)
    else:
        yield Action(kind="contract_call", from_address=owner, contract=contract, data_size=0)
    if values.get("call_value"):
        yield _transfer(owner, values["contract_address"], values["call_value"], symbol)
    if values.get("call_token_value"):
        yield _token(owner, values["contract_address"], values["call_token_value"], str(values.get("token_id", 0)))


def _staking(read: Transaction, owner: str, symbol: str) -> Action:
    kind, amount = _STAKING[read.contract]
    details: dict[str, Any] = {"resource": RESOURCES[read.values.get("resource", 0)]}
    if read.values.get("lock") or read.values.get("lock_period"):
        details |= {
            "lock": read.values.get("lock", False),
            "lock_period": str(read.values.get("lock_period", 0)),
        }
    receiver = read.values.get("receiver_address")
    return Action(
        kind=kind,
        from_address=owner,
        to=None if receiver is None else addresses.to_text(receiver),
        amount=str(read.values.get(amount, 0)),
        asset=symbol,
        details=details,
    )


def _transfer(owner: str, to: bytes, amount: int, symbol: str) -> Action:
    return Action(kind="transfer", from_address=owner, to=addresses.to_text(to), amount=str(amount), asset=symbol)


def _token(owner: str, to: bytes, amount: int, asset: str) -> Action:
    """The transfer of a TRC-10 token, which has an id and no contract."""
    return Action(
        kind="token_transfer",
        from_address=owner,
        to=addresses.to_text(to),
        amount=str(amount),
        asset=asset,
        details={"token_id": asset},
    )
