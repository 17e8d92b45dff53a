"""What is allowed but a person would want to know, and what is refused unless it is asked for by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from strongroom.chains.tron import addresses, contracts
from strongroom.chains.tron.calls import UNLIMITED, Call
from strongroom.chains.tron.checks import LIMITS
from strongroom.chains.tron.decoding import TronTransaction
from strongroom.chains.tron.transaction import Transaction
from strongroom.domain import hazards
from strongroom.domain.signing import OurKey, Policy
from strongroom.domain.summary import Caution
from strongroom.errors import WrongKey

_ZERO = addresses.PREFIX + bytes(20)


def of_transaction(decoded: TronTransaction, key: OurKey | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
    """``key``: the one that signs, None if nobody does. Raises OptionRequired, WrongKey."""
    read = decoded.transaction
    found = list(_signers(decoded, key, policy))
    high = policy.limits.get("high_fee_warning", LIMITS["high_fee_warning"])
    if high is not None and read.fee_limit >= high:
        found.append(Caution(code="high_fee", message="The call may burn unusually much"))
    if read.expires <= now:
        found.append(Caution(code="expired", message="Has expired: no block takes it any more"))
    if read.memo:
        found.append(Caution(code="memo", message="A memo costs extra, and everybody can read it"))
    if read.contract is contracts.PERMISSION_UPDATE:
        found.append(policy.permit(hazards.PERMISSION_UPDATE))
    elif read.contract is contracts.TRIGGER:
        found += _trigger(decoded)
    else:
        found += _plain(read)
    return tuple(found)


def _signers(decoded: TronTransaction, key: OurKey | None, policy: Policy) -> Iterator[Caution]:
    read = decoded.transaction
    if read.permission_id:
        message = "Signed under a permission of the account: the network counts the keys and weights that it has"
        yield Caution(code="account_permission", message=message)
        return
    if key is not None and key.address != read.owner and hazards.OWNER_COSIGNING.name not in policy.options.allow:
        raise WrongKey(
            "the key that signs is not that of owner_address, and the transaction states no Permission_id",
            field="unsigned_tx.raw_data.contract[0].parameter.value.owner_address",
        )
    if decoded.signers or (key is not None and key.address != read.owner):
        yield policy.permit(hazards.OWNER_COSIGNING, field="unsigned_tx.signature")


def _plain(read: Transaction) -> Iterator[Caution]:
    if read.values.get("to_address") == _ZERO:
        yield _to_zero("Goes to the zero address, where it is lost")
    if read.contract is contracts.DELEGATE and read.values.get("lock"):
        yield Caution(code="locked_delegation", message="Cannot be taken back before the lock ends")


def _trigger(decoded: TronTransaction) -> Iterator[Caution]:
    read, call = decoded.transaction, decoded.call
    contract: bytes = read.values["contract_address"]
    pays = read.values.get("call_value") or read.values.get("call_token_value")
    if pays and read.values.get("data"):
        yield Caution(code="call_with_value", message="Calls a contract and sends coins or tokens with the call")
    if call is None:
        yield Caution(code="unknown_call", message="What the contract is asked to do is not understood here")
        return
    if call.prefixed:
        message = "The recipient is written with the byte 0x41 before it, which some contracts refuse"
        yield Caution(code="prefixed_address", message=message)
    yield from _token_call(call, contract[1:], read.owner[1:])


def _token_call(call: Call, contract: bytes, owner: bytes) -> Iterator[Caution]:
    if call.raises_allowance:
        if call.args[2 if call.name == "permit" else 1] >= UNLIMITED:
            yield unlimited_approval()
    elif call.name == "setApprovalForAll":
        if call.args[1]:
            yield Caution(code="approval_for_all", message="Lets the spender move every token of this contract")
    elif not call.lowers_allowance:
        to = call.args[0] if call.name == "transfer" else call.args[1]
        if to == contract:
            yield Caution(code="to_token_contract", message="Sends tokens to their own contract, where they are lost")
        if to == _ZERO[1:]:
            yield _to_zero("Sends tokens to the zero address")
        if to == owner:
            yield Caution(code="to_self", message="Sends tokens to the sender itself")


def unlimited_approval() -> Caution:
    return Caution(code="unlimited_approval", message="Lets the spender take all there is, for good")


def _to_zero(message: str) -> Caution:
    return Caution(code="to_zero_address", message=message)
