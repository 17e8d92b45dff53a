"""What calls take and return. Made by `make clients`; not to be edited by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from strongroom_client.secret import SecretText


class WalletItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    kind: Literal["bip39", "ton_native"] | None = None
    """bip39, or ton_native for 24 words of TON's own system"""
    label: str | None = None
    """Text for people, in NFC. No control or invisible characters, and nothing that looks like a mnemonic or a key"""
    words: Literal[12, 15, 18, 21, 24] | None = None
    language: (
        Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None
    ) = None
    passphrase: str | None = None
    """BIP-39 passphrase, or TON's mnemonic password; empty if left out"""
    networks: Sequence[str] | None = None
    """Networks to open now, whose first address is returned. Others are opened at first use"""
    external_id: str | None = None
    """Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key"""
    backup: bool | None = None
    """Return the words, once. Needs the scope wallets:backup"""
    ref: str | None = None
    """Your own name for the item, returned with its result"""


class Options(msgspec.Struct, kw_only=True, omit_defaults=True):
    replaces: str | None = None
    """Id of the transaction that this one replaces. Needs sign:replace"""
    allow_resign: bool | None = None
    """Sign although something else was signed for the nonce or output. Needs sign:resign"""
    allow_pre155: bool | None = None
    """EVM: sign a legacy transaction that is valid on every chain. Needs sign:pre155"""
    allowed_sighashes: (
        Sequence[Literal["ALL|ANYONECANPAY", "NONE", "NONE|ANYONECANPAY", "SINGLE", "SINGLE|ANYONECANPAY"]] | None
    ) = None
    """Bitcoin: sign inputs that ask for one of these, which do not cover the whole transaction. Needs sign:sighash"""
    allow: Sequence[str] | None = None
    """Hazards to sign in spite of the danger. Each needs its scope: carry_inbound_value, creation_without_code,
    destroy_wallet, masterchain_recipient, owner_cosigning, permission_update, to_token_contract, to_zero_address,
    unverified_amounts
    """


class SignItem(msgspec.Struct, kw_only=True, omit_defaults=True):
    scheme: str | None = None
    """Derivation scheme; the keyspace's default if left out"""
    account: int | None = None
    """Account number of the scheme"""
    change: int | None = None
    """0 receiving, 1 change"""
    index: int | None = None
    """Address index"""
    path: str | None = None
    """Explicit derivation path. It must fit a scheme of the network"""
    address: str | None = None
    wallet_id: UUID
    network: str
    """Name, alias or CAIP-2 id of the network"""
    unsigned_tx: str | Mapping[str, Any]
    """Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON Connect, with seqno.
    Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, raw_data_hex, or a contract with its reference
    block. Solana: base64, or transfers to build
    """
    options: Options | Mapping[str, Any] | None = None
    broadcast: bool | None = None
    """Send the transaction to the network once it is signed and complete. Needs the scope broadcast"""
    ref: str | None = None
    """Your own name for the item, returned with its result"""


class NewRestriction(msgspec.Struct, kw_only=True, omit_defaults=True):
    networks: Sequence[str] | None = None
    """The only networks that the key may use. If the list is empty, it may use all"""
    wallets: Sequence[UUID] | None = None
    """Ids of the only wallets that the key may use. If the list is empty, it may use all"""
    client_networks: Sequence[str] | None = None
    """Addresses or CIDR ranges that the key may be used from. If the list is empty, it may be used from anywhere"""
    rates: Mapping[str, str] | None = None
    """Rates by class of operation (read, sign …), such as 10/second, or off"""
    unknown_calls: Literal["refuse"] | None = None
    """refuse: sign nothing that the decoder does not understand completely"""
    max_values: Mapping[str, str] | None = None
    """By CAIP-19 id of the asset: the most that may leave a wallet in one transaction, including its fee, in the
    asset's smallest unit. Other assets, and unknown effects, are refused
    """


class AddressView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    address: str
    forms: dict[str, str]
    details: dict[str, Any] = {}
    """Chain-specific. TON: raw, contract, wallet_id"""
    scheme: str
    account: int
    change: int
    index: int
    path: str
    public_key: str
    """Hex; compressed if secp256k1"""
    label: str | None
    external_id: str | None
    created_at: datetime
    """RFC 3339"""


