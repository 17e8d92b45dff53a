"""`strongroom sign`, `verify`, `decode`."""

from __future__ import annotations

import functools
import inspect
from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from strongroom.entrypoints.cli import options
from strongroom.entrypoints.cli.rest import Fields, operation

sign = typer.Typer(name="sign", no_args_is_help=True, help="Sign transactions, messages, typed data, authorisations.")
verify = typer.Typer(name="verify", help="Verify anyone's signatures.")
top = typer.Typer()

_PSBT: Final = b"psbt\xff"
"""The first bytes of a binary PSBT (BIP-174)."""

Signature = Annotated[str, typer.Option(help="The signature.")]
Signer = Annotated[str, typer.Option("--address", help="The address that is said to have signed.")]
Domain = Annotated[str | None, typer.Option(help="TON Connect: domain of the application. MESSAGE is the payload.")]
Timestamp = Annotated[int | None, typer.Option(help="TON Connect: seconds since 1970.")]


def _key(
    wallet_id: options.WalletId,
    network: options.Network,
    *,
    index: options.Index = None,
    address: options.FromAddress = None,
    path: options.KeyPath = None,
    scheme: options.Scheme = None,
    account: options.Account = None,
    change: options.Change = None,
) -> None:
    """The parameters that select the key, shared by all commands that sign."""


def _with_key(function: Callable[..., Fields]) -> Callable[..., Fields]:
    """Put WALLET and NETWORK before the function's own parameters, and the options of `_key` after them."""
    own = inspect.signature(function, eval_str=True).parameters
    key = inspect.signature(_key, eval_str=True).parameters

    @functools.wraps(function)
    def command(**given: Any) -> Fields:
        return {name: given[name] for name in key} | function(**{name: given[name] for name in own})

    wallet_id, network, *selectors = key.values()
    command.__signature__ = inspect.Signature([wallet_id, network, *own.values(), *selectors])  # type: ignore[attr-defined]
    return command


@operation(
    sign,
    "transaction",
    "transactions.sign",
    mutates=True,
    examples=(
        "sign transaction $WALLET ethereum 0x02ef01808477359400…",
        "sign transaction $WALLET ethereum @transfer.json --index 3",
        "sign transaction $WALLET polygon - < transfer.json",
        "sign transaction $WALLET tron @createtransaction.json",
    ),
)
@_with_key
def sign_transaction(
    transaction: options.Document,
    replaces: Annotated[str | None, typer.Option(help="Id of the transaction that this one replaces.")] = None,
    allow_resign: Annotated[bool, typer.Option("--allow-resign", help="Sign the nonce again.")] = False,
    allow_pre155: Annotated[bool, typer.Option("--allow-pre155", help="Sign without a chain id.")] = False,
    allow_sighash: Annotated[
        list[str] | None,
        typer.Option(help="Bitcoin: a sighash type that an input may request, such as SINGLE. Repeatable."),
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Name of a hazard to accept.")] = None,
    broadcast: Annotated[bool, typer.Option("--broadcast", help="Broadcast it once it is complete.")] = False,
) -> Fields:
    """Sign a transaction, serialised or in the chain's JSON form."""
    extra = {
        "replaces": replaces,
        "allow_resign": allow_resign or None,
        "allow_pre155": allow_pre155 or None,
        "allowed_sighashes": allow_sighash or None,
        "allow": allow or None,
    }
    return {
        "unsigned_tx": _transaction(transaction),
        "options": {name: value for name, value in extra.items() if value is not None} or None,
        "broadcast": broadcast or None,
    }


@operation(
    sign,
    "message",
    "messages.sign",
    mutates=True,
    examples=(
        'sign message $WALLET ethereum "I own this address"',
        "sign message $WALLET ethereum 0x00ff --encoding hex",
        'sign message $WALLET tron "I own this address" --format tip191',
        "sign message $WALLET ton nonce-1 --format ton-proof --domain example.com --timestamp 1795881600",
    ),
)
@_with_key
def sign_message(
    message: options.Document,
    format_: Annotated[str, typer.Option("--format", help="Message format of the chain.")] = "eip191",
    encoding: options.Encoding = "text",
    domain: Domain = None,
    timestamp: Timestamp = None,
) -> Fields:
    """Sign a message."""
    return {"format": format_} | _content(message, format_, encoding, domain, timestamp)


@operation(
    sign, "typed-data", "typed_data.sign", mutates=True, examples=("sign typed-data $WALLET ethereum @permit.json",)
)
@_with_key
def sign_typed_data(
    typed_data: options.Document,
) -> Fields:
    """Sign EIP-712 typed data. Permits and orders in it can move tokens."""
    return {"typed_data": options.read_document(typed_data)}


@operation(sign, "authorization", "authorizations.sign", mutates=True)
@_with_key
def sign_authorization(
    contract: Annotated[str, typer.Argument(help="Contract that may act as the account; the zero address ends that.")],
    chain_id: Annotated[str, typer.Option(help="Chain id, decimal; 0 is valid on every chain.")],
    nonce: Annotated[str, typer.Option(help="Nonce of the account when the authorisation is applied, decimal.")],
    allow_resign: Annotated[bool, typer.Option("--allow-resign", help="Sign the nonce again.")] = False,
) -> Fields:
    """Sign an EIP-7702 authorisation, which lets a contract act as the account."""
    return {
        "contract": contract,
        "chain_id": chain_id,
        "nonce": nonce,
        **({"allow_resign": True} if allow_resign else {}),
    }


@operation(verify, "message", "messages.verify")
def verify_message(
    network: options.Network,
    message: options.Document,
    signature: Signature,
    address: Signer,
    format_: Annotated[str, typer.Option("--format", help="Message format of the chain.")] = "eip191",
    encoding: options.Encoding = "text",
    domain: Domain = None,
    timestamp: Timestamp = None,
    public_key: Annotated[str | None, typer.Option(help="TON: the address's public key, hex.")] = None,
) -> Fields:
    """Verify a signed message."""
    content = _content(message, format_, encoding, domain, timestamp)
    signed = {"signature": signature, "address": address, "public_key": public_key}
    return {"network": network, "format": format_} | content | signed


@operation(verify, "typed-data", "typed_data.verify")
def verify_typed_data(
    network: options.Network, typed_data: options.Document, signature: Signature, address: Signer
) -> Fields:
    """Verify signed typed data."""
    return {
        "network": network,
        "typed_data": options.read_document(typed_data),
        "signature": signature,
        "address": address,
    }


@operation(top, "decode", "transactions.decode", examples=("decode ethereum @transfer.json",))
def decode(network: options.Network, transaction: options.Document) -> Fields:
    """Show what a transaction does. Needs no wallet."""
    return {"network": network, "unsigned_tx": _transaction(transaction)}


def _content(given: str, format_: str, encoding: str, domain: str | None, timestamp: int | None) -> Fields:
    """The fields of a message, or of a statement if there is a domain or a time.

    The payload of ton-proof is a text, even if it looks like JSON.
    """
    text = options.read_text(given)
    if domain is None and timestamp is None:
        return {"message": text, "encoding": encoding}
    payload = options.read_document(text) if format_ != "ton-proof" and text.startswith("{") else text
    return {"domain": domain, "timestamp": timestamp, "payload": payload}


def _transaction(given: str) -> Any:
    """A binary PSBT is sent as base64."""
    raw = options.read_bytes(given)
    if raw.startswith(_PSBT):
        return b64encode(raw).decode()
    text = options.as_text(raw)
    return options.read_document(text) if text.startswith("{") else text
