"""Every caution that a chain may attach to what it signs: its code, what it means, and what it is for.

A caution accompanies a signature. It is right only for what has an everyday use. What has none is a hazard
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
    """For a person."""
    use: str
    """The everyday use because of which it is signed."""
    chains: frozenset[str]
    """Keys of `chains.registry.CHAINS`."""


_BITCOIN: Final = frozenset({"bitcoin"})
_EVM: Final = frozenset({"evm"})
_SOLANA: Final = frozenset({"solana"})
_TRON: Final = frozenset({"tron"})
_TON: Final = frozenset({"ton"})
_SOLIDITY: Final = _EVM | _TRON
"""Their contracts have the Solidity ABI, and one registry of calls and typed data."""

_KINDS: Final = (
    Kind("high_fee", "The fee can be unusually high", "Busy blocks; large data", _BITCOIN | _EVM | _TRON | _SOLANA),
    # Bitcoin
    Kind("unknown_fee", "The PSBT does not say what every input spends", "Decoding before coins are known", _BITCOIN),
    Kind(
        "partial_sighash",
        "A signature leaves others free to change the transaction",
        "Listings and crowdfunding, and only if allowed_sighashes names the type",
        _BITCOIN,
    ),
    Kind(
        "other_script",
        "An output pays a key of this wallet by a script that its account does not look for",
        "Multisig and vaults",
        _BITCOIN,
    ),
    Kind("unknown_script", "An output has a script of no known kind", "New output types", _BITCOIN),
    Kind(
        "not_verified_by_core",
        "Electrum and Sparrow verify this signature; Bitcoin Core does so for P2PKH addresses only",
        "Proofs for those wallets",
        _BITCOIN,
    ),
    Kind(
        "unfinished",
        "The outputs hold more than the inputs: others are to add inputs",
        "Transactions that several parties pay for",
        _BITCOIN,
    ),
    Kind(
        "far_change",
        "An output pays a key of this wallet so far ahead that a watching wallet may never look there",
        "Services that hand out many addresses",
        _BITCOIN,
    ),
    Kind(
        "anchor_with_fee",
        "Nodes relay a transaction with an empty anchor only if it pays no fee of its own",
        "Packages handed to a miner directly",
        _BITCOIN,
    ),
    # EVM: transactions
    Kind(
        "no_replay_protection",
        "Valid on every chain where the nonce fits",
        "Deployments by keyless transactions, and only with allow_pre155",
        _EVM,
    ),
    Kind("contract_creation", "Creates a contract", "Deployments", _EVM),
    Kind("to_zero_address", "Goes to the zero address", "A call without value costs its fee only", _SOLIDITY),
    Kind("to_token_contract", "Sends tokens to their own contract", "An amount of zero loses nothing", _SOLIDITY),
    Kind("to_self", "Goes to the sender itself", "Cancelling a transaction that is stuck", _SOLIDITY | _SOLANA),
    Kind("call_with_value", "Calls a contract and sends coins with the call", "Swaps and deposits of coins", _SOLIDITY),
    # Calls of the Solidity ABI
    Kind(
        "unknown_call",
        "Calls something that is not understood here, so it may do anything the sender may do",
        "Most contracts; the limit unknown_calls refuses it",
        _SOLIDITY,
    ),
    Kind(
        "noncanonical_call",
        "The call is not encoded as usual, such as with bytes after its arguments; programs ignore the difference",
        "Attribution suffixes of wallets and builders",
        _SOLIDITY | _SOLANA,
    ),
    Kind(
        "unlimited_approval",
        "Lets the spender take all there is, for good",
        "Exchanges ask for it",
        _SOLIDITY | _SOLANA,
    ),
    Kind("approval_for_all", "Lets the spender move every token of this contract", "NFT marketplaces", _SOLIDITY),
    Kind("delegate_call", "Runs the code of another contract as the account itself", "Batches of a Safe", _SOLIDITY),
    Kind("ownership_change", "Changes who controls a contract or an account", "Handing over a contract", _SOLIDITY),
    Kind("contract_upgrade", "Replaces the code of a contract", "Upgrades of a proxy", _SOLIDITY),
    # EVM: EIP-7702
    Kind("delegation", "Lets the code of a contract act for an account (EIP-7702)", "Smart accounts", _EVM),
    Kind("authorization_any_chain", "An authorization is valid on every chain", "One smart account everywhere", _EVM),
    Kind("authorization_other_chain", "An authorization is for another chain: no effect", "Costs gas only", _EVM),
    Kind("authorization_unsigned", "An authorization has no valid signature: no effect", "Costs gas only", _EVM),
    Kind(
        "no_effect",
        "An authorization of the sender itself has a nonce that cannot fit (it must follow the transaction's own)",
        "Costs gas only",
        _EVM,
    ),
    # Typed data
    Kind(
        "spending_permission",
        "Lets another take tokens or change them for others, without a transaction of this account",
        "Permits, orders, delegations",
        _SOLIDITY,
    ),
    Kind(
        "nothing_in_return",
        "Offers tokens of this account and asks nothing for it in return",
        "Gifts; orders by contracts that pay elsewhere",
        _SOLIDITY,
    ),
    Kind(
        "unlimited_delegation",
        "Lets another account act for this one in everything, without any caveat",
        "Handing an account over",
        _SOLIDITY,
    ),
    Kind(
        "unknown_typed_data",
        "A contract will act on this message, and its type is not understood here",
        "Most applications",
        _SOLIDITY,
    ),
    Kind(
        "no_chain_binding",
        "No chain id is signed: the message is valid on every chain where its contract is",
        "Logins, and contracts from before EIP-712 was final",
        _SOLIDITY,
    ),
    Kind(
        "unsigned_fields",
        "There are fields in the domain or the message that their types do not have; they are not signed",
        "Applications that send more than they sign",
        _SOLIDITY,
    ),
    # Solana
    Kind(
        "durable_nonce",
        "Does not expire before its nonce account is advanced",
        "Signing offline, and with several signers",
        _SOLANA,
    ),
    Kind(
        "nonce_misplaced",
        "Advances a nonce account that does not keep this transaction from expiring",
        "Voiding what was signed with the nonce before",
        _SOLANA,
    ),
    Kind(
        "lookup_accounts",
        "Names accounts by lookup tables whose content is not read here",
        "Exchanges need more accounts than fit otherwise",
        _SOLANA,
    ),
    Kind(
        "unknown_program",
        "Calls a program that is not read here; it may do whatever its accounts let it",
        "Most programs; the limit unknown_calls refuses it",
        _SOLANA,
    ),
    Kind(
        "unknown_instruction",
        "Asks a known program for something that is not read here; it may move tokens or change who controls them",
        "New extensions of tokens; the limit unknown_calls refuses it",
        _SOLANA,
    ),
    Kind(
        "signer_to_unknown_program",
        "Lets a program that is not read here act with the signer's rights",
        "Exchanges and deposits",
        _SOLANA,
    ),
    Kind(
        "writable_to_unknown_program",
        "Lets a program that is not read here change the signer's account",
        "Programs that take lamports for rent",
        _SOLANA,
    ),
    Kind("to_program_address", "Goes to a program address: nobody holds its key", "Vaults and multisigs", _SOLANA),
    Kind(
        "account_assign",
        "Gives an account to a program: its owner can no longer spend what it holds",
        "Setting up an account for a program",
        _SOLANA,
    ),
    Kind(
        "nonce_authority",
        "Gives a nonce account, and the coins in it, to another key",
        "Handing over a nonce account",
        _SOLANA,
    ),
    Kind("stake_authority", "Changes who may withdraw or delegate a stake", "Moving a stake to another key", _SOLANA),
    Kind("token_approval", "Lets a delegate move tokens of the account", "Exchanges and escrows", _SOLANA),
    Kind(
        "set_authority",
        "Changes who controls a token account or a mint",
        "Handing over a token; giving up the right to mint",
        _SOLANA,
    ),
    Kind(
        "close_to_other",
        "Closes a token account; its lamports go to somebody else",
        "A sponsor who paid the rent takes it back",
        _SOLANA,
    ),
    Kind(
        "associated_account_mismatch",
        "The token account is not that of its owner, mint and token program: the transaction fails on chain",
        "Costs the fee only",
        _SOLANA,
    ),
    # Tron
    Kind("expired", "Has expired: no block takes it any more", "Decoding what was sent before", _TRON),
    Kind("memo", "A memo costs extra, and everybody can read it", "Deposits to exchanges", _TRON),
    Kind(
        "account_permission",
        "Signed under a permission of the account: the network counts the keys and weights that it has",
        "Accounts of several keys",
        _TRON,
    ),
    Kind("locked_delegation", "Cannot be taken back before the lock ends", "Renting out resources", _TRON),
    Kind(
        "prefixed_address",
        "An address is written with the byte 0x41 before it, which some contracts refuse",
        "Wallets that encode addresses so",
        _TRON,
    ),
    # TON
    Kind("sends_all_balance", "Sends all that the wallet holds", "Emptying a wallet", _TON),
    Kind(
        "repeatable_on_failure",
        "If a message cannot be sent, the seqno is not used up: anyone can repeat it until it expires",
        "Wallets that leave out mode 2",
        _TON,
    ),
    Kind("zero_address", "Nobody has a key of the zero address", "Burning", _TON),
    Kind(
        "bounces",
        "Returns to the sender, less fees, if nothing is deployed at the address, which asks for no bounce",
        "Contracts whose address was noted in the other form",
        _TON,
    ),
    Kind(
        "does_not_bounce",
        "Stays at the address even if nothing there takes it, although the address asks for a bounce",
        "Funding a wallet that is not deployed yet",
        _TON,
    ),
    Kind(
        "unknown_payload",
        "A payload is not understood: what it does is for you to know",
        "Most contracts; the limit unknown_calls refuses it",
        _TON,
    ),
    Kind(
        "unknown_forward_payload",
        "What is passed on to the recipient is not understood",
        "Exchanges; the limit unknown_calls refuses it",
        _TON,
    ),
    Kind(
        "valid_on_main_network",
        "The wallet has the same address on the main network, where this is valid too if the seqno fits",
        "Trying out with keys of their own",
        _TON,
    ),
    Kind("encrypted_comment", "The comment is encrypted: only its recipient reads it", "Private notes", _TON),
)

CAUTIONS: Final[dict[str, Kind]] = {kind.code: kind for kind in _KINDS}
"""By code. A hazard that a caller asked for is a caution too, with the hazard's own words."""


def caution(code: str) -> Caution:
    """The caution of a listed code."""
    return Caution(code=code, message=CAUTIONS[code].message if code in CAUTIONS else HAZARDS[code].description)
