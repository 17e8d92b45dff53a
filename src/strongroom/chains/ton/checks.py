"""The rules and limits that a transfer has to meet before anything is signed."""

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
"""Times are in seconds and amounts in nanotons.

- min_validity is how long a message must still be valid. None signs one that has expired.
- max_validity is how long it may be valid. The first message of a wallet may be valid for ever (0xffffffff), as in
  other wallets.
- max_amount is the most that all messages together may send, as far as they state it.
- unknown_calls is the number of messages with a payload, or a payload inside it, that may be unknown. 0 refuses them.
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
"""Seconds by which the creation time of a highload message may be ahead of this clock."""


def check(transfer: TonTransfer, account: Account | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
    """Raises InvalidTransaction, LimitExceeded, OptionRequired.

    With ``account=None`` nothing is to be signed, and the checks that depend on the contract are skipped.
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
        cautions = (*_message(message, field, policy), *_payload(message, field, policy))
        found += cautions
        unknown += any(each.code in _UNKNOWN for each in cautions)
        _check_unknown(unknown, limits["unknown_calls"], f"{field}.payload")
    return tuple({each.code: each for each in found}.values())


def check_size(signed: Cell) -> None:
    """Raises InvalidTransaction if the message is too long for nodes."""
    if boc.size(signed) > boc.MAX_BYTES:
        raise InvalidTransaction("the message is larger than nodes accept", field="unsigned_tx")


def _check_contract(transfer: TonTransfer, account: Account) -> None:
    contract = account.contract
    if (transfer.query_id is not None) != (contract is HIGHLOAD_V3):
        wanted = "query_id and created_at" if contract is HIGHLOAD_V3 else "seqno and valid_until"
        raise InvalidTransaction(f"a wallet with contract {contract.name} needs {wanted}", field="unsigned_tx")
    if len(transfer.messages) > contract.max_messages:
        raise InvalidTransaction(
            f"a wallet with contract {contract.name} can send at most {contract.max_messages} messages at once",
            field="unsigned_tx.messages",
        )
    if contract in (V5R1, HIGHLOAD_V3) and not transfer.mode & IGNORE_ERRORS:
        raise InvalidTransaction(
            f"a wallet with contract {contract.name} refuses messages whose mode lacks +2, and uses up their seqno",
            field="unsigned_tx.send_mode",
        )
    if contract is HIGHLOAD_V3 and transfer.mode > SEPARATE_FEES | IGNORE_ERRORS:
        raise InvalidTransaction("a highload wallet must send with mode 2 or 3", field="unsigned_tx.send_mode")


def _check_deploy(transfer: TonTransfer) -> None:
    if transfer.deploy and transfer.seqno:
        raise InvalidTransaction(
            "a wallet is deployed by its first message, so seqno must be 0", field="unsigned_tx.deploy"
        )
    if transfer.query_id is not None and transfer.query_id & 0x3FF > _LAST_BIT:
        raise InvalidTransaction("the last ten bits of query_id must be at most 1022", field="unsigned_tx.query_id")


def _check_time(transfer: TonTransfer, limits: Limits, now: datetime) -> None:
    least, most, at = limits["min_validity"], limits["max_validity"], int(now.timestamp())
    if transfer.valid_until is None:
        assert transfer.created_at is not None
        left, field = transfer.created_at + HIGHLOAD_TIMEOUT - at, "unsigned_tx.created_at"
        if least is not None and transfer.created_at > at + _BEFORE_NODES:
            raise InvalidTransaction("created_at must not be in the future", field=field)
    else:
        left, field = transfer.valid_until - at, "unsigned_tx.valid_until"
    if least is not None and left <= least:
        raise InvalidTransaction(
            "the message has expired, or will expire sooner than the limit min_validity allows", field=field
        )
    for_ever = transfer.seqno == 0 and transfer.valid_until == FOR_EVER
    if transfer.valid_until is not None and most is not None and left > most and not for_ever:
        raise LimitExceeded.over(
            "the message is valid for longer than the limit max_validity allows",
            name="max_validity", limit=most, received=left, field=field,
        )  # fmt: skip


def _check_amounts(transfer: TonTransfer, limits: Limits) -> None:
    most = limits["max_amount"]
    sent = sum(message.amount for message in transfer.messages)
    if most is not None and (transfer.mode & ALL_BALANCE or sent > most):
        all_of_it = (
            "the whole balance, which the limit max_amount does not allow" if transfer.mode & ALL_BALANCE else ""
        )
        raise LimitExceeded.over(
            f"the messages send {all_of_it or 'more than the limit max_amount allows'}",
            name="max_amount", limit=most, received=sent, field="unsigned_tx.messages",
        )  # fmt: skip


def _modes(transfer: TonTransfer, policy: Policy) -> Iterator[Caution]:
    mode, field = transfer.mode, "unsigned_tx.send_mode"
    if mode & ~_MODES:
        raise InvalidTransaction("send_mode must be a sum of 1, 2, 32, 64 and 128", field=field)
    if mode & ALL_BALANCE and mode & INBOUND_VALUE:
        raise InvalidTransaction("send_mode 64 and 128 cannot be combined", field=field)
    if mode & DESTROY:
        yield policy.permit(hazards.DESTROY_WALLET, field=field)
    if mode & INBOUND_VALUE:
        yield policy.permit(hazards.CARRY_INBOUND_VALUE, field=field)
    if mode & ALL_BALANCE:
        if len(transfer.messages) != 1:
            raise InvalidTransaction(
                "send_mode 128 sends the whole balance, so it must be the only message", field=field
            )
        if transfer.messages[0].amount:
            raise InvalidTransaction(
                "with send_mode 128 the amount is ignored, so it must be 0", field="unsigned_tx.messages.0.amount"
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
        raise InvalidTransaction("state_init does not belong to the address", field=f"{field}.state_init")


def _payload(message: OutMessage, field: str, policy: Policy) -> Iterator[Caution]:
    payload = message.payload
    recipient = payload.recipient if isinstance(payload, JettonTransfer) else None
    recipient = payload.new_owner if isinstance(payload, NftTransfer) else recipient
    if recipient == message.to.canonical:  # the sender's own jetton wallet, or the NFT itself: neither can send it on
        yield policy.permit(hazards.TO_TOKEN_CONTRACT, field=f"{field}.payload")
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
        raise LimitExceeded.over(
            f"{count} payloads are not understood, wholly or in part, and the limit unknown_calls allows {most}",
            name="unknown_calls", limit=most, received=count, field=field,
        )  # fmt: skip
