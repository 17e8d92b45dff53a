"""What a transaction or message does, as the service decoded it, in terms that all chains share."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Caution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is signed but that a person should know."""

    code: Annotated[str, Meta(description="Stable code of the warning: unlimited_approval, high_fee …")]
    message: Annotated[str, Meta(description="The warning, for people")]


class Fee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most that the sender can pay for inclusion."""

    amount: Annotated[str, Meta(description="In base units of the asset, decimal")]
    asset: Annotated[str, Meta(description="Symbol of the coin that the fee is paid in")]
    rate: Annotated[str | None, Meta(description="Base units per unit of size or gas, decimal")] = None
    limit: Annotated[str | None, Meta(description="Maximum units of size or gas, decimal")] = None


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One effect. ``kind`` says which of the fields are set."""

    kind: Annotated[
        str,
        Meta(
            description="Kind of action, which determines the fields that are set: transfer, token_transfer, "
            "token_approve, contract_call …"
        ),
    ]
    """transfer, token_transfer, token_transfer_from, token_approve, swap, contract_creation, contract_call,
    authorization, message, typed_data; of an order: offer, consideration; of a call that others make: refund, fee; of
    inputs and outputs: spend, transfer, change, data; on Tron: stake, unstake, delegate_resource, undelegate_resource,
    withdraw_rewards, withdraw_unstaked, cancel_unstaking, vote, account_creation, permission_update."""
    from_address: Annotated[str | None, Meta(description="Address that pays or acts, as the network writes it")] = None
    to: Annotated[str | None, Meta(description="Address that receives, as the network writes it")] = None
    amount: Annotated[str | None, Meta(description="In base units of the asset, decimal")] = None
    asset: Annotated[str | None, Meta(description="Symbol of the native coin, or the token's contract address")] = None
    spender: Annotated[str | None, Meta(description="Address that is allowed to spend the tokens")] = None
    contract: Annotated[
        str | None, Meta(description="Contract that is called, created (if its address can be known) or delegated to")
    ] = None
    method: Annotated[str | None, Meta(description="Name of the function if it is known, otherwise its selector")] = (
        None
    )
    data_size: Annotated[int | None, Meta(description="Bytes of call data, init code or message")] = None
    details: Annotated[dict[str, Any], Meta(description="Chain-specific details")] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    network: str
    type: Annotated[
        str, Meta(description="Type of the transaction or message: legacy, eip1559, psbt, TransferContract, eip712 …")
    ]
    actions: list[Action]
    from_address: Annotated[str | None, Meta(description="Address of the signer, if it is known")] = None
    sequence: Annotated[str | None, Meta(description="Nonce or seqno, decimal")] = None
    fee: Annotated[
        Fee | None, Meta(description="Maximum that the sender can pay for inclusion; left out for a message")
    ] = None
    payload_hash: Annotated[str | None, Meta(description="Digest that is signed, 0x-hex, if there is one")] = None
    details: Annotated[dict[str, Any], Meta(description="Chain-specific details")] = {}
