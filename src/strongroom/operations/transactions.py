"""Transactions: decode and sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain, Decoded, Unsigned
from strongroom.domain.brief import brief
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.network import Network
from strongroom.domain.record import SignatureRecord
from strongroom.domain.signing import Ours, Policy, Prepared, Signed, SignedIds, SignOptions
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import Address, Wallet
from strongroom.errors import InvalidField, InvalidTransaction, LimitExceeded
from strongroom.operations import broadcasting, caps
from strongroom.operations.answers import signatures_of
from strongroom.operations.broadcasting import BroadcastView, Planned
from strongroom.operations.call import Call
from strongroom.operations.fields import KeySelector, NetworkName
from strongroom.operations.previous import with_previous
from strongroom.operations.signing_keys import SigningKeys
from strongroom.storage.base import Unit
from strongroom.telemetry.scrubbing import holds_mnemonic

UnsignedTransaction = Annotated[
    str | dict[str, Any],
    Meta(
        description="Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON "
        "Connect, with seqno. Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, "
        "raw_data_hex, or a contract with its reference block. Solana: base64, or transfers to "
        "build"
    ),
]
SighashName = Literal["NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"]


class Options(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is done only on request. Each option needs its own scope."""

    replaces: (
        Annotated[
            str, Meta(max_length=128, description="Id of the transaction that this one replaces. Needs sign:replace")
        ]
        | None
    ) = None
    allow_resign: Annotated[
        bool, Meta(description="Sign although something else was signed for the nonce or output. Needs sign:resign")
    ] = False
    allow_pre155: Annotated[
        bool, Meta(description="EVM: sign a legacy transaction that is valid on every chain. Needs sign:pre155")
    ] = False
    allowed_sighashes: Annotated[
        list[SighashName],
        Meta(
            max_length=5,
            description="Bitcoin: sign inputs that ask for one of these, which do not cover the whole "
            "transaction. Needs sign:sighash",
        ),
    ] = []
    allow: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(
            max_length=16,
            description="Hazards to sign in spite of the danger. Each needs its scope: " + ", ".join(sorted(HAZARDS)),
        ),
    ] = []


