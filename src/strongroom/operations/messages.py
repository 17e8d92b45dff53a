"""Messages, typed data and EIP-7702 authorisations: sign and verify."""

from __future__ import annotations

import binascii
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain, no_message_format
from strongroom.domain.brief import brief
from strongroom.domain.network import Network
from strongroom.domain.record import SignatureRecord
from strongroom.domain.scheme import Curve
from strongroom.domain.signing import Message, OurKey, SignOptions
from strongroom.domain.summary import Caution, Summary
from strongroom.errors import InvalidMessage, WrongKey
from strongroom.operations import caps
from strongroom.operations.answers import signatures_of
from strongroom.operations.call import Call
from strongroom.operations.fields import AddressText, KeySelector, NetworkName
from strongroom.operations.places import Place
from strongroom.telemetry.scrubbing import looks_like_secret

MessageText = Annotated[str, Meta(max_length=262_144, description="The message, encoded as `encoding` says")]
Encoding = Annotated[
    Literal["text", "hex"], Meta(description="text: signed as UTF-8. hex: the bytes themselves; 0x is allowed")
]
FormatName = Annotated[str, Meta(max_length=32, description="eip191 …", examples=["eip191"])]
SignatureText = Annotated[
    str, Meta(max_length=4096)
]  # a BIP-322 signature may hold a multisig script with all its signatures
Uint256Text = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,77})$", description="Decimal digits", examples=["1"])]

_STAND_INS: Final = {
    Curve.SECP256K1: bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    Curve.ED25519: bytes.fromhex("58" + 31 * "66"),
}
"""The generators, which stand in for the public key of a wallet that is not open yet."""


Domain = Annotated[str, Meta(max_length=256, description="ton-proof, ton-sign-data: domain of the application")]
StatementTime = Annotated[int, Meta(ge=0, le=2**62, description="ton-proof, ton-sign-data: seconds since 1970")]
StatementPayload = Annotated[
    str | dict[str, Any],
    Meta(
        description="ton-proof: a text. ton-sign-data: {type: text, text}, {type: binary, bytes} (base64) or "
        "{type: cell, schema, cell} (base64)"
    ),
]
PublicKeyText = Annotated[
    str, Meta(max_length=130, description="Hex. Needed if the address does not reveal the key (TON)")
]


