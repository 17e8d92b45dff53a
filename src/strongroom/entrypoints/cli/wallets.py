"""`strongroom wallet`, `address`, `account`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strongroom.entrypoints.cli import discovery, failure, options
from strongroom.entrypoints.cli.rest import Fields, operation

wallet = typer.Typer(name="wallet", no_args_is_help=True, help="Create, import, look up, rename and archive wallets.")
address = typer.Typer(name="address", no_args_is_help=True, help="Derive, hand out, find and validate addresses.")
account = typer.Typer(name="account", no_args_is_help=True, help="Extended public keys and descriptors.")

Networks = Annotated[list[str] | None, typer.Option("--network", help="Show the first address there; repeatable.")]
Passphrase = Annotated[Path | None, typer.Option(help="File with the passphrase of the mnemonic.")]


@operation(
    wallet,
    "create",
    "wallets.create",
    mutates=True,
    examples=(
        "wallet create --label treasury --network ethereum",
        "wallet create --words 12 --backup",
        "wallet create --kind ton_native --network ton",
    ),
)
def create_wallet(
    kind: Annotated[str | None, typer.Option(help="bip39, or ton_native for TON's own 24 words.")] = None,
    label: options.Label = None,
    words: Annotated[int | None, typer.Option(help="Number of words: 12, 15, 18, 21 or 24.")] = None,
    language: Annotated[str | None, typer.Option(help="Word list. Default: english.")] = None,
    passphrase_file: Passphrase = None,
    network: Networks = None,
    external_id: options.ExternalId = None,
    backup: Annotated[bool, typer.Option("--backup", help="Show the words, only this once.")] = False,
) -> Fields:
    """Create a wallet from fresh entropy."""
    return {
        "kind": kind,
        "label": label,
        "words": words,
        "language": language,
        "passphrase": passphrase_file and options.read_secret("Passphrase", passphrase_file),
        "networks": network,
        "external_id": external_id,
        "backup": backup or None,
    }


@operation(
    wallet,
    "import",
    "wallets.import",
    mutates=True,
    examples=(
        "wallet import --label old          (asks for the mnemonic)",
        "wallet import --file words.txt",
        "wallet import --kind ton_native --file words.txt",
        "wallet import --keyspace evm --file key.hex",
    ),
)
def import_wallet(
    kind: Annotated[str, typer.Option(help="Kind of words: bip39 or ton_native.")] = "bip39",
    file: Annotated[Path | None, typer.Option(help="File with the words or the key. Default: prompt or stdin.")] = None,
    keyspace: Annotated[str | None, typer.Option(help="Import one private key of this keyspace, such as evm.")] = None,
    format_: Annotated[str, typer.Option("--format", help="Format of the private key: hex or wif.")] = "hex",
    language: Annotated[str | None, typer.Option(help="Word list, if the words are in several.")] = None,
    passphrase_file: Passphrase = None,
    label: options.Label = None,
    network: Networks = None,
    external_id: options.ExternalId = None,
    discover: Annotated[
        bool, typer.Option("--discover", help="Find addresses that were used before on each --network.")
    ] = False,
) -> Fields:
    """Import a mnemonic, or with --keyspace a private key. Neither is ever an argument."""
    fields: Fields = {
        "label": label,
        "networks": network,
        "external_id": external_id,
        "discover": discover or None,
    }
    if keyspace is not None:
        if language is not None or passphrase_file is not None or kind != "bip39":
            failure.fail(
                "--kind, --language and --passphrase-file apply to a mnemonic, not to a private key", failure.USAGE
            )
        key = options.read_secret("Private key", file)
        return fields | {"kind": "raw_key", "keyspace": keyspace, "format": format_, "key": key}
    return fields | {
        "kind": kind,
        "mnemonic": options.read_secret("Words", file),
        "passphrase": passphrase_file and options.read_secret("Passphrase", passphrase_file),
        "language": language,
    }


@operation(
    wallet, "list", "wallets.list", pages="wallets", examples=("wallet list --state active", "wallet list --json")
)
def list_wallets(
    state: Annotated[str | None, typer.Option(help="Only wallets in this state: active or archived.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only wallets of this kind: bip39, ton_native or raw_key.")] = None,
    label: options.Label = None,
    external_id: options.ExternalId = None,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """List wallets."""
    return {
        "state": state,
        "kind": kind,
        "label": label,
        "external_id": external_id,
        "cursor": cursor,
        "limit": limit,
    }


@operation(wallet, "show", "wallets.get")
def show_wallet(wallet_id: options.WalletId) -> Fields:
    """Show a wallet."""
    return {"wallet_id": wallet_id}


@operation(wallet, "rename", "wallets.update", mutates=True)
def rename_wallet(wallet_id: options.WalletId, label: Annotated[str, typer.Argument(help="The new label.")]) -> Fields:
    """Change a wallet's label."""
    return {"wallet_id": wallet_id, "label": label}


