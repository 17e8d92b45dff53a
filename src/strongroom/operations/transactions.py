"""Transactions: decode, sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain
from strongroom.domain.brief import brief
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.network import Network
from strongroom.domain.record import SignatureRecord
from strongroom.domain.signing import Prepared, Signed, SignedIds, SignOptions
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import Wallet
from strongroom.errors import InvalidField, InvalidTransaction
from strongroom.operations import broadcasting
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
        description="Serialised, or the chain's JSON form (EVM: the names of JSON-RPC; TON: those of TON Connect, with"
        " seqno); Bitcoin: a PSBT, base64 or hex; Tron: the JSON of a node, raw_data_hex, or a contract with its"
        " reference block; Solana: base64, or transfers to build"
    ),
]
SighashName = Literal["NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"]


class Options(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is only done when asked for; each needs a scope of its own."""

    replaces: (
        Annotated[str, Meta(max_length=128, description="Id of the transaction that this replaces; needs sign:replace")]
        | None
    ) = None
    allow_resign: Annotated[
        bool, Meta(description="Sign although something else was signed for the nonce or output; needs sign:resign")
    ] = False
    allow_pre155: Annotated[
        bool, Meta(description="EVM: sign a legacy transaction that is valid on every chain; needs sign:pre155")
    ] = False
    allowed_sighashes: Annotated[
        list[SighashName],
        Meta(
            max_length=5,
            description="Bitcoin: sign inputs that ask for one of these, which do not cover all of the transaction;"
            " needs sign:sighash",
        ),
    ] = []
    allow: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(
            max_length=16,
            description="Hazards to sign all the same, each with its scope: " + ", ".join(sorted(HAZARDS)),
        ),
    ] = []


class SignTransaction(KeySelector, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    unsigned_tx: UnsignedTransaction
    options: Options = Options()
    broadcast: Annotated[
        bool, Meta(description="Send it to the network once it is signed and complete; needs the scope broadcast")
    ] = False


class DecodeTransaction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    unsigned_tx: UnsignedTransaction


class SignedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    signed_tx: Annotated[
        str, Meta(description="As the network's nodes take it; Bitcoin, until it is complete: the PSBT")
    ]
    tx_id: str | None
    complete: Annotated[
        bool, Meta(description="False: others are still to sign or to add inputs, or what they signed cannot be judged")
    ]
    summary: Summary
    warnings: list[Caution]
    details: Annotated[
        dict[str, Any],
        Meta(
            description="Chain-specific; EVM: from, nonce, type, v, r, s; Bitcoin: psbt, fee_sat, vsize …;"
            " Tron: signatures, transaction, expiration"
        ),
    ]
    broadcast: Annotated[BroadcastView | None, Meta(description="What became of it, if it was to be broadcast")] = None
    """With a default: answers that 1.0 stored do not have it."""


class DecodedTransaction(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    summary: Summary
    warnings: list[Caution]


_ANYTHING: Final = SignOptions(allow_pre155=True, allow=frozenset(HAZARDS))
"""What is decoded is not signed: hazards are shown as cautions."""


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
    decoded = await call.offload.run(large, chain.decode, network, command.unsigned_tx)
    decoded = await with_previous(call, network, decoded)
    policy = call.networks.policy(network, options)
    keys = SigningKeys(call, wallet, network, command, decoded)
    if places := await keys.unopened():
        await call.offload.run(large, chain.check, decoded, None, policy, call.now)  # what is refused opens nothing
        for place in places:
            await call.keyring.open(call, place)
    ours = await keys.ours()
    warnings = await call.offload.run(large, chain.check, decoded, ours, policy, call.now)
    prepared = await call.offload.run(large, chain.prepare, decoded, ours)
    await call.offload.run(large, _refuse_mnemonics, prepared.summary)
    async with call.journal.intent(  # T1: nothing below runs unless this is durable
        wallet_id=wallet.id,
        network=network.name,
        opens=usable.secret,
        guards=prepared.guards,
        details={"summary": prepared.summary},
        options=options,
    ) as intent:
        answers = await call.signer.sign(prepared.requests(usable.secret, intent.operation_id))
        # Refuses a signature that does not verify.
        signed = await call.offload.run(large, chain.assemble, prepared, signatures_of(answers))
        result = _answer(wallet, network, prepared, signed, warnings)
        to_send = await _to_send(command, call, network, chain, result, intent.operation_id)
        if to_send is not None:
            result = msgspec.structs.replace(result, broadcast=broadcasting.waiting(network, to_send.plan.row.tx_id))
        written = Unit() if to_send is None else to_send.plan.written
        intent.settle(  # T2, on leaving; a failure is settled too
            result,
            rows=[_record(call, result, intent.operation_id, signed), *written.rows],
            same=keys.addresses(prepared.receives),  # change: no balance would count it otherwise
            changes=written.changes,
            wakes=written.wakes,
            details={"tx_id": signed.tx_id, "complete": signed.complete},
        )
    if to_send is None:
        return result
    call.deadline.answer = result  # the signature stands, and the task sends it
    sent = await broadcasting.send_signed(call, network, to_send.plan, to_send.ids)
    return msgspec.structs.replace(result, broadcast=sent)


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
    """It is written down with the signature: whoever dies now leaves a task that sends it."""


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
    """A memo is published, and kept in the clear before that. Raises InvalidTransaction."""
    for details in (summary.details, *(action.details for action in summary.actions)):
        texts = [details[name] for name in ("memo", "comment") if name in details]
        if texts and holds_mnemonic(msgspec.json.encode(texts).decode()):
            raise InvalidTransaction(
                "a memo or comment looks like a mnemonic, and would be public", field="unsigned_tx"
            )


async def decode(command: DecodeTransaction, call: Call) -> DecodedTransaction:
    """What would be signed, and what would be said of it, without a key."""
    network, chain = call.networks.resolve(command.network)
    policy = call.networks.policy(network, _ANYTHING)

    def read() -> DecodedTransaction:
        decoded = chain.decode(network, command.unsigned_tx)
        warnings = chain.check(decoded, None, policy, call.now)
        return DecodedTransaction(network=network.name, summary=chain.summarise(decoded, None), warnings=list(warnings))

    return await call.offload.run(call.offload.is_large(command.unsigned_tx), read)


def _options(options: Options, network: Network, call: Call) -> SignOptions:
    known = {name: hazard for name, hazard in HAZARDS.items() if network.chain in hazard.chains}
    if not known.keys() >= set(options.allow):
        raise InvalidField(
            f"options.allow takes, on this network: {', '.join(known) or 'nothing'}", field="options.allow"
        )
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
