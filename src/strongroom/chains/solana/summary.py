"""The summary and the cautions of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from strongroom.chains.solana.checks import LIMITS
from strongroom.chains.solana.decoding import SolanaTransaction, is_advance
from strongroom.chains.solana.message import LEGACY, V1
from strongroom.chains.solana.networks import SYMBOL
from strongroom.codecs import base58
from strongroom.codecs.ed25519 import is_on_curve
from strongroom.domain.cautions import caution
from strongroom.domain.signing import Policy
from strongroom.domain.summary import Action, Caution, Fee, Summary


def summarise(decoded: SolanaTransaction, ours: bytes | None) -> Summary:
    """``ours`` is the key that signs, or None if nothing is to be signed."""
    message = decoded.message
    details: dict[str, Any] = {
        "fee_payer": base58.encode(message.keys[0]),
        "signers": [base58.encode(key) for key in message.signers],
        "fee_lamports": str(decoded.fee),
    }
    if decoded.nonce is None:
        details["recent_blockhash"] = base58.encode(message.blockhash)
    else:
        account, value = base58.encode(decoded.nonce.account), base58.encode(decoded.nonce.value)
        details["durable_nonce"] = {"account": account, "value": value}
    if decoded.last_valid_block_height is not None:
        details["last_valid_block_height"] = str(decoded.last_valid_block_height)
    memos = [step.action.details["memo"] for step in decoded.steps if step.action.kind == "memo"]
    if memos:
        details["memo"] = memos[0] if len(memos) == 1 else memos
    return Summary(
        network=decoded.network.name,
        type="legacy" if message.version == LEGACY else f"v{message.version}",
        actions=_actions(decoded),
        from_address=base58.encode(ours or message.keys[0]),
        fee=_fee(decoded),
        details=details,
    )


def _fee(decoded: SolanaTransaction) -> Fee:
    """The fee. A version 1 message has its own compute budget, and validators then ignore budget instructions."""
    config, asked = decoded.message.config, decoded.budget
    units, price = (config.compute_unit_limit, 0) if decoded.message.version == V1 else (asked.units, asked.price)
    return Fee(
        amount=str(decoded.fee),
        asset=SYMBOL,
        rate=str(price) if price else None,
        limit=None if units is None else str(units),
    )


def cautions(decoded: SolanaTransaction, ours: bytes | None, policy: Policy) -> tuple[Caution, ...]:
    found = [*_of_transaction(decoded, policy), *(each for step in decoded.steps for each in step.cautions)]
    found += _of_transfers(decoded)
    found += _of_privileges(decoded, ours)
    return tuple(dict.fromkeys(found))


def _actions(decoded: SolanaTransaction) -> list[Action]:
    """The actions. The owner of a token account is known, and shown, only if the transaction creates the account."""
    owners = {
        step.action.to: step.action.details["owner"]
        for step in decoded.steps
        if step.action.kind == "token_account_creation" and step.action.details["is_of_owner"]
    }
    return [_with_owner(step.action, owners.get(step.action.to)) for step in decoded.steps]


def _with_owner(action: Action, owner: str | None) -> Action:
    if owner is None or action.kind != "token_transfer":
        return action
    return msgspec.structs.replace(action, details={**action.details, "destination_owner": owner})


def _of_transaction(decoded: SolanaTransaction, policy: Policy) -> Iterator[Caution]:
    high = policy.limits.get("high_fee_warning", LIMITS["high_fee_warning"])
    if high is not None and decoded.fee > high:
        yield caution("high_fee")
    if decoded.nonce is not None:
        yield caution("durable_nonce")
    if any(is_advance(each) for each in decoded.instructions[1:]) or (
        decoded.nonce is None and decoded.instructions and is_advance(decoded.instructions[0])
    ):
        yield caution("nonce_misplaced")
    if decoded.message.lookups:
        yield caution("lookup_accounts")


def _of_transfers(decoded: SolanaTransaction) -> Iterator[Caution]:
    for step in decoded.steps:
        action = step.action
        if action.kind != "transfer" or action.to is None or "[" in action.to:
            continue
        if action.to == action.from_address:
            yield caution("to_self")
        if not is_on_curve(base58.decode(action.to)):
            yield caution("to_program_address")


def _of_privileges(decoded: SolanaTransaction, ours: bytes | None) -> Iterator[Caution]:
    mine = {ours} if ours is not None else set(decoded.message.signers)
    handed = [account for step in decoded.steps for account in step.handed if account.key in mine]
    if any(account.signer for account in handed):
        yield caution("signer_to_unknown_program")
    if any(account.writable for account in handed):
        yield caution("writable_to_unknown_program")
