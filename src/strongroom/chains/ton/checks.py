"""The rules and limits that a transfer is held against before anything is signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from strongroom.chains.ton import addresses, boc
from strongroom.chains.ton.cell import Cell
from strongroom.chains.ton.contracts import HIGHLOAD_TIMEOUT, HIGHLOAD_V3, V5R1, Account
from strongroom.chains.ton.payloads import Comment, Empty, EncryptedComment, JettonTransfer, NftTransfer, Unknown
from strongroom.chains.ton.transfer import FOR_EVER, OutMessage, TonTransfer
from strongroom.domain import hazards
from strongroom.domain.cautions import caution
from strongroom.domain.signing import Policy
from strongroom.domain.summary import Caution
from strongroom.errors import InvalidTransaction, LimitExceeded

LIMITS: Final[dict[str, int | None]] = {
    "min_validity": 0,
    "max_validity": 86_400,
    "max_amount": None,
    "unknown_calls": None,
}
"""Seconds and nanotons.

min_validity: how long a message must still be valid; None signs one that has expired. max_validity: the longest that
it may be; the first of a wallet may be valid for ever (0xffffffff), as other wallets make it. max_amount: the most
that all messages together may send, as far as they name it. unknown_calls: how many messages may carry a payload
that is not understood, or has one inside; 0 refuses them.
"""

Limits = Mapping[str, int | None]

SEPARATE_FEES: Final = 1
IGNORE_ERRORS: Final = 2
DESTROY: Final = 32
INBOUND_VALUE: Final = 64
ALL_BALANCE: Final = 128
_MODES: Final = SEPARATE_FEES | IGNORE_ERRORS | DESTROY | INBOUND_VALUE | ALL_BALANCE
_UNKNOWN: Final = ("unknown_payload", "unknown_forward_payload")
_NOBODY: Final = bytes(32)
_LAST_BIT: Final = 1022
_BEFORE_NODES: Final = 60
"""Seconds that our clock may be ahead of the chain's when a highload message says when it was made."""


