"""What the command line prints: tables for people, and the server's JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from strongroom.entrypoints.cli.failure import printable

_COLUMNS: Final = {
    "wallets": ("id", "kind", "label", "external_id", "state", "created_at"),
    "addresses": ("network", "address", "scheme", "path", "label", "external_id"),
    "results": ("ref", "status", "result.id", "result.address", "result.tx_id", "error.code", "error.detail"),
    "balances": ("address", "symbol", "confirmed", "pending", "spendable", "listed", "asset"),
    "entries": ("block.height", "status", "direction", "amount", "symbol", "counterparty", "note", "tx_id"),
    "networks": ("name", "chain", "caip2", "symbol", "testnet", "aliases"),
    "api_keys": ("id", "name", "scopes", "expires_at", "revoked_at"),
    "revocations": ("id", "kind", "value", "issuer", "created_at", "lifted_at"),
    "records": ("at", "operation", "outcome", "wallet_id", "network", "request_id"),
    "tasks": ("kind", "key", "state", "due_at", "attempts", "last_error"),
    "findings": ("kind", "writer_id", "sequence"),
    "heads": ("writer_id", "sequence", "mac"),
    "keks": ("kek", "version", "secrets", "newest"),
    "settings": ("setting", "value", "source"),
    "actions": ("kind", "amount", "asset", "from_address", "to", "spender", "contract", "method"),
    "warnings": ("code", "message"),
}
"""The columns of the table for each list in a response."""
_IF_ANY: Final = {
    "address", "spendable", "counterparty", "note", "block.height", "amount", "asset", "from_address", "to", "spender",
    "contract", "method",
    "ref", "result.id", "result.address", "result.tx_id", "error.code", "error.detail",
}  # fmt: skip
"""Columns that are left out if no row has a value for them."""
_AMOUNTS: Final = {"confirmed", "pending", "spendable", "amount"}
"""Shown in units of the asset if the row has its decimals."""


def examples(*lines: str) -> str | None:
    """An epilog with commands to try."""
    return "\n\n".join(["Examples:", *(f"  strongroom {line}" for line in lines)]) if lines else None


def show(answer: str, *, as_json: bool, coins: Callable[[], Mapping[str, int]] | None = None) -> None:
    """``coins`` returns the decimals of coins, for the summary of a transaction."""
    if as_json:
        typer.echo(answer)
        return
    shown = json.loads(answer)
    _join_balances(shown)
    if coins is not None and isinstance(shown.get("summary"), dict):
        _open_summary(shown, coins())
    tables = {name: shown.pop(name) for name in _COLUMNS if isinstance(shown.get(name), list)}
    cursor = shown.pop("next_cursor", None)
    if shown:
        _print(_fields(shown))
    for name, rows in tables.items():
        if rows:
            _print(_rows(rows, _COLUMNS[name]))
        else:
            typer.echo(f"no {name.replace('_', ' ')}")
    if cursor is not None:
        typer.echo(f"There are more. To continue: --cursor {cursor}", err=True)


def _open_summary(shown: dict[str, Any], coins: Mapping[str, int]) -> None:
    """Show what a transaction does as a table, with amounts in units of the network's coin."""
    summary = shown["summary"]
    for each in (*summary.get("actions", ()), *filter(None, [summary.get("fee")])):
        each["decimals"] = coins.get(f"{summary['network']} {each.get('asset')}")
    if fee := summary.pop("fee", None):
        shown["fee"] = f"{_in_units(fee, 'amount')} {fee['asset']}, at most"
    shown["actions"] = summary.pop("actions", [])


def has_failures(answer: str) -> bool:
    """Whether an item of a batch was refused."""
    results = json.loads(answer).get("results") if '"results"' in answer else None
    return any(each["status"] == "error" for each in results or ())


def _join_balances(shown: dict[str, Any]) -> None:
    """Put the balances of each address into the table of the sums, above them."""
    if not isinstance(shown.get("balances"), list):
        return
    addresses = shown.pop("addresses", None) or []
    each = [{"address": holder["address"], **balance} for holder in addresses for balance in holder["balances"]]
    sums = [{"address": "all" if each else None, **balance} for balance in shown["balances"]]
    shown["balances"] = [*each, *sums]


def _fields(values: Mapping[str, Any]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _flat(values):
        table.add_row(name, _cell(value))
    return table


def _rows(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    flat = [dict(_flat(row)) for row in rows]
    filled = [column for column in columns if column not in _IF_ANY or any(column in row for row in flat)]
    for column in filled:
        table.add_column(column, overflow="fold")
    for row in flat:
        table.add_row(*(_cell(_in_units(row, column)) for column in filled))
    return table


def _in_units(row: Mapping[str, Any], column: str) -> Any:
    value, decimals = row.get(column), row.get("decimals")
    if column not in _AMOUNTS or not isinstance(value, str) or not isinstance(decimals, int):
        return value
    whole, _, part = f"{Decimal(f'{value}e-{decimals}'):f}".partition(".")
    return f"{whole}.{part.rstrip('0')}".removesuffix(".")


def _flat(values: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif value is not None and value != []:
            yield above + name, value


def _cell(value: Any) -> Text:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if not isinstance(value, str):
        value = "" if value is None else json.dumps(value, ensure_ascii=False)
    return Text(printable(value))


def _print(table: Table) -> None:
    width = None if sys.stdout.isatty() else 10_000  # do not fold lines in a file or a pipe
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())
