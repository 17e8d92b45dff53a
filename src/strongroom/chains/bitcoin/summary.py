"""The summary and the cautions of a PSBT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from strongroom.chains.bitcoin import address, checks, relay, script
from strongroom.chains.bitcoin.commitments import Commitments
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.codecs.bip144 import TxOut
from strongroom.domain import hazards
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.signing import OurKey, Policy
from strongroom.domain.summary import Action, Caution, Fee, Summary

_LEFT_OPEN: Final = {
    HashType.NONE: "others can pay the inputs' amount to anyone",
    HashType.SINGLE: "others can change every output except the one at the position of the input",
    HashType.ALL_ANYONECANPAY: "others can add, change and remove the other inputs, and so change the fee",
    HashType.NONE_ANYONECANPAY: "others can spend the input in any transaction, to anyone",
    HashType.SINGLE_ANYONECANPAY: "others can put the input and the output at its position into any transaction",
}
"""What signatures of these types leave open."""
MAX_REPLACEABLE: Final = 0xFFFFFFFD
"""An input with at most this sequence signals that the transaction may be replaced (BIP-125)."""


def summarise(decoded: BitcoinTransaction, held: Ownership) -> Summary:
    """Inputs are actions of kind ``spend``. Outputs are ``change`` if they pay the wallet, ``data`` or ``transfer``."""
    transaction = decoded.transaction
    return Summary(
        network=decoded.network.name,
        type="psbt",
        actions=[*_inputs(decoded, held), *_outputs(decoded, held)],
        fee=_fee(decoded),
        details={
            "unsigned_txid": transaction.txid,
            "version": transaction.version,
            "lock_time": transaction.lock_time,
            "replaceable": _replaceable(decoded),
        },
    )


def _inputs(decoded: BitcoinTransaction, held: Ownership) -> Iterator[Action]:
    for index, txin in enumerate(decoded.transaction.inputs):
        output, keys = decoded.spent[index], held.signers[index]
        owner = None if output is None else held.key_of(output.script)
        details: dict[str, Any] = {
            "outpoint": str(txin.outpoint),
            "ours": owner is not None or bool(keys),
            "sequence": txin.sequence,
        }
        paths = [key.path for key in keys] or ([] if owner is None else [owner.path])
        lock = decoded.locks[index]
        if paths:
            details["path"] = ", ".join(paths)
        if lock is not None and lock.keys:
            details["multisig"] = f"{lock.threshold} of {len(lock.keys)}"
        yield Action(
            kind="spend",
            from_address=None if output is None else _address(decoded.network, output.script),
            amount=None if output is None else str(output.value),
            asset=decoded.network.symbol,
            details=details | ({} if output is None else _script(output.script)),
        )


def _outputs(decoded: BitcoinTransaction, held: Ownership) -> Iterator[Action]:
    for output, owner in zip(decoded.transaction.outputs, held.outputs, strict=True):
        kind, data = script.classify(output.script)
        if kind is ScriptKind.OP_RETURN:
            name, details = "data", {"script": output.script.hex()}
        elif owner is None:
            name, details = "transfer", _script(output.script)
        else:
            name, details = "change", {"script": kind, "path": owner.path}
        yield Action(
            kind=name,
            to=_address(decoded.network, output.script),
            amount=str(output.value),
            asset=decoded.network.symbol,
            data_size=len(data) if kind is ScriptKind.OP_RETURN else None,
            details=details,
        )


def _script(output_script: bytes) -> dict[str, Any]:
    """The kind of the script, or the whole script if it has no address."""
    kind, _ = script.classify(output_script)
    bare = kind in (ScriptKind.MULTISIG, ScriptKind.OTHER)
    return {"script": output_script.hex() if bare else kind}


def _fee(decoded: BitcoinTransaction) -> Fee | None:
    amount = checks.fee(decoded)
    if amount is None:
        return None
    vsize = decoded.estimated.vsize
    rate = f"{amount // vsize}.{amount * 100 // vsize % 100:02}"
    return Fee(amount=str(amount), asset=decoded.network.symbol, rate=rate, limit=str(vsize))


def cautions(held: Ownership, signed: Commitments, policy: Policy) -> Iterator[Caution]:
    """Raises OptionRequired on a hazard that the caller did not ask for."""
    decoded = signed.decoded
    if not signed.verified:
        yield policy.permit(hazards.UNVERIFIED_AMOUNTS)
    limit = policy.limits.get("high_fee_rate_warning", checks.LIMITS["high_fee_rate_warning"])
    amount = checks.balance(decoded)
    if amount is None:
        yield caution("unknown_fee")
    elif amount < 0:
        yield caution("unfinished")
    elif limit is not None and amount > limit * decoded.estimated.vsize:
        yield caution("high_fee")
    for kind in sorted(set(signed.loose.values())):
        yield Caution(code="partial_sighash", message=f"{kind.label}: {_LEFT_OPEN[kind]}")
    for output, owner in zip(decoded.transaction.outputs, held.outputs, strict=True):
        yield from _of_output(output, owner)
        if owner is not None and held.is_far(owner):
            yield caution("far_change")
    transaction = decoded.transaction
    if amount and any(relay.is_empty_anchor(output) for output in transaction.outputs):
        yield caution("anchor_with_fee")


def _of_output(output: TxOut, owner: OurKey | None) -> Iterator[Caution]:
    if owner is not None and owner.address != output.script:
        yield caution("other_script")
    if script.classify(output.script)[0] is ScriptKind.OTHER:
        yield caution("unknown_script")


def _address(network: Network, output_script: bytes) -> str | None:
    return address.encode(address.params(network), output_script)


def _replaceable(decoded: BitcoinTransaction) -> bool:
    return any(txin.sequence <= MAX_REPLACEABLE for txin in decoded.transaction.inputs)
