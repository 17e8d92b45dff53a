"""What a restricted caller may sign: how much of each asset may leave a wallet in one transaction.

Everything that the decoder finds is counted: coins, tokens, allowances as if they were spent, and the fee if the
transaction bounds it. Tron's bandwidth and TON's gas are not bounded by a transaction. A payment to an address of the
same wallet counts too, unless it is change that the wallet is known to hold. What cannot be counted is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from strongroom.chains.base import Chain
from strongroom.domain.asset import coin_of, token_id
from strongroom.domain.network import Network
from strongroom.domain.restriction import Restriction
from strongroom.domain.signing import SignOptions
from strongroom.domain.summary import Action, Caution, Summary
from strongroom.errors import LimitExceeded, StrongroomError

NAMEABLE: Final = frozenset({"evm", "tron", "solana"})
"""Chains whose transactions name the token, so that tokens can be counted."""

_MOVES: Final = frozenset({
    "transfer", "token_transfer", "token_transfer_from", "token_approve", "swap", "offer", "fee", "data", "stake",
    "delegate_resource", "account_creation",
})  # fmt: skip
"""Kinds of actions whose amount leaves the wallet, or lets others take it at once."""
_STAYS: Final = frozenset({
    "spend", "change", "consideration", "message", "memo", "nonce", "signature_check", "vote", "unstake",
    "undelegate_resource", "withdraw_rewards", "withdraw_unstaked", "cancel_unstaking",
})  # fmt: skip
"""Kinds of actions by which nothing leaves. ``spend`` is already counted through the outputs and the fee."""
_UNKNOWN: Final = frozenset({"unknown_call", "unknown_typed_data", "unknown_hash", "delegate_call"})
_UNCOUNTABLE: Final = _UNKNOWN | {
    "unlimited_delegation", "approval_for_all", "nothing_in_return", "nonce_authority",
}  # fmt: skip
_ELSEWHERE: Final = "valid_on_main_network"
_SEND_FIXED: Final = 3
"""The modes of TON that send a named amount. All other modes carry what is in the account."""


def check_transaction(
    restriction: Restriction,
    network: Network,
    chain: Chain,
    summary: Summary,
    cautions: Sequence[Caution],
    options: SignOptions,
) -> None:
    """Checks a transaction against the caller's restriction. Raises LimitExceeded."""
    if options.allow_pre155:
        _refuse_everywhere(restriction, "the transaction is valid on every chain")
    if any(each.code == _ELSEWHERE for each in cautions) and not _sees_others(restriction, network):
        raise _refused("the transaction is also valid on the main network", "networks")
    if restriction.refuses_unknown_calls:
        _refuse_codes(cautions, _UNKNOWN, "unknown_calls")
    if not restriction.max_values:
        return
    if options.allow or options.allowed_sighashes:
        raise _refused("options.allow or allowed_sighashes leaves the effect open", "max_values")
    if summary.fee is None and network.chain in ("bitcoin", "evm", "solana"):
        raise _refused("the fee of the transaction is not known", "max_values")
    if network.chain == "ton" and int(summary.details.get("mode", 0)) & ~_SEND_FIXED:
        raise _refused("the send mode can carry a whole balance", "max_values")
    _refuse_codes(cautions, _UNCOUNTABLE, "max_values")
    leaving = _leaving(network, chain, summary.actions)
    if summary.fee is not None:
        leaving[coin_of(network).id] += int(summary.fee.amount)
    if any(each.code == _ELSEWHERE for each in cautions):  # then as much may leave there, and other assets are refused
        leaving |= Counter({coin_of(each).id: leaving.total() for each in chain.networks if not each.testnet})
    _compare(leaving, restriction, network)


def of_restriction(refusal: LimitExceeded, restriction: Restriction, allowed: int | None) -> LimitExceeded:
    """The error to raise if a chain's limit ``unknown_calls`` was lowered to 0 by the caller's restriction.

    ``allowed``: the limit that the chain itself has.
    """
    if allowed is not None and int(refusal.hints.get("received", 0)) > allowed:
        return refusal
    return _refused(
        "the transaction or message has a call that is not understood",
        "unknown_calls" if restriction.refuses_unknown_calls else "max_values",
    )