class Backup(msgspec.Struct, kw_only=True, frozen=True):
    status: str
    """already_shown: this repeats an earlier request, so the words are not shown again"""
    mnemonic: SecretText | None = None
    """The words, separated by spaces; null if they were shown before"""


class WalletView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    """Id of the wallet"""
    kind: str
    """bip39: a mnemonic; ton_native: TON's own kind of mnemonic; raw_key: one imported key"""
    label: str | None
    external_id: str | None
    state: str
    """An archived wallet signs nothing"""
    keyspace: str | None
    master_fingerprint: str | None
    created_at: datetime
    """RFC 3339"""
    rates: dict[str, str] = {}
    """The wallet's own rates, which replace the configured ones"""


class CreatedWallet(WalletView, kw_only=True, frozen=True):
    addresses: list[AddressView] = []
    """First address on each of the requested networks"""
    backup: Backup | None = None
    """Mnemonic of the wallet, if it was asked for; otherwise null"""


class ItemProblem(msgspec.Struct, kw_only=True, frozen=True):
    type: str
    """Link to the explanation of the code"""
    title: str
    """What the code means"""
    status: int
    """HTTP status that a single request would get"""
    detail: str
    """What is wrong, for people"""
    code: str
    """Stable error code, for programs"""
    field: str | None = None
    """Field that is wrong, if it is one field"""
    reason: str | None = None
    """Why the network refuses the transaction: nonce_used, fee_too_low …"""
    allowed: list[str] = []
    """Accepted values or fields"""
    did_you_mean: str | None = None
    """Name that the service uses for the field"""
    limit: str | None = None
    """Limit that was exceeded, decimal"""
    setting: str | None = None
    """Setting that holds the limit"""
    expected: str | None = None
    """What was expected here"""
    received: str | None = None
    """What was received, if it is a number"""
    tx_id: str | None = None
    """The transaction that was signed before"""
    retry_after: int | None = None
    """Seconds to wait before another attempt"""


class WalletResult(msgspec.Struct, kw_only=True, frozen=True):
    ref: str | None = None
    status: str
    """ok: see `result`; error: see `error`"""
    error: ItemProblem | None = None
    result: CreatedWallet | None = None


class CreatedWallets(msgspec.Struct, kw_only=True, frozen=True):
    results: list[WalletResult]
    """One for each item, in the order of the request"""


class WalletPage(msgspec.Struct, kw_only=True, frozen=True):
    wallets: list[WalletView]
    """Wallets of this page"""
    next_cursor: str | None


class AddressResult(msgspec.Struct, kw_only=True, frozen=True):
    ref: str | None = None
    status: str
    """ok: see `result`; error: see `error`"""
    error: ItemProblem | None = None
    result: AddressView | None = None


class HandedOutAddresses(msgspec.Struct, kw_only=True, frozen=True):
    results: list[AddressResult]
    """One for each address"""


class DiscoveryView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    """Id of the discovery, and key of its task, whose kind is discover"""
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    state: str
    """done: the gap was reached on every branch. stopped: it ended before that; ask again to continue"""
    reason: str | None
    """Why it stopped. budget: it is used up. keys: every index is hardened; ask again, and the keys of more
    addresses are derived. archived: the wallet was archived. failed: no source responded for hours
    """
    gap: int
    """Number of unused addresses in a row that ends a branch"""
    budget: int
    """Number of addresses that may still be checked"""
    change: int
    """Branch that is being walked: 0 receiving, 1 change"""
    index: int
    """Index that is checked next"""
    checked: int
    """Number of addresses checked so far"""
    used: int
    """Number of used addresses among them. They are listed with the wallet's addresses"""
    error: str | None
    """Error code of the last attempt, while it is being retried"""
    created_at: datetime
    """RFC 3339"""


class AddressPage(msgspec.Struct, kw_only=True, frozen=True):
    addresses: list[AddressView]
    next_cursor: str | None


class FoundAddresses(msgspec.Struct, kw_only=True, frozen=True):
    addresses: list[AddressView]
    """One for each wallet and scheme with this key"""


class AddressValidity(msgspec.Struct, kw_only=True, frozen=True):
    valid: bool
    """Whether it is an address of the network"""
    reason: str | None
    """Why it is not valid, or null"""
    address: str | None
    """The address as the network writes it"""
    forms: dict[str, str]
    kind: str | None
    """wallet, contract, script …, or null if the address does not tell"""
    details: dict[str, Any]
    """What else the address tells. Solana: on_curve; TON: raw, workchain, bounceable, test_only"""


