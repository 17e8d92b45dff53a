"""`strongroom balance`, `history`, `transaction`: reading chains, and broadcasting."""

from __future__ import annotations

from typing import Annotated

import typer

from strongroom.entrypoints.cli import options
from strongroom.entrypoints.cli.administration import network as networks
from strongroom.entrypoints.cli.rest import Fields, operation

balance = typer.Typer(name="balance", no_args_is_help=True, help="Show what wallets and addresses hold.")
history = typer.Typer(name="history", no_args_is_help=True, help="Show what wallets and addresses received and sent.")
transaction = typer.Typer(
    name="transaction", no_args_is_help=True, help="Broadcast transactions, and show their state."
)

Tokens = Annotated[str | None, typer.Option(help="listed, all or none. Default: listed.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask the source now instead of the cache.")]
HistorySize = Annotated[int | None, typer.Option("--limit", min=1, max=100, help="Entries per page.")]


@operation(balance, "wallet", "balances.wallet", examples=("balance wallet $WALLET ethereum --detail addresses",))
def wallet_balances(
    wallet_id: options.WalletId,
    network: options.Network,
    tokens: Annotated[str | None, typer.Option(help="listed or none. Default: listed.")] = None,
    detail: Annotated[str | None, typer.Option(help="total, or addresses for each with a balance.")] = None,
    fresh: Fresh = False,
    cursor: options.Cursor = None,
) -> Fields:
    """Show what a wallet holds on a network."""
    return {
        "wallet_id": wallet_id,
        "network": network,
        "tokens": tokens,
        "detail": detail,
        "fresh": fresh or None,
        "cursor": cursor,
    }


@operation(balance, "address", "balances.address")
def address_balances(
    network: options.Network, address: options.Address, tokens: Tokens = None, fresh: Fresh = False
) -> Fields:
    """Show what any address holds."""
    return {"network": network, "address": address, "tokens": tokens, "fresh": fresh or None}


@operation(
    history, "wallet", "history.wallet", pages="entries", examples=("history wallet $WALLET bitcoin --limit 20",)
)
def wallet_history(
    wallet_id: options.WalletId,
    network: options.Network,
    address: Annotated[str | None, typer.Option(help="Only this address of the wallet.")] = None,
    cursor: options.Cursor = None,
    limit: HistorySize = None,
) -> Fields:
    """Show what a wallet received and sent, newest first."""
    return {"wallet_id": wallet_id, "network": network, "address": address, "cursor": cursor, "limit": limit}


@operation(history, "address", "history.address", pages="entries")
def address_history(
    network: options.Network, address: options.Address, cursor: options.Cursor = None, limit: HistorySize = None
) -> Fields:
    """Show what any address received and sent, newest first."""
    return {"network": network, "address": address, "cursor": cursor, "limit": limit}


@operation(transaction, "state", "transactions.state")
def transaction_state(
    network: options.Network, tx_id: Annotated[str, typer.Argument(help="Its id, hash or signature.")]
) -> Fields:
    """Show the state of a transaction."""
    return {"network": network, "tx_id": tx_id}


@operation(
    transaction,
    "broadcast",
    "transactions.broadcast",
    mutates=True,
    examples=("transaction broadcast ethereum @tx.hex",),
)
def broadcast(network: options.Network, signed_tx: options.Document) -> Fields:
    """Send a signed transaction to the network."""
    return {"network": network, "signed_tx": options.read_text(signed_tx)}


@operation(networks, "fees", "fees.suggest")
def fees(network: options.Network) -> Fields:
    """Show fees for a slow, a normal and a fast transaction."""
    return {"network": network}


@operation(networks, "head", "networks.head")
def head(network: options.Network) -> Fields:
    """Show the newest block of a network."""
    return {"network": network}