@operation(wallet, "limit", "wallets.limit", mutates=True, examples=("wallet limit $WALLET sign=10/minute",))
def limit_wallet(
    wallet_id: options.WalletId,
    rate: Annotated[
        list[str] | None, typer.Argument(help="Such as sign=10/minute or read=off. None removes its own rates.")
    ] = None,
) -> Fields:
    """Set a wallet's own rates. They replace the configured ones, and all that it had."""
    return {"wallet_id": wallet_id, "rates": options.pairs(rate)}


@operation(wallet, "archive", "wallets.archive", mutates=True)
def archive_wallet(wallet_id: options.WalletId) -> Fields:
    """Archive a wallet. Its keys are no longer used."""
    return {"wallet_id": wallet_id}


@operation(wallet, "unarchive", "wallets.unarchive", mutates=True)
def unarchive_wallet(wallet_id: options.WalletId) -> Fields:
    """Take a wallet back into use."""
    return {"wallet_id": wallet_id}


@operation(
    wallet,
    "discover",
    "addresses.discover",
    mutates=True,
    examples=("wallet discover $WALLET bitcoin", "wallet discover $WALLET ethereum --gap 50 --no-wait"),
    then=discovery.follow,
)
def discover_addresses(
    wallet_id: options.WalletId,
    network: options.Network,
    scheme: options.Scheme = None,
    account_number: Annotated[int | None, typer.Option("--account", min=0, help="Account number.")] = None,
    gap: Annotated[
        int | None, typer.Option(min=1, max=100, help="Consecutive unused addresses that end a branch.")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Maximum addresses to check.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end. It goes on if you do not.")] = True,
) -> Fields:
    """Look for addresses that were used on the chain before, and hand them out."""
    del wait
    return {
        "wallet_id": wallet_id,
        "network": network,
        "scheme": scheme,
        "account": account_number,
        "gap": gap,
        "budget": budget,
    }


@operation(wallet, "discovery", "addresses.discovery", then=discovery.follow)
def show_discovery(
    wallet_id: options.WalletId,
    discovery_id: Annotated[str, typer.Argument(help="Id that `wallet discover` showed.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it ends.")] = False,
) -> Fields:
    """Show the progress of a discovery."""
    del wait
    return {"wallet_id": wallet_id, "discovery_id": discovery_id}


@operation(
    address,
    "show",
    "addresses.derive",
    examples=("address show $WALLET ethereum", "address show $WALLET polygon --index 7"),
)
def show_address(
    wallet_id: options.WalletId,
    network: options.Network,
    index: options.Index = None,
    scheme: options.Scheme = None,
    account_number: Annotated[int | None, typer.Option("--account", min=0, help="Account number.")] = None,
    change: options.Change = None,
    path: options.KeyPath = None,
) -> Fields:
    """Show the address at an index or path. It is derived if it is new."""
    return {
        "wallet_id": wallet_id,
        "network": network,
        "index": index,
        "scheme": scheme,
        "account": account_number,
        "change": change,
        "path": path,
    }


@operation(
    address,
    "next",
    "addresses.next",
    mutates=True,
    examples=("address next $WALLET ethereum --external-id customer-4711",),
)
def next_address(
    wallet_id: options.WalletId,
    network: options.Network,
    scheme: options.Scheme = None,
    account_number: Annotated[int | None, typer.Option("--account", min=0, help="Account number.")] = None,
    label: options.Label = None,
    external_id: options.ExternalId = None,
) -> Fields:
    """Hand out the next unused address."""
    return {
        "wallet_id": wallet_id,
        "network": network,
        "scheme": scheme,
        "account": account_number,
        "label": label,
        "external_id": external_id,
    }


@operation(address, "list", "addresses.list", pages="addresses")
def list_addresses(
    wallet_id: options.WalletId,
    network: Annotated[str | None, typer.Option(help="Only those handed out for this network.")] = None,
    scheme: options.Scheme = None,
    external_id: options.ExternalId = None,
    stored: Annotated[bool, typer.Option("--stored", help="Include those that were not handed out.")] = False,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """List the addresses that a wallet has handed out."""
    return {
        "wallet_id": wallet_id,
        "network": network,
        "scheme": scheme,
        "external_id": external_id,
        "all": stored or None,
        "cursor": cursor,
        "limit": limit,
    }


@operation(address, "find", "addresses.find")
def find_address(network: options.Network, address: options.Address) -> Fields:
    """Find the wallet of an address."""
    return {"network": network, "address": address}


@operation(address, "validate", "addresses.validate")
def validate_address(network: options.Network, address: options.Address) -> Fields:
    """Check any address."""
    return {"network": network, "address": address}


@operation(account, "show", "accounts.get")
def show_account(
    wallet_id: options.WalletId,
    network: options.Network,
    scheme: options.Scheme = None,
    account_number: Annotated[int | None, typer.Option("--account", min=0, help="Account number.")] = None,
) -> Fields:
    """Show an account's extended public key and descriptor. Others can derive addresses with them, but not sign."""
    return {"wallet_id": wallet_id, "network": network, "scheme": scheme, "account": account_number}