class AccountView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    path: str
    """Derivation path of the account, such as m/44'/60'/0'"""
    extended_public_key: str
    """BIP-32 xpub of the account; tpub on Bitcoin's test networks"""
    master_fingerprint: str | None
    slip132: str | None
    """Bitcoin: the same key as ypub, zpub …, if the scheme has such a form"""
    descriptor: str | None
    """Bitcoin: output descriptor with origin and checksum"""
    next_index: int
    """Index of the next address on the receiving branch"""


class Action(msgspec.Struct, kw_only=True, frozen=True):
    kind: str
    """Kind of action, which determines the fields that are set: transfer, token_transfer, token_approve,
    contract_call …
    """
    from_address: str | None = None
    """Address that pays or acts, as the network writes it"""
    to: str | None = None
    """Address that receives, as the network writes it"""
    amount: str | None = None
    """In base units of the asset, decimal"""
    asset: str | None = None
    """Symbol of the native coin, or the token's contract address"""
    spender: str | None = None
    """Address that is allowed to spend the tokens"""
    contract: str | None = None
    """Contract that is called, created (if its address can be known) or delegated to"""
    method: str | None = None
    """Name of the function if it is known, otherwise its selector"""
    data_size: int | None = None
    """Bytes of call data, init code or message"""
    details: dict[str, Any] = {}
    """Chain-specific details"""


class Fee(msgspec.Struct, kw_only=True, frozen=True):
    amount: str
    """In base units of the asset, decimal"""
    asset: str
    """Symbol of the coin that the fee is paid in"""
    rate: str | None = None
    """Base units per unit of size or gas, decimal"""
    limit: str | None = None
    """Maximum units of size or gas, decimal"""