def check_message(
    restriction: Restriction, network: Network, chain: Chain, summary: Summary, cautions: Sequence[Caution]
) -> None:
    """Checks a message against the caller's restriction. A text moves nothing; a permit or an order counts for what
    others can do with it, and what a hash stands for cannot be counted. Raises LimitExceeded.
    """
    codes = {each.code for each in cautions}
    authorizes = any(action.kind == "authorization" for action in summary.actions)
    if "no_chain_binding" in codes or (authorizes and _on_any_chain(summary)):
        _refuse_everywhere(restriction, "the signature is valid on every chain")
    if restriction.refuses_unknown_calls:
        if authorizes:
            raise _refused("the message lets a contract act as the account", "unknown_calls")
        _refuse_codes(cautions, _UNKNOWN, "unknown_calls")
    if not restriction.max_values:
        return
    if authorizes:
        raise _refused("the message lets a contract act as the account", "max_values")
    _refuse_codes(cautions, _UNCOUNTABLE, "max_values")
    head, *rest = summary.actions
    counted = rest if head.kind == "typed_data" and rest and head.amount is None else [head, *rest]
    _compare(_leaving(network, chain, counted, also={"typed_data"}), restriction, network)


def _refuse_everywhere(restriction: Restriction, what: str) -> None:
    """Elsewhere, it would be another network and move other assets."""
    if restriction.networks is not None:
        raise _refused(what, "networks")
    if restriction.max_values:
        raise _refused(what, "max_values")


def _sees_others(restriction: Restriction, network: Network) -> bool:
    """Whether the caller sees another network of the same kind, such as the main network of a test network."""
    kind = network.caip2.partition(":")[0] + ":"
    seen = restriction.networks
    return seen is None or any(each.startswith(kind) and each != network.caip2 for each in seen)


def _on_any_chain(summary: Summary) -> bool:
    return any(action.details.get("chain_id") == "0" for action in summary.actions)


def _leaving(network: Network, chain: Chain, actions: Sequence[Action], also: Collection[str] = ()) -> Counter[str]:
    """The amounts that leave the wallet, in base units, by CAIP-19 id. Raises LimitExceeded for what cannot be
    counted.
    """
    found: Counter[str] = Counter()
    for action in actions:
        if action.kind in _STAYS:
            continue
        asset = _asset(network, chain, action)
        countable = action.kind in _MOVES or action.kind in also
        open_ended = {"all", "allowed", "token_id", "criteria", "end_amount"} & {
            name for name, value in action.details.items() if value not in (False, None)
        }
        if not countable or asset is None or action.amount is None or open_ended:
            raise _refused("the transaction or message has an effect that cannot be counted", "max_values")
        found[asset] += int(action.amount)
    return found


def _asset(network: Network, chain: Chain, action: Action) -> str | None:
    if action.asset is None:
        return None
    if action.asset == network.symbol:
        return coin_of(network).id
    if network.chain not in NAMEABLE:
        return None
    try:
        return token_id(network, chain.parse_address(network, action.asset).address)
    except StrongroomError:
        return None


def _compare(leaving: Counter[str], restriction: Restriction, network: Network) -> None:
    """Zero of a token without a value is refused too, because ERC-721 has the same calls and it may be an NFT's id."""
    coin = coin_of(network).id
    for asset, amount in leaving.items():
        if amount > restriction.max_values.get(asset, 0 if asset == coin else -1):
            raise _refused("more of an asset would leave the wallet than one transaction may move", "max_values")


def _refuse_codes(cautions: Sequence[Caution], codes: frozenset[str], name: str) -> None:
    if any(each.code in codes for each in cautions):
        raise _refused("the transaction or message has a call that is not understood", name)


def _refused(what: str, name: str) -> LimitExceeded:
    refusal = LimitExceeded(f"the caller's restriction {name} forbids this: {what}")
    refusal.denial = f"restriction: {name}"
    return refusal
