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
_TRON: Final = frozenset({"tron"})
_CALLS: Final = _EVM | _TRON
"""Chains that have the Solidity ABI, and typed data."""

_KINDS: Final = (
    Kind("high_fee", "The fee can be unusually high", "Busy blocks; large data", _BITCOIN | _CALLS),
    # Bitcoin
    Kind("unknown_fee", "The PSBT does not say what every input spends", "Decoding before coins are known", _BITCOIN),
    Kind(
        "partial_sighash",
        "A signature leaves others free to change the transaction",
        "Listings and crowdfunding, and only if allowed_sighashes names the type",
        _BITCOIN,
    ),
    Kind("other_script", "An output holds a key of this wallet beside others", "Multisig and vaults", _BITCOIN),
    Kind("unknown_script", "An output has a script of no known kind", "New output types", _BITCOIN),
    Kind("not_verified_by_core", "Bitcoin Core does not verify this form", "Electrum and Sparrow do", _BITCOIN),
    # EVM: transactions
    Kind(
        "no_replay_protection",
        "Valid on every chain where the nonce fits",
        "Deployments by keyless transactions, and only with allow_pre155",
        _EVM,
    ),
    Kind("contract_creation", "Creates a contract", "Deployments", _EVM),
    Kind("to_zero_address", "Goes to the zero address", "A call without value costs its fee only", _CALLS),
    Kind("to_token_contract", "Sends tokens to their own contract", "An amount of zero loses nothing", _CALLS),
    Kind("to_self", "Goes to the sender itself", "Cancelling a transaction that is stuck", _CALLS),
    Kind("call_with_value", "Calls a contract and sends coins with the call", "Swaps and deposits of coins", _CALLS),
    # EVM: calls
    Kind(
        "unknown_call",
        "Calls something that is not understood here, so it may do anything the sender may do",
        "Most contracts; the limit unknown_calls refuses it",
        _CALLS,
    ),
    Kind(
        "noncanonical_call",
        "The call is not encoded as usual, such as with bytes after its arguments; contracts ignore the difference",
        "Attribution suffixes of wallets and builders",
        _CALLS,
    ),
    Kind("unlimited_approval", "Lets the spender take all there is, for good", "Exchanges ask for it", _CALLS),
    Kind("approval_for_all", "Lets the spender move every token of this contract", "NFT marketplaces", _CALLS),
    Kind("delegate_call", "Runs the code of another contract as the account itself", "Batches of a Safe", _CALLS),
    Kind("ownership_change", "Changes who controls a contract or an account", "Handing over a contract", _CALLS),
    Kind("contract_upgrade", "Replaces the code of a contract", "Upgrades of a proxy", _CALLS),
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
    # EVM: typed data
    Kind(
        "spending_permission",
        "Lets another take tokens or change them for others, without a transaction of this account",
        "Permits, orders, delegations",
        _CALLS,
    ),
    Kind(
        "nothing_in_return",
        "Offers tokens of this account and asks nothing for it in return",
        "Gifts; orders by contracts that pay elsewhere",
        _CALLS,
    ),
    Kind(
        "unlimited_delegation",
        "Lets another account act for this one in everything, without any caveat",
        "Handing an account over",
        _CALLS,
    ),
    Kind(
        "unknown_typed_data",
        "A contract will act on this message, and its type is not understood here",
        "Most applications",
        _CALLS,
    ),
    Kind(
        "no_chain_binding",
        "No chain id is signed: the message is valid on every chain where its contract is",
        "Logins, and contracts from before EIP-712 was final",
        _CALLS,
    ),
    Kind(
        "unsigned_fields",
        "There are fields in the domain or the message that their types do not have; they are not signed",
        "Applications that send more than they sign",
        _CALLS,
    ),
    # Tron
    Kind(
        "expired", "Has expired: no block takes it any more", "Looking at what was sent before; it is not signed", _TRON
    ),
    Kind(
        "memo", "A memo costs extra, and everybody can read it", "Deposits to accounts that are told apart by it", _TRON
    ),
    Kind(
        "account_permission",
        "Signed under a permission of the account: the network counts the keys and weights that it has",
        "Accounts with several keys",
        _TRON,
    ),
    Kind("locked_delegation", "Cannot be taken back before the lock ends", "Renting out energy", _TRON),
    Kind(
        "prefixed_address",
        "An address is written with the byte 0x41 before it, which some contracts refuse",
        "Wallets that write recipients so",
        _TRON,
    ),
)

CAUTIONS: Final[dict[str, Kind]] = {kind.code: kind for kind in _KINDS}
"""By code. A hazard that a caller asked for is a caution too, with the hazard's own words."""


def caution(code: str) -> Caution:
    """The caution of a listed code."""
    return Caution(code=code, message=CAUTIONS[code].message if code in CAUTIONS else HAZARDS[code].description)