class Summary(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    type: str
    """Type of the transaction or message: legacy, eip1559, psbt, TransferContract, eip712 …"""
    actions: list[Action]
    from_address: str | None = None
    """Address of the signer, if it is known"""
    sequence: str | None = None
    """Nonce or seqno, decimal"""
    fee: Fee | None = None
    """Maximum that the sender can pay for inclusion; left out for a message"""
    payload_hash: str | None = None
    """Digest that is signed, 0x-hex, if there is one"""
    details: dict[str, Any] = {}
    """Chain-specific details"""


class Caution(msgspec.Struct, kw_only=True, frozen=True):
    code: str
    """Stable code of the warning: unlimited_approval, high_fee …"""
    message: str
    """The warning, for people"""


class BroadcastView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    tx_id: str
    state: str
    """accepted: a node has taken the transaction, or already had it. unknown: it was sent or is about to be, and no
    node has confirmed that yet. The service keeps asking, and you may send it again unchanged. rejected: the
    network refuses it, and it has had no effect
    """
    rejected: str | None
    """Why the network refuses it: insufficient_funds, nonce_used, nonce_gap, fee_too_low, already_spent, expired,
    invalid or policy
    """
    already_known: bool
    """Whether the network already had it"""
    source: str | None


class SignedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    signed_tx: str
    """As nodes of the network accept it. Bitcoin: the PSBT until it is complete"""
    tx_id: str | None
    complete: bool
    """False if others still have to sign or add inputs, or if their signatures cannot be judged"""
    summary: Summary
    warnings: list[Caution]
    details: dict[str, Any]
    """Chain-specific. EVM: from, nonce, type, v, r, s. Bitcoin: psbt, fee_sat, vsize …. Tron: signatures,
    transaction, expiration
    """
    broadcast: BroadcastView | None = None
    """What became of the broadcast, if it was asked for"""


class SignResult(msgspec.Struct, kw_only=True, frozen=True):
    ref: str | None = None
    status: str
    """ok: see `result`; error: see `error`"""
    error: ItemProblem | None = None
    result: SignedTransaction | None = None


class SignedTransactions(msgspec.Struct, kw_only=True, frozen=True):
    results: list[SignResult]
    """One for each item, in the order of the request"""


class DecodedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    summary: Summary
    warnings: list[Caution]


class SignedMessageView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    address: str
    format: str
    """Format that was signed, such as eip191"""
    signature: str
    digest: str | None
    """What was signed, if the format has a digest"""
    summary: Summary
    warnings: list[Caution]
    details: dict[str, Any]
    """What only this format returns, such as r, s and v"""


class Verification(msgspec.Struct, kw_only=True, frozen=True):
    valid: bool
    """Whether the address signed the message"""


class BalanceView(msgspec.Struct, kw_only=True, frozen=True):
    asset: str
    """CAIP-19 id"""
    symbol: str
    decimals: int | None
    """As the operator lists it; null if the token does not tell"""
    contract: str | None
    """Address of the token's contract; null for the coin"""
    listed: bool
    """Whether the operator lists it. Anybody can make a token with the same name"""
    confirmed: str
    """In base units of the asset, decimal"""
    pending: str
    """What unconfirmed transactions add or, if negative, take away"""
    spendable: str | None
    """The part of confirmed that is not locked, immature or being spent, if the source can tell"""
    immature: str | None
    """The part of confirmed that was mined and cannot be spent yet"""
    adjusted: bool = False
    """Whether `pending` counts the transactions in `unseen`, each with the highest fee that it can have"""
    details: dict[str, Any] = {}
    """For a single address. Tron: frozen, unfreezing; TON: state of the account"""


class AddressBalanceView(msgspec.Struct, kw_only=True, frozen=True):
    address: str
    balances: list[BalanceView]
    """Its balance of each asset"""


class AsOf(msgspec.Struct, kw_only=True, frozen=True):
    height: int
    hash: str
    time: datetime
    """RFC 3339"""
    finalized: int
    """Height up to which blocks are final"""


class BalancesView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    balances: list[BalanceView]
    """Sums over the addresses on this page"""
    addresses: list[AddressBalanceView]
    """With detail=addresses, each address that holds something"""
    address_count: int
    """Number of addresses that were read"""
    as_of: AsOf | None
    """Block that the balances belong to; null if the source does not tell"""
    source: str | None
    """Name of the source"""
    stale: bool
    """No source responds, so this is the last known state"""
    unreadable: list[str]
    """Assets whose contract returned nothing readable"""
    unseen: list[str]
    """Ids of transactions that the wallet broadcast here within the last day and that `source` does not show yet"""
    next_cursor: str | None
    """A page sums 1000 addresses of a wallet; null on the last page"""


class BlockView(msgspec.Struct, kw_only=True, frozen=True):
    height: int
    hash: str
    time: datetime | None
    """RFC 3339"""


class EntryView(msgspec.Struct, kw_only=True, frozen=True):
    tx_id: str
    index: str
    """Identifies the entry together with tx_id, asset and address, on whatever page it appears"""
    address: str
    direction: str
    """As seen from the address. self: it paid itself"""
    asset: str
    """CAIP-19 id"""
    symbol: str
    decimals: int | None
    listed: bool
    """Whether the operator lists it. Anybody can make a token with the same name"""
    amount: str
    """Amount moved, in base units of the asset, decimal, never negative"""
    counterparty: str | None
    """The other address; null if there is none or several"""
    fee: str | None
    """Fee that the address paid, given once per transaction"""
    status: str
    """pending: not in a block yet. confirmed: in a block. final: nothing changes it any more. failed: in a block,
    without effect. dropped: it was seen earlier and has disappeared
    """
    block: BlockView | None
    """Block that it is in, or null"""
    kind: str
    """What moved it: a plain transfer, a contract, a reward, or a call inside a contract"""
    note: str | None
    """zero_value or unlisted: signs of a deceptive entry"""


class HistoryPage(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    entries: list[EntryView]
    """Entries of this page, newest first"""
    cannot_see: list[str]
    """What the source leaves out: pending, native, internal, older"""
    indexed: int | None
    """Height up to which the source has indexed"""
    sources: list[str]
    """Names of the sources"""
    next_cursor: str | None


class TransactionState(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    tx_id: str
    state: str
    """failed: in a block, but without the effect that it names. dropped: it was seen earlier, has disappeared, and
    may come back. replaced and expired are reported only for transactions that this service has broadcast
    """
    final: bool
    """Whether nothing changes the state any more"""
    block: BlockView | None
    """Block that it is in, or null"""
    confirmations: int
    """Blocks from its own to the newest, both included; 0 while it is in none"""
    fee: str | None
    """Fee paid, in base units of the coin"""
    replaced_by: str | None
    """Id of the transaction that replaced it, or null"""
    rejected: str | None
    """Why the network refused it, if this service broadcast it"""
    may_still_execute_until: datetime | None
    """TON: it failed without using up its seqno, so the same bytes can still pay until then"""
    source: str


class FeesView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    slow: str
    """Fee for inclusion some time later, in `unit`, decimal"""
    normal: str
    """Fee for inclusion within a few blocks, in `unit`, decimal"""
    fast: str
    """Fee for inclusion in the next blocks, in `unit`, decimal"""
    unit: str
    """sat/kvB, wei (per unit of gas), sun, micro-lamport/CU or nanoton"""
    quality: str
    """estimate: from recent blocks. floor: the lowest fee that is relayed. fixed: set by the network"""
    details: dict[str, str]
    """Values for the fields of a transaction: base_fee, tip_normal, energy_fee …"""
    clamped: bool
    """Whether the source suggested more than this service signs for, so that the limit is shown instead"""
    source: str


class HeadView(AsOf, kw_only=True, frozen=True):
    network: str


class SchemeView(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    """Name of the scheme, as requests take it"""
    template: str
    """Derivation path with its variables, such as m/44'/60'/{account}'/{change}/{index}"""
    default: bool
    """Whether the scheme is used if a request names none"""
    kinds: list[str]
    """Kinds of wallets that can use the scheme"""
    description: str
    """What the scheme is for"""


class NetworkView(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    """Name of the network, as requests take it"""
    chain: str
    """Kind of chain: evm, bitcoin, tron, solana or ton"""
    keyspace: str
    caip2: str
    chain_id: int | None
    """EVM chain id; null on other chains"""
    symbol: str
    decimals: int
    testnet: bool
    """Whether its coins have no value"""
    aliases: list[str]
    """Other names that requests may use"""
    schemes: list[SchemeView]
    """Derivation schemes of the network"""
    limits: dict[str, str | None]
    """Limits in force, decimal; null means no limit"""


class NetworkList(msgspec.Struct, kw_only=True, frozen=True):
    networks: list[NetworkView]
    """Networks that the service knows"""


class RestrictionView(msgspec.Struct, kw_only=True, frozen=True):
    networks: list[str] = []
    """The only networks that the key may use. If the list is empty, it may use all"""
    wallets: list[UUID] = []
    """Ids of the only wallets that the key may use. If the list is empty, it may use all"""
    client_networks: list[str] = []
    """Addresses or CIDR ranges that the key may be used from. If the list is empty, it may be used from anywhere"""
    rates: dict[str, str] = {}
    """Rates by class of operation (read, sign …), such as 10/second, or off"""
    unknown_calls: str | None = None
    """refuse: sign nothing that the decoder does not understand completely"""
    max_values: dict[str, str] = {}
    """By CAIP-19 id of the asset: the most that may leave a wallet in one transaction, including its fee, in the
    asset's smallest unit. Other assets, and unknown effects, are refused
    """


class ApiKeyView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    """Id of the API key"""
    name: str
    """Your own name for the key"""
    scopes: list[str]
    created_at: datetime
    """RFC 3339"""
    expires_at: datetime | None
    """RFC 3339"""
    revoked_at: datetime | None
    """RFC 3339"""
    made_by: UUID | None = None
    """Id of the key that made this one; null if the command line did"""
    restriction: RestrictionView | None = None
    """What the key is restricted to; null if nothing"""


class CreatedApiKey(ApiKeyView, kw_only=True, frozen=True):
    api_key: SecretText | None = None
    """The key itself. It is shown once, and is null in the response to a repeated request"""


class ApiKeyPage(msgspec.Struct, kw_only=True, frozen=True):
    api_keys: list[ApiKeyView]
    """API keys of this page, without the secrets"""
    next_cursor: str | None


class RevocationView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    """Id of the revocation"""
    kind: str
    """subject: every token of a caller is refused; token: a single token is"""
    issuer: str | None
    """Null if it was revoked by principal_id"""
    value: str
    """The subject or token_id. If it looks like a secret, sha256: and its hash"""
    principal_id: UUID | None
    """The caller's id, for kind subject"""
    reason: str | None
    """Reason that the request gave, or null"""
    revoked_by: UUID
    """Id of the caller that made the revocation"""
    created_at: datetime
    """RFC 3339"""
    lifted_at: datetime | None
    """Null while the revocation is in force"""


class RevocationPage(msgspec.Struct, kw_only=True, frozen=True):
    revocations: list[RevocationView]
    """Revocations of this page"""
    next_cursor: str | None


class ClientNetworksView(msgspec.Struct, kw_only=True, frozen=True):
    networks: list[str]
    """Ranges that the tenant's callers may call from. If the list is empty, they may call from anywhere"""
    changed_at: datetime | None
    """RFC 3339"""
    changed_by: UUID | None
    """Id of the caller that changed the list last; null if nobody did"""


class AuditView(msgspec.Struct, kw_only=True, frozen=True):
    writer_id: UUID
    """Id of the process that wrote the record. Each process has its own chain"""
    sequence: int
    """Place of the record in its writer's chain"""
    at: datetime
    """RFC 3339"""
    principal_id: UUID
    operation: str
    """Name of the operation, such as transactions.sign"""
    operation_id: UUID
    outcome: str
    """requested, succeeded, failed or denied"""
    wallet_id: UUID | None
    network: str | None
    request_id: str
    client: str
    """Network address of the caller; empty for the service itself"""
    details: dict[str, Any]
    """Summary, transaction id, error code …, depending on the operation"""


class AuditPage(msgspec.Struct, kw_only=True, frozen=True):
    records: list[AuditView]
    """Audit records of this page"""
    next_cursor: str | None


class TaskView(msgspec.Struct, kw_only=True, frozen=True):
    kind: str
    """Kind of task"""
    key: str
    """What the task works on. No two tasks of a kind have the same key"""
    of_service: bool
    """Whether the task belongs to the service itself and not to the tenant"""
    state: str
    """sleeping: until something wakes it. waiting: for due_at. due: ready to run. running: a worker has it. expired:
    its worker did not finish in time, and another takes over
    """
    due_at: datetime | None
    """RFC 3339"""
    lease_until: datetime | None
    """RFC 3339"""
    attempts: int
    """Attempts since the last success"""
    last_error: str | None
    """Error code of the last attempt"""
    created_at: datetime
    """RFC 3339"""


class TaskPage(msgspec.Struct, kw_only=True, frozen=True):
    tasks: list[TaskView]
    """Tasks of this page"""
    next_cursor: str | None


class AlertView(msgspec.Struct, kw_only=True, frozen=True):
    rule: str
    subject: str
    of_service: bool
    """Whether the alert is about the service itself and not about the tenant"""
    severity: str
    title: str
    """What the rule means, in words"""
    state: str
    """firing or ended"""
    since: datetime
    """When it last began"""
    seen_at: datetime
    """When it was last observed"""
    ended_at: datetime | None
    """RFC 3339"""
    told_at: datetime | None
    """When the channels were last notified that it is firing"""
    silenced_until: datetime | None
    """RFC 3339"""
    facts: dict[str, str]
    """What was seen, as names and values"""
    runbook: str
    """Section of the documentation with what to do"""


class AlertPage(msgspec.Struct, kw_only=True, frozen=True):
    alerts: list[AlertView]
    """Alerts of this page"""
    next_cursor: str | None


class NotificationView(msgspec.Struct, kw_only=True, frozen=True):
    id: UUID
    """Id of the notification"""
    channel: str
    """Name of the channel"""
    message: str
    """firing, still, recovered, silenced or test"""
    rule: str
    subject: str
    severity: str
    state: str
    """waiting, sent or failed"""
    error: str | None
    """What went wrong at the last attempt, or null"""
    created_at: datetime
    """RFC 3339"""
    ended_at: datetime | None
    """RFC 3339"""


class NotificationPage(msgspec.Struct, kw_only=True, frozen=True):
    notifications: list[NotificationView]
    """Notifications of this page"""
    next_cursor: str | None


class SilenceView(msgspec.Struct, kw_only=True, frozen=True):
    rule: str
    subject: str
    until: datetime
    """RFC 3339"""


class SentTest(msgspec.Struct, kw_only=True, frozen=True):
    notifications: list[NotificationView]
    """One for each channel; `alerts.notifications` shows whether they arrived"""
