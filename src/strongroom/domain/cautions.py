"""Every caution that a chain may attach to what it signs, with its code, its message and the everyday use behind it.

A caution comes with a signature, so it suits only things that have an everyday use. Anything else is a hazard
(`domain.hazards`) and is refused unless the caller asks for it. Codes are part of the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.domain.hazards import HAZARDS
from strongroom.domain.summary import Caution


@dataclass(frozen=True, slots=True)
class Kind:
    code: str
    message: str
    """The warning in words."""
    use: str
    """The everyday use that justifies signing it."""
    chains: frozenset[str]
    """Keys of `chains.registry.CHAINS`."""


_BITCOIN: Final = frozenset({"bitcoin"})
_EVM: Final = frozenset({"evm"})
_SOLANA: Final = frozenset({"solana"})
_TRON: Final = frozenset({"tron"})
_TON: Final = frozenset({"ton"})
_SOLIDITY: Final = _EVM | _TRON
"""Chains whose contracts use the Solidity ABI. They share one registry of calls and typed data."""

_KINDS: Final = (
    Kind("high_fee", "The fee can be unusually high", "Busy blocks; large data", _BITCOIN | _EVM | _TRON | _SOLANA),
    # Bitcoin
    Kind(
        "unknown_fee",
        "The PSBT does not contain the output that each input spends",
        "Decoding before the coins are known",
        _BITCOIN,
    ),
    Kind(
        "partial_sighash",
        "A signature lets others change the transaction",
        "Listings and crowdfunding. It is only signed if allowed_sighashes names the type",
        _BITCOIN,
    ),
    Kind(
        "other_script",
        "An output pays a key of this wallet with a script that its account does not watch",
        "Multisig and vaults",
        _BITCOIN,
    ),
    Kind("unknown_script", "An output has a script of an unknown kind", "New output types", _BITCOIN),
    Kind(
        "not_verified_by_core",
        "Electrum and Sparrow verify this signature, but Bitcoin Core only does so for P2PKH addresses",
        "Proofs for those wallets",
        _BITCOIN,
    ),
    Kind(
        "unfinished",
        "The outputs are worth more than the inputs, so others have to add inputs",
        "Transactions that several parties pay for",
        _BITCOIN,
    ),
    Kind(
        "far_change",
        "An output pays a key of this wallet with an index so high that a watching wallet may never find it",
        "Services that hand out many addresses",
        _BITCOIN,
    ),
    Kind(
        "anchor_with_fee",
        "Nodes only relay a transaction with an empty anchor if it pays no fee itself",
        "Packages sent directly to a miner",
        _BITCOIN,
    ),
    # EVM: transactions
    Kind(
        "no_replay_protection",
        "Valid on every chain where the sender has this nonce",
        "Deployments by keyless transactions. It is only signed with allow_pre155",
        _EVM,
    ),
    Kind("contract_creation", "Creates a contract", "Deployments", _EVM),
    Kind("to_zero_address", "The recipient is the zero address", "A call without value only costs its fee", _SOLIDITY),
    Kind(
        "to_token_contract",
        "Sends tokens to the token's own contract",
        "With an amount of zero nothing is lost",
        _SOLIDITY,
    ),
    Kind("to_self", "The recipient is the sender", "Cancelling a transaction that is stuck", _SOLIDITY | _SOLANA),
    Kind("call_with_value", "Calls a contract and sends coins with the call", "Swaps and deposits of coins", _SOLIDITY),
    # Calls of the Solidity ABI
    Kind(
        "unknown_call",
        "The call is not understood. It can do anything that the sender may do",
        "Most contracts. The limit unknown_calls can refuse it",
        _SOLIDITY,
    ),
    Kind(
        "noncanonical_call",
        "The call has an unusual encoding, such as bytes after its arguments, which contracts and programs ignore",
        "Attribution suffixes of wallets and builders",
        _SOLIDITY | _SOLANA,
    ),
    Kind(
        "unlimited_approval",
        "Lets the spender take the whole balance, now and later",
        "Exchanges request it",
        _SOLIDITY | _SOLANA,
    ),
    Kind("approval_for_all", "Lets the spender move every token of this contract", "NFT marketplaces", _SOLIDITY),
    Kind(
        "delegate_call",
        "Runs the code of another contract as if it were the account's own",
        "Batches of a Safe",
        _SOLIDITY,
    ),
    Kind("ownership_change", "Changes who controls a contract or an account", "Handing over a contract", _SOLIDITY),
    Kind("contract_upgrade", "Replaces the code of a contract", "Upgrades of a proxy", _SOLIDITY),
    # EVM: EIP-7702
    Kind("delegation", "Lets the code of a contract act for an account (EIP-7702)", "Smart accounts", _EVM),
    Kind("authorization_any_chain", "An authorization is valid on every chain", "One smart account everywhere", _EVM),
    Kind(
        "authorization_other_chain",
        "An authorization is for another chain and has no effect",
        "It only costs gas",
        _EVM,
    ),
    Kind("authorization_unsigned", "An authorization has no valid signature and no effect", "It only costs gas", _EVM),
    Kind(
        "no_effect",
        "An authorization by the sender has the wrong nonce (it must be the transaction's nonce plus one)",
        "It only costs gas",
        _EVM,
    ),
    # Typed data
    Kind(
        "spending_permission",
        "Lets someone else take or swap tokens without a transaction of this account",
        "Permits, orders, delegations",
        _SOLIDITY,
    ),
    Kind(
        "nothing_in_return",
        "Offers tokens of this account for nothing in return",
        "Gifts; orders of contracts that pay elsewhere",
        _SOLIDITY,
    ),
    Kind(
        "unlimited_delegation",
        "Lets another account act for this one without any restriction",
        "Handing over an account",
        _SOLIDITY,
    ),
    Kind(
        "unknown_typed_data",
        "The type is not understood. A contract or network may act on this message",
        "Most applications, including logins",
        _SOLIDITY | _TON,
    ),
    Kind(
        "unknown_hash",
        "The message is 32 bytes, probably a hash. It can stand for a transaction of a smart account or for an order",
        "Smart accounts, and contracts that verify signatures of hashes",
        _SOLIDITY,
    ),
    Kind(
        "no_chain_binding",
        "The message has no chain id, so it is valid on every chain that has its contract",
        "Logins, and contracts from before EIP-712 was final",
        _SOLIDITY,
    ),
    Kind(
        "unsigned_fields",
        "The domain or message has fields that are not in their types. They are not signed",
        "Applications that send more than they sign",
        _SOLIDITY,
    ),
    # Solana
    Kind(
        "durable_nonce",
        "The transaction does not expire until its nonce account is advanced",
        "Signing offline or with several signers",
        _SOLANA,
    ),
    Kind(
        "nonce_misplaced",
        "Advances a nonce account, but the transaction expires all the same",
        "Voiding an earlier transaction with the nonce",
        _SOLANA,
    ),
    Kind(
        "lookup_accounts",
        "Names accounts by lookup tables, whose contents are not read",
        "Exchanges, which need more accounts than would fit otherwise",
        _SOLANA,
    ),
    Kind(
        "unknown_program",
        "Calls a program that is not understood. It can do whatever its accounts allow",
        "Most programs. The limit unknown_calls can refuse it",
        _SOLANA,
    ),
    Kind(
        "unknown_instruction",
        "An instruction of a known program is not understood. It can move tokens or change who controls them",
        "New token extensions. The limit unknown_calls can refuse it",
        _SOLANA,
    ),
    Kind(
        "signer_to_unknown_program",
        "Lets a program that is not understood act with the signer's rights",
        "Exchanges and deposits",
        _SOLANA,
    ),
    Kind(
        "writable_to_unknown_program",
        "Lets a program that is not understood change the signer's account",
        "Programs that take lamports for rent",
        _SOLANA,
    ),
    Kind(
        "to_program_address",
        "The recipient is a program address, for which nobody has a key",
        "Vaults and multisigs",
        _SOLANA,
    ),
    Kind(
        "account_assign",
        "Gives an account to a program or reserves space in it, so its owner can no longer spend the balance",
        "Setting up an account for a program",
        _SOLANA,
    ),
    Kind(
        "nonce_authority",
        "Gives a nonce account and its coins to another key",
        "Handing over a nonce account",
        _SOLANA,
    ),
    Kind(
        "stake_authority",
        "Changes who may withdraw or delegate a stake, or until when",
        "Moving a stake to another key",
        _SOLANA,
    ),
    Kind("token_approval", "Lets a delegate move tokens of the account", "Exchanges and escrows", _SOLANA),
    Kind(
        "set_authority",
        "Changes who controls a token account or a mint",
        "Handing over a token; giving up the right to mint",
        _SOLANA,
    ),
    Kind(
        "close_to_other",
        "Closes a token account and sends its lamports to someone else",
        "A sponsor that paid the rent takes it back",
        _SOLANA,
    ),
    Kind(
        "associated_account_mismatch",
        "The token account does not belong to its owner, mint and token program, so the transaction fails on chain",
        "It only costs the fee",
        _SOLANA,
    ),
    # Tron
    Kind(
        "expired", "The transaction has expired and cannot be mined any more", "Decoding an earlier transaction", _TRON
    ),
    Kind("memo", "It has a memo, which costs extra and is public", "Deposits to exchanges", _TRON),
    Kind(
        "account_permission",
        "Signed under a permission of the account. The network checks its keys and weights",
        "Accounts with several keys",
        _TRON,
    ),
    Kind("locked_delegation", "Cannot be undone before the lock ends", "Renting out resources", _TRON),
    Kind(
        "prefixed_address",
        "An address is encoded with the byte 0x41 in front, which some contracts refuse",
        "Wallets that encode addresses this way",
        _TRON,
    ),
    # TON
    Kind("sends_all_balance", "Sends the whole balance of the wallet", "Emptying a wallet", _TON),
    Kind(
        "repeatable_on_failure",
        "If a message cannot be sent, its seqno is not used up, and anyone can repeat it until it expires",
        "Wallets that leave out mode 2",
        _TON,
    ),
    Kind("zero_address", "The recipient is the zero address, for which nobody has a key", "Burning", _TON),
    Kind(
        "bounces",
        "The address is of the non-bounceable form, but the transfer bounces: if nothing is "
        "deployed there, it returns to the sender less fees",
        "Contracts whose address was noted in the other form",
        _TON,
    ),
    Kind(
        "does_not_bounce",
        "The address is of the bounceable form, but the transfer does not bounce: it stays "
        "there even if no contract accepts it",
        "Funding a wallet that is not deployed yet",
        _TON,
    ),
    Kind(
        "unknown_payload",
        "A payload is not understood. Make sure that you know what it does",
        "Most contracts. The limit unknown_calls can refuse it",
        _TON,
    ),
    Kind(
        "unknown_forward_payload",
        "The payload that is forwarded to the recipient is not understood",
        "Exchanges. The limit unknown_calls can refuse it",
        _TON,
    ),
    Kind(
        "valid_on_main_network",
        "The wallet has the same address on the main network, where this message is also valid if the seqno matches",
        "Tests with keys that are used for nothing else",
        _TON,
    ),
    Kind("encrypted_comment", "The comment is encrypted, so only its recipient can read it", "Private notes", _TON),
)

CAUTIONS: Final[dict[str, Kind]] = {kind.code: kind for kind in _KINDS}
"""Cautions by code. A hazard that a caller asked for is reported as a caution too, with the hazard's description."""


def caution(code: str) -> Caution:
    """The caution for a code of `CAUTIONS` or `HAZARDS`."""
    return Caution(code=code, message=CAUTIONS[code].message if code in CAUTIONS else HAZARDS[code].description)
