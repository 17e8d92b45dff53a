"""The responses of toncenter v3, as far as they are read. 64-bit integers and amounts are strings."""

from __future__ import annotations

import msgspec

from strongroom.rpc.ton import values


class Block(msgspec.Struct, frozen=True):
    workchain: int
    seqno: int
    root_hash: str
    global_id: int
    gen_utime: str


class Info(msgspec.Struct, frozen=True):
    last: Block


class Blocks(msgspec.Struct, frozen=True):
    blocks: list[Block]


class Account(msgspec.Struct, frozen=True):
    address: str
    balance: str | None = None
    status: str | None = None


class Accounts(msgspec.Struct, frozen=True):
    accounts: list[Account]


class Wallet(msgspec.Struct, frozen=True):
    address: str
    is_wallet: bool = False
    seqno: int | None = None
    status: str | None = None
    last_transaction_lt: str | None = None


class Wallets(msgspec.Struct, frozen=True):
    wallets: list[Wallet]


class Message(msgspec.Struct, frozen=True):
    hash: str
    hash_norm: str | None = None
    source: str | None = None
    """None for an external message."""
    destination: str | None = None
    """None for a message to nobody, which anybody who reads the chain can see."""
    value: str | None = None
    fwd_fee: str | None = None
    opcode: str | int | None = None
    bounce: bool | None = None
    bounced: bool | None = None


class Compute(msgspec.Struct, frozen=True):
    skipped: bool | None = None
    success: bool | None = None


class Action(msgspec.Struct, frozen=True):
    success: bool | None = None
    skipped_actions: int | None = None


class Description(msgspec.Struct, frozen=True):
    aborted: bool | None = None
    compute_ph: Compute | None = None
    action: Action | None = None


class Transaction(msgspec.Struct, frozen=True):
    account: str
    hash: str
    lt: str
    now: int
    total_fees: str
    description: Description
    mc_block_seqno: int | None = None
    in_msg: Message | None = None
    out_msgs: list[Message] = msgspec.field(default_factory=list)
    emulated: bool = False
    finality: str | None = None

    @property
    def logical(self) -> int:
        return values.number(self.lt, values.MOST_LT)

    @property
    def is_external(self) -> bool:
        """Whether an external message began it, as with a wallet's own transfers."""
        return self.in_msg is not None and self.in_msg.source is None

    @property
    def internal_out(self) -> list[Message]:
        return [each for each in self.out_msgs if each.destination is not None]

    @property
    def fee(self) -> int:
        """What it cost the account: the validators' fee, and the forwarding of its messages."""
        return values.coins(self.total_fees) + sum(values.coins(each.fwd_fee) for each in self.out_msgs)


class Transactions(msgspec.Struct, frozen=True):
    transactions: list[Transaction]


class FoundMessage(msgspec.Struct, frozen=True):
    in_msg_tx_hash: str | None = None
    """Hash of the transaction that received the message."""


class Messages(msgspec.Struct, frozen=True):
    messages: list[FoundMessage]


class TokenInfo(msgspec.Struct, frozen=True):
    symbol: str | None = None
    extra: dict[str, object] | None = None


class Metadata(msgspec.Struct, frozen=True):
    token_info: list[TokenInfo] | None = None


class JettonWallet(msgspec.Struct, frozen=True):
    address: str
    balance: str
    owner: str
    jetton: str


class JettonWallets(msgspec.Struct, frozen=True):
    jetton_wallets: list[JettonWallet]
    metadata: dict[str, Metadata] = msgspec.field(default_factory=dict)


class JettonMaster(msgspec.Struct, frozen=True):
    address: str
    jetton_content: dict[str, object] | None = None


class JettonMasters(msgspec.Struct, frozen=True):
    jetton_masters: list[JettonMaster]


class JettonTransfer(msgspec.Struct, frozen=True):
    """``transaction_hash``: the transaction in which the sender's jetton wallet was told to send."""

    source: str
    destination: str
    amount: str
    jetton_master: str
    transaction_hash: str
    transaction_lt: str
    transaction_aborted: bool

    @property
    def logical(self) -> int:
        return values.number(self.transaction_lt, values.MOST_LT)


class JettonTransfers(msgspec.Struct, frozen=True):
    jetton_transfers: list[JettonTransfer]
    metadata: dict[str, Metadata] = msgspec.field(default_factory=dict)


class Told(msgspec.Struct, frozen=True):
    """The response for an accepted message."""

    message_hash: str
    message_hash_norm: str | None = None


class StackEntry(msgspec.Struct, frozen=True):
    type: str
    value: object = None


class Result(msgspec.Struct, frozen=True):
    exit_code: int
    stack: list[StackEntry] = msgspec.field(default_factory=list)
