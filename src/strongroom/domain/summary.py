"""What a transaction or message does, decoded by us, in words that all chains share."""

from __future__ import annotations

from typing import Any

import msgspec


class Caution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is allowed but that a person would want to know."""

    code: str
    """unlimited_approval, high_fee …"""
    message: str


class Fee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most that the sender can pay for inclusion."""

    amount: str
    """Base units, decimal."""
    asset: str
    rate: str | None = None
    """Base units per unit of size or gas, decimal."""
    limit: str | None = None
    """Units of size or gas at most, decimal."""


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One effect. ``kind`` says which of the fields are set."""

    kind: str
    """transfer, token_transfer, token_transfer_from, token_approve, swap, contract_creation, contract_call,
    authorization, message, typed_data; of an order: offer, consideration; of inputs and outputs: spend, transfer,
    change, data; on Tron: stake, unstake, delegate_resource, undelegate_resource, withdraw_rewards, withdraw_unstaked,
    cancel_unstaking, vote, account_creation, permission_update."""
    from_address: str | None = None
    to: str | None = None
    amount: str | None = None
    """Base units, decimal."""
    asset: str | None = None
    """Symbol of the native coin, or the token's contract address."""
    spender: str | None = None
    contract: str | None = None
    """The contract that is called, created (where it can be known) or delegated to."""
    method: str | None = None
    """Name of the function where known, else its selector."""
    data_size: int | None = None
    """Bytes of call data, init code or message."""
    details: dict[str, Any] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    network: str
    type: str
    """legacy, eip2930, eip1559, eip4844, eip7702, eip191, eip712, psbt, TransferContract, tip191 …"""
    actions: list[Action]
    from_address: str | None = None
    """The signer, where it is known."""
    sequence: str | None = None
    """Nonce or seqno, decimal."""
    fee: Fee | None = None
    payload_hash: str | None = None
    """What is signed: 0x-hex of the digest, where there is one."""
    details: dict[str, Any] = {}
    """What only this chain's transactions have; JSON values."""