class SignTransaction(KeySelector, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    unsigned_tx: UnsignedTransaction
    options: Options = Options()
    broadcast: Annotated[
        bool,
        Meta(
            description="Send the transaction to the network once it is signed and complete. Needs the scope broadcast"
        ),
    ] = False


class DecodeTransaction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    unsigned_tx: UnsignedTransaction


class SignedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    signed_tx: Annotated[
        str, Meta(description="As nodes of the network accept it. Bitcoin: the PSBT until it is complete")
    ]
    tx_id: str | None
    complete: Annotated[
        bool,
        Meta(description="False if others still have to sign or add inputs, or if their signatures cannot be judged"),
    ]
    summary: Summary
    warnings: list[Caution]
    details: Annotated[
        dict[str, Any],
        Meta(
            description="Chain-specific. EVM: from, nonce, type, v, r, s. Bitcoin: psbt, fee_sat, vsize …. Tron: "
            "signatures, transaction, expiration"
        ),
    ]
    broadcast: Annotated[
        BroadcastView | None, Meta(description="What became of the broadcast, if it was asked for")
    ] = None
    """It has a default because responses that version 1.0 stored do not contain it."""


class DecodedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    summary: Summary
    warnings: list[Caution]


_PLAIN: Final = Options()
_NOTHING_ALLOWED: Final = SignOptions()
_HASH: Final = re.compile(r"(0[xX])?[0-9A-Fa-f]{64}", re.ASCII)
_ANYTHING: Final = SignOptions(allow_pre155=True, allow=frozenset(HAZARDS))
"""Decoding signs nothing, so hazards are shown as cautions."""


async def sign(command: SignTransaction, call: Call) -> SignedTransaction:
    network, chain = call.networks.resolve(command.network)
    options = _options(command.options, network, call)
    if command.broadcast:
        call.require_scope("broadcast", "broadcasting")
        await call.count("broadcast")
        call.reading.sender(network)
    usable = await call.usable_wallet(command.wallet_id)
    wallet = usable.wallet

    large = call.offload.is_large(command.unsigned_tx)
    decoded = await call.offload.run(large, _decoded, chain, network, command.unsigned_tx)
    decoded = await with_previous(call, network, decoded)
    restriction = call.principal.restriction
    refuses = restriction.refuses_unknown_calls or bool(restriction.max_values)
    policy = call.networks.policy(network, options, refuses_unknown=refuses)
    keys = SigningKeys(call, wallet, network, command, decoded)
    await call.offload.run(large, keys.read)
    ours = keys.remembered() or await _opened(keys, large, policy)

    def prepare() -> tuple[Prepared, tuple[Caution, ...], list[Address]]:
        warnings = _check(call, network, decoded, ours, policy)
        prepared = chain.prepare(decoded, ours)
        _refuse_mnemonics(prepared.summary)
        caps.check_transaction(restriction, network, chain, prepared.summary, warnings, options)
        return prepared, warnings, keys.addresses(prepared.receives)

    prepared, warnings, change = await call.offload.run(large, prepare)
    async with call.journal.intent(  # T1: nothing below runs unless this commit is durable
        wallet_id=wallet.id,
        network=network.name,
        opens=usable.secret,
        guards=prepared.guards,
        details={"summary": prepared.summary},
        options=options,
    ) as intent:
        answers = await call.signer.sign(prepared.requests(usable.secret, intent.operation_id))
        # Raises if a signature does not verify.
        signed = await call.offload.run(large, chain.assemble, prepared, signatures_of(answers))
        result = _answer(wallet, network, prepared, signed, warnings)
        to_send = await _to_send(command, call, network, chain, result, intent.operation_id)
        if to_send is not None:
            result = msgspec.structs.replace(result, broadcast=broadcasting.waiting(network, to_send.plan.row.tx_id))
        written = Unit() if to_send is None else to_send.plan.written
        intent.settle(  # T2, when the block is left. A failure is settled too
            result,
            rows=[_record(call, result, intent.operation_id, signed), *written.rows],
            same=change,  # no balance would count these addresses otherwise
            changes=written.changes,
            wakes=written.wakes,
            details={"tx_id": signed.tx_id, "complete": signed.complete},
        )
    if to_send is None:
        return result
    call.deadline.answer = result  # the signature stands, and the task sends it
    sent = await broadcasting.send_signed(call, network, to_send.plan, to_send.ids)
    return msgspec.structs.replace(result, broadcast=sent)


async def _opened(keys: SigningKeys, large: bool, policy: Policy) -> Ours:
    """The keys, after their accounts are opened. A transaction that is refused anyway opens nothing."""
    call = keys.call
    if places := await keys.unopened():
        await call.offload.run(large, _check, call, keys.network, keys.decoded, None, policy)
        for place in places:
            await call.keyring.open(call, place)
    return await keys.ours()


def _check(call: Call, network: Network, decoded: Decoded, ours: Ours | None, policy: Policy) -> tuple[Caution, ...]:
    """As `Networks.check`. If only the caller's restriction forbids it, the error says so."""
    try:
        return call.networks.check(network, decoded, ours, policy, call.now)
    except LimitExceeded as refusal:
        if refusal.hints.get("setting") != call.networks.setting(network, "unknown_calls"):
            raise
        allowed = call.networks.limits(network).get("unknown_calls")
        raise caps.of_restriction(refusal, call.principal.restriction, allowed) from None


def _answer(
    wallet: Wallet, network: Network, prepared: Prepared, signed: Signed, warnings: Sequence[Caution]
) -> SignedTransaction:
    return SignedTransaction(
        wallet_id=wallet.id,
        network=network.name,
        signed_tx=signed.raw,
        tx_id=signed.tx_id,
        complete=signed.complete,
        summary=prepared.summary,
        warnings=list(warnings),
        details=dict(signed.details),
    )


@dataclass(frozen=True, slots=True)
class _ToSend:
    ids: SignedIds
    plan: Planned
    """Stored with the signature. If the process dies now, the task sends the transaction."""


async def _to_send(
    command: SignTransaction, call: Call, network: Network, chain: Chain, result: SignedTransaction, operation_id: UUID
) -> _ToSend | None:
    if not (command.broadcast and result.complete):
        return None
    large = call.offload.is_large(result.signed_tx)
    ids = await call.offload.run(large, chain.identify, network, result.signed_tx)
    return _ToSend(
        ids, await broadcasting.planned(call, network, ids, result.signed_tx, operation_id, result.wallet_id)
    )


def _refuse_mnemonics(summary: Summary) -> None:
    """Refuses a mnemonic in a memo, which is published, and stored in the clear before. Raises InvalidTransaction."""
    for details in (summary.details, *(action.details for action in summary.actions)):
        texts = [details[name] for name in ("memo", "comment") if name in details]
        if texts and holds_mnemonic(msgspec.json.encode(texts).decode()):
            raise InvalidTransaction(
                "a memo or comment looks like a mnemonic, and everybody could read it", field="unsigned_tx"
            )


async def decode(command: DecodeTransaction, call: Call) -> DecodedTransaction:
    """The summary and the cautions of a transaction, without a key. Raises InvalidTransaction, LimitExceeded,
    OptionRequired.
    """
    network, chain = call.networks.resolve(command.network)
    policy = call.networks.policy(network, _ANYTHING)

    def read() -> DecodedTransaction:
        decoded = _decoded(chain, network, command.unsigned_tx)
        warnings = call.networks.check(network, decoded, None, policy, call.now)
        return DecodedTransaction(network=network.name, summary=chain.summarise(decoded, None), warnings=list(warnings))

    return await call.offload.run(call.offload.is_large(command.unsigned_tx), read)


def _decoded(chain: Chain, network: Network, unsigned: Unsigned) -> Decoded:
    """The decoded transaction. A bare hash gets an error of its own, because those of the chains would mislead.

    Raises InvalidTransaction.
    """
    try:
        return chain.decode(network, unsigned)
    except InvalidTransaction:
        if isinstance(unsigned, str) and _HASH.fullmatch(unsigned):
            raise InvalidTransaction(
                "these 32 bytes look like a hash, and hashes are never signed: send the transaction itself",
                field="unsigned_tx",
            ) from None
        raise


def _options(options: Options, network: Network, call: Call) -> SignOptions:
    if options == _PLAIN:
        return _NOTHING_ALLOWED
    known = {name: hazard for name, hazard in HAZARDS.items() if network.chain in hazard.chains}
    if not known.keys() >= set(options.allow):
        raise InvalidField(
            f"options.allow accepts on this network: {', '.join(known) or 'nothing'}",
            field="options.allow", allowed=list(known),
        )  # fmt: skip
    for scope, asked in (
        ("sign:replace", options.replaces is not None),
        ("sign:resign", options.allow_resign),
        ("sign:pre155", options.allow_pre155),
        ("sign:sighash", bool(options.allowed_sighashes)),
        *((hazard.scope, name in options.allow) for name, hazard in known.items()),
    ):
        if asked:
            call.require_scope(scope, "this option")
    return SignOptions(
        options.replaces,
        options.allow_resign,
        options.allow_pre155,
        tuple(options.allowed_sighashes),
        frozenset(options.allow),
    )


def _record(call: Call, result: SignedTransaction, operation_id: UUID, signed: Signed) -> SignatureRecord:
    return SignatureRecord(
        tenant_id=call.tenant_id,
        operation_id=operation_id,
        item=0,
        wallet_id=result.wallet_id,
        network=result.network,
        tx_id=signed.tx_id,
        raw=signed.raw,
        summary=brief(result.summary),
        created_at=call.now,
    )