def check(transfer: TonTransfer, account: Account | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
    """``account=None`` (nobody signs) leaves out what depends on the contract.

    Raises InvalidTransaction, LimitExceeded, OptionRequired.
    """
    limits = {**LIMITS, **policy.limits}
    if account is not None:
        _check_contract(transfer, account)
    _check_deploy(transfer)
    _check_time(transfer, limits, now)
    _check_amounts(transfer, limits)
    found = [*_modes(transfer, policy)]
    if account is not None and transfer.network.testnet and account.contract is not V5R1:
        found.append(caution("valid_on_main_network"))
    unknown = 0
    for place, message in enumerate(transfer.messages):
        field = f"unsigned_tx.messages.{place}"
        cautions = (*_message(message, field, policy), *_payload(message))
        found += cautions
        unknown += any(each.code in _UNKNOWN for each in cautions)
        _check_unknown(unknown, limits["unknown_calls"], f"{field}.payload")
    return tuple({each.code: each for each in found}.values())


def check_size(signed: Cell) -> None:
    """Raises InvalidTransaction."""
    if boc.size(signed) > boc.MAX_BYTES:
        raise InvalidTransaction("the message is longer than nodes take", field="unsigned_tx")


def _check_contract(transfer: TonTransfer, account: Account) -> None:
    contract = account.contract
    if (transfer.query_id is not None) != (contract is HIGHLOAD_V3):
        wanted = "query_id and created_at" if contract is HIGHLOAD_V3 else "seqno and valid_until"
        raise InvalidTransaction(f"a wallet of contract {contract.name} needs {wanted}", field="unsigned_tx")
    if len(transfer.messages) > contract.max_messages:
        raise InvalidTransaction(
            f"a wallet of contract {contract.name} sends at most {contract.max_messages} messages at once",
            field="unsigned_tx.messages",
        )
    if contract in (V5R1, HIGHLOAD_V3) and not transfer.mode & IGNORE_ERRORS:
        raise InvalidTransaction(
            f"a wallet of contract {contract.name} refuses messages whose mode is without +2, and uses them up",
            field="unsigned_tx.send_mode",
        )
    if contract is HIGHLOAD_V3 and transfer.mode > SEPARATE_FEES | IGNORE_ERRORS:
        raise InvalidTransaction("a highload wallet sends with mode 2 or 3", field="unsigned_tx.send_mode")


def _check_deploy(transfer: TonTransfer) -> None:
    if transfer.deploy and transfer.seqno:
        raise InvalidTransaction("a wallet is deployed by its first message: seqno 0", field="unsigned_tx.deploy")
    if transfer.query_id is not None and transfer.query_id & 0x3FF > _LAST_BIT:
        raise InvalidTransaction("query_id: its last ten bits are at most 1022", field="unsigned_tx.query_id")


def _check_time(transfer: TonTransfer, limits: Limits, now: datetime) -> None:
    least, most, at = limits["min_validity"], limits["max_validity"], int(now.timestamp())
    if transfer.valid_until is None:
        assert transfer.created_at is not None
        left, field = transfer.created_at + HIGHLOAD_TIMEOUT - at, "unsigned_tx.created_at"
        if least is not None and transfer.created_at > at + _BEFORE_NODES:
            raise InvalidTransaction("created_at is in the future", field=field)
    else:
        left, field = transfer.valid_until - at, "unsigned_tx.valid_until"
    if least is not None and left <= least:
        raise InvalidTransaction("the message has expired, or does so before min_validity", field=field)
    for_ever = transfer.seqno == 0 and transfer.valid_until == FOR_EVER
    if transfer.valid_until is not None and most is not None and left > most and not for_ever:
        raise LimitExceeded("the message is valid for longer than max_validity allows", field=field)


def _check_amounts(transfer: TonTransfer, limits: Limits) -> None:
    most = limits["max_amount"]
    if most is not None and (transfer.mode & ALL_BALANCE or sum(m.amount for m in transfer.messages) > most):
        raise LimitExceeded("the messages send more than max_amount allows", field="unsigned_tx.messages")


def _modes(transfer: TonTransfer, policy: Policy) -> Iterator[Caution]:
    mode, field = transfer.mode, "unsigned_tx.send_mode"
    if mode & ~_MODES:
        raise InvalidTransaction("send_mode is a sum of 1, 2, 32, 64 and 128", field=field)
    if mode & ALL_BALANCE and mode & INBOUND_VALUE:
        raise InvalidTransaction("send_mode 64 and 128 do not go together", field=field)
    if mode & DESTROY:
        yield policy.permit(hazards.DESTROY_WALLET, field=field)
    if mode & INBOUND_VALUE:
        yield policy.permit(hazards.CARRY_INBOUND_VALUE, field=field)
    if mode & ALL_BALANCE:
        if len(transfer.messages) != 1:
            raise InvalidTransaction("send_mode 128 sends all there is: with one message alone", field=field)
        if transfer.messages[0].amount:
            raise InvalidTransaction(
                "with send_mode 128 the amount is not looked at: say 0", field="unsigned_tx.messages.0.amount"
            )
        yield caution("sends_all_balance")
    if not mode & IGNORE_ERRORS:
        yield caution("repeatable_on_failure")


def _message(message: OutMessage, field: str, policy: Policy) -> Iterator[Caution]:
    to = message.to
    if addresses.workchain(to.canonical) == addresses.MASTERCHAIN:
        yield policy.permit(hazards.MASTERCHAIN_RECIPIENT, field=f"{field}.address")
    if to.canonical[1:] == _NOBODY:
        yield caution("zero_address")
    if message.bounce and to.bounceable is False:
        yield caution("bounces")
    if not message.bounce and to.bounceable:
        yield caution("does_not_bounce")
    if message.state_init is not None and message.state_init.hash != to.canonical[1:]:
        raise InvalidTransaction("state_init is not that of the address", field=f"{field}.state_init")


def _payload(message: OutMessage) -> Iterator[Caution]:
    payload = message.payload
    inner = payload.forward if isinstance(payload, JettonTransfer | NftTransfer) else payload
    custom = not isinstance(payload, Empty | Comment | EncryptedComment | Unknown) and payload.custom_payload
    if isinstance(payload, Unknown):
        yield caution("unknown_payload")
    elif isinstance(inner, Unknown) or custom:
        yield caution("unknown_forward_payload")
    if isinstance(inner, EncryptedComment):
        yield caution("encrypted_comment")


def _check_unknown(count: int, most: int | None, field: str) -> None:
    if most is not None and count > most:
        raise LimitExceeded(
            f"{count} payloads are not understood, whole or inside, and the limit unknown_calls is {most}", field=field
        )
