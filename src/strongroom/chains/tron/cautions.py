"""The cautions and hazards of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from strongroom.chains.tron import addresses, contracts
from strongroom.chains.tron.calls import TronCall
from strongroom.chains.tron.checks import LIMITS
from strongroom.chains.tron.decoding import TronTransaction
from strongroom.chains.tron.transaction import Transaction
from strongroom.domain import hazards
from strongroom.domain.cautions import caution
from strongroom.domain.signing import OurKey, Policy
from strongroom.domain.summary import Caution
from strongroom.errors import WrongKey

_ZERO = addresses.PREFIX + bytes(20)
_LOST = {hazard.name: hazard for hazard in (hazards.TO_ZERO_ADDRESS, hazards.TO_TOKEN_CONTRACT)}
_TO = "unsigned_tx.raw_data.contract[0].parameter.value.to_address"
_DATA = "unsigned_tx.raw_data.contract[0].parameter.value.data"


def of_transaction(decoded: TronTransaction, key: OurKey | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
    """``key`` is the one that signs, or None if nothing is to be signed. Raises OptionRequired, WrongKey."""
    read = decoded.transaction
    found = list(_signers(decoded, key, policy))
    high = policy.limits.get("high_fee_warning", LIMITS["high_fee_warning"])
    if high is not None and read.fee_limit >= high:
        found.append(caution("high_fee"))
    if read.expires <= now:
        found.append(caution("expired"))
    if read.memo:
        found.append(caution("memo"))
    if read.contract is contracts.PERMISSION_UPDATE:
        found.append(policy.permit(hazards.PERMISSION_UPDATE))
    elif decoded.call is not None:
        found += _trigger(decoded, decoded.call, policy)
    else:
        found += _plain(read, policy)
    return tuple(found)


def _signers(decoded: TronTransaction, key: OurKey | None, policy: Policy) -> Iterator[Caution]:
    read = decoded.transaction
    if read.permission_id:
        yield caution("account_permission")
        return
    if key is not None and key.address != read.owner and hazards.OWNER_COSIGNING.name not in policy.options.allow:
        raise WrongKey(
            "the key that signs is not that of owner_address, and the transaction has no Permission_id",
            field="unsigned_tx.raw_data.contract[0].parameter.value.owner_address",
        )
    if decoded.signers or (key is not None and key.address != read.owner):
        yield policy.permit(hazards.OWNER_COSIGNING, field="unsigned_tx.signature")


def _plain(read: Transaction, policy: Policy) -> Iterator[Caution]:
    if read.values.get("to_address") == _ZERO:
        yield policy.permit(hazards.TO_ZERO_ADDRESS, field=_TO)
    if read.contract is contracts.DELEGATE and read.values.get("lock"):
        yield caution("locked_delegation")


def _trigger(decoded: TronTransaction, call: TronCall, policy: Policy) -> Iterator[Caution]:
    values = decoded.transaction.values
    if values.get("data") and (values.get("call_value") or values.get("call_token_value")):
        yield caution("call_with_value")
    if call.prefixed:
        yield caution("prefixed_address")
    if not values.get("data"):
        yield caution("unknown_call")
        return
    for code in call.reading.cautions:
        yield policy.permit(_LOST[code], field=_DATA) if code in call.reading.lost else caution(code)