class SignMessage(KeySelector, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Formats that sign bytes take message and encoding. Formats that sign a statement take domain, timestamp and
    payload.
    """

    wallet_id: UUID
    network: NetworkName
    format: FormatName
    message: MessageText | None = None
    encoding: Encoding | None = None
    domain: Domain | None = None
    timestamp: StatementTime | None = None
    payload: StatementPayload | None = None


class SignTypedData(KeySelector, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    typed_data: Annotated[dict[str, Any], Meta(description="EIP-712 document: types, primaryType, domain and message")]


class SignAuthorization(KeySelector, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    chain_id: Annotated[Uint256Text, Meta(description="Chain id of the authorisation. 0 is valid on every chain")]
    contract: Annotated[
        AddressText, Meta(description="Contract that the account delegates to. The zero address revokes the delegation")
    ]
    nonce: Annotated[Uint256Text, Meta(description="Nonce of the account when the authorisation is applied")]
    allow_resign: Annotated[
        bool, Meta(description="Sign although something else was signed for the nonce. Needs sign:resign")
    ] = False


class VerifyMessage(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    format: FormatName
    message: MessageText | None = None
    encoding: Encoding | None = None
    domain: Domain | None = None
    timestamp: StatementTime | None = None
    payload: StatementPayload | None = None
    signature: SignatureText
    address: AddressText
    public_key: PublicKeyText | None = None


class VerifyTypedData(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    typed_data: Annotated[dict[str, Any], Meta(description="EIP-712 document: types, primaryType, domain and message")]
    signature: SignatureText
    address: AddressText


class SignedMessageView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    address: str
    format: Annotated[str, Meta(description="Format that was signed, such as eip191")]
    signature: str
    digest: Annotated[str | None, Meta(description="What was signed, if the format has a digest")]
    summary: Summary
    warnings: list[Caution]
    details: Annotated[dict[str, Any], Meta(description="What only this format returns, such as r, s and v")]


class Verification(msgspec.Struct, kw_only=True, frozen=True):
    valid: Annotated[bool, Meta(description="Whether the address signed the message")]


async def sign(command: SignMessage, call: Call) -> SignedMessageView:
    _, chain = call.networks.resolve(command.network)
    return await _sign(command, _message(chain, command), call)


async def sign_typed_data(command: SignTypedData, call: Call) -> SignedMessageView:
    _, chain = call.networks.resolve(command.network)
    return await _sign(command, _of_document(chain, "eip712", command.typed_data), call)


async def sign_authorization(command: SignAuthorization, call: Call) -> SignedMessageView:
    """EIP-7702: lets a contract act as the account."""
    _, chain = call.networks.resolve(command.network)
    document = {"chain_id": command.chain_id, "address": command.contract, "nonce": command.nonce}
    if command.allow_resign:
        call.require_scope("sign:resign", "this option")
    options = SignOptions(allow_resign=command.allow_resign)
    return await _sign(command, _of_document(chain, "eip7702", document), call, options)


async def verify(command: VerifyMessage, call: Call) -> Verification:
    network, chain = call.networks.resolve(command.network)
    message = replace(_message(chain, command), public_key=command.public_key)
    return await _verify(call, network, chain, message, command)


async def verify_typed_data(command: VerifyTypedData, call: Call) -> Verification:
    network, chain = call.networks.resolve(command.network)
    message = _of_document(chain, "eip712", command.typed_data)
    return await _verify(call, network, chain, message, command)


async def _verify(
    call: Call, network: Network, chain: Chain, message: Message, command: VerifyMessage | VerifyTypedData
) -> Verification:
    large = call.offload.is_large([message.data, message.document, command.signature])
    check = chain.verify_message
    return Verification(
        valid=await call.offload.run(large, check, network, message, command.signature, command.address)
    )


def message_bytes(message: str, encoding: str) -> bytes:
    """The bytes to sign. The caller says whether it is text or bytes, because "0x12" may be either. Raises
    InvalidMessage.
    """
    if encoding == "text":
        return message.encode()
    try:
        return binascii.unhexlify(message.removeprefix("0x"))
    except ValueError:
        raise InvalidMessage(
            "with encoding hex, message must be an even number of hex digits", field="message"
        ) from None


def _message(chain: Chain, command: SignMessage | VerifyMessage) -> Message:
    """Raises InvalidMessage if the chain does not have the format, or if fields do not belong to it."""
    formats = (*chain.message_formats, *chain.statement_formats)
    if command.format not in formats:
        raise no_message_format(formats)
    statement = {"domain": command.domain, "timestamp": command.timestamp, "payload": command.payload}
    text = {"message": command.message, "encoding": command.encoding}
    is_statement = command.format in chain.statement_formats
    needed, foreign = (statement, text) if is_statement else (text, statement)
    for name, value in foreign.items():
        if value is not None:
            raise InvalidMessage(f"{name} cannot be used with this format", field=name)
    for name, value in needed.items():
        if value is None:
            raise InvalidMessage(f"this format needs {name}", field=name)
    if is_statement:
        return Message(command.format, document=statement)
    return Message(command.format, data=message_bytes(command.message or "", command.encoding or ""))


def _of_document(chain: Chain, format_name: str, document: dict[str, Any]) -> Message:
    if format_name not in chain.document_formats:
        raise InvalidMessage("the network does not support messages of this kind", field="network")
    return Message(format_name, document=document)


def _refuse_secrets(summary: Summary) -> None:
    """Refuses secrets in what a summary copies from typed data and stores in the clear. A salt is any 32 bytes, so it
    is not looked at. Raises InvalidMessage.
    """
    for action in summary.actions:
        domain = {name: value for name, value in action.details.get("domain", {}).items() if name != "salt"}
        if looks_like_secret(msgspec.json.encode([action.method, action.spender, domain]).decode()):
            raise InvalidMessage(
                "domain, primaryType or spender looks like a mnemonic or a key, and would be stored unencrypted",
                field="domain" if summary.type not in ("eip712", "eip7702") else "typed_data",
            )


def _try(chain: Chain, place: Place, message: Message) -> None:
    """Refuses what would be refused whichever key signs. Raises InvalidMessage, UnknownScheme."""
    public_key = _STAND_INS[place.scheme.curve]
    canonical = chain.render(place.network, place.scheme, public_key).canonical
    key = OurKey(public_key, place.path, place.scheme.name, canonical)
    with suppress(WrongKey):  # of course this is not the wallet's key
        prepared, _ = chain.prepare_message(place.network, message, {public_key: key})
        _refuse_secrets(prepared.summary)


async def _sign(
    command: SignMessage | SignTypedData | SignAuthorization,
    message: Message,
    call: Call,
    options: SignOptions | None = None,
) -> SignedMessageView:
    network, chain = call.networks.resolve(command.network)
    usable = await call.usable_wallet(command.wallet_id)
    wallet = usable.wallet
    large = call.offload.is_large([message.data, message.document])
    for place in await call.keyring.unopened(call, wallet, network, command):
        await call.offload.run(large, _try, chain, place, message)  # opens nothing for what is refused anyway
        await call.keyring.open(call, place)
    key = await call.keyring.find(call, wallet, network, command)
    prepared, warnings = await call.offload.run(large, chain.prepare_message, network, message, {key.public_key: key})
    _refuse_secrets(prepared.summary)
    await call.offload.run(
        large, caps.check_message, call.principal.restriction, network, chain, prepared.summary, warnings
    )

    async with call.journal.intent(
        wallet_id=wallet.id,
        network=network.name,
        opens=usable.secret,
        guards=prepared.guards,
        details={"summary": prepared.summary},
        options=options,
    ) as intent:
        answers = await call.signer.sign(prepared.requests(usable.secret, intent.operation_id))
        signed = chain.assemble_message(prepared, signatures_of(answers))
        result = SignedMessageView(
            wallet_id=wallet.id,
            network=network.name,
            address=signed.address,
            format=message.format,
            signature=signed.signature,
            digest=signed.digest,
            summary=prepared.summary,
            warnings=list(warnings),
            details=dict(signed.details),
        )
        record = SignatureRecord(
            tenant_id=call.tenant_id,
            operation_id=intent.operation_id,
            item=0,
            wallet_id=wallet.id,
            network=network.name,
            tx_id=None,
            raw=signed.signature,
            summary=brief(prepared.summary),
            created_at=call.now,
        )
        intent.settle(result, rows=[record], details={"digest": signed.digest})
    return result
