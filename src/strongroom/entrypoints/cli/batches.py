"""`wallet create-batch`, `address next-batch`, `sign batch`: many items, in several requests, with a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.console import Console

from strongroom.entrypoints.cli import failure, options
from strongroom.entrypoints.cli.rest import Fields, IdempotencyKey, operation
from strongroom.entrypoints.cli.signing import sign
from strongroom.entrypoints.cli.wallets import Networks, address, wallet

_PIECE: Final = 200
"""Items per request. So the bar moves, and little is lost if a request fails."""

Items = Annotated[
    str, typer.Argument(help="JSON: a list, an object with items, or one object per line. @FILE, or - for stdin.")
]
Count = Annotated[int, typer.Option(min=1, help="Number of addresses.")]


@operation(
    wallet,
    "create-batch",
    "wallets.create_batch",
    examples=(
        "wallet create-batch --count 500 --network ethereum",
        "wallet create-batch @wallets.json --idempotency-key july",
        'echo \'{"label": "one", "ref": "1"}\' | strongroom wallet create-batch -',
    ),
)
def create_wallets(
    items: Annotated[
        str | None, typer.Argument(help="Different wallets as JSON: a list, or one object per line. @FILE or -.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Number of wallets that are alike.")] = None,
    label: options.Label = None,
    words: Annotated[int | None, typer.Option(help="Number of words: 12, 15, 18, 21 or 24.")] = None,
    network: Networks = None,
    idempotency_key: IdempotencyKey = None,
) -> Fields | str:
    """Create many wallets."""
    alike = {"label": label, "words": words, "networks": network}
    if items is not None:
        if count is not None or any(value is not None for value in alike.values()):
            failure.fail(
                "with a file, the other options do not apply: the file says what each wallet is", failure.USAGE
            )
        return _in_pieces("wallets.create_batch", _pieces(_read(items)), idempotency_key)
    if count is None:
        failure.fail("give either a file with wallets or --count", failure.USAGE)
    return _in_pieces("wallets.create_batch", [alike | {"count": each} for each in _counts(count)], idempotency_key)


@operation(
    address,
    "next-batch",
    "addresses.next_batch",
    examples=("address next-batch $WALLET ethereum --count 1000 --label july",),
)
def next_addresses(
    wallet_id: options.WalletId,
    network: options.Network,
    count: Count,
    scheme: options.Scheme = None,
    account: options.Account = None,
    label: options.Label = None,
    idempotency_key: IdempotencyKey = None,
) -> Fields | str:
    """Hand out many unused addresses."""
    fields = {"wallet_id": wallet_id, "network": network, "scheme": scheme, "account": account, "label": label}
    return _in_pieces("addresses.next_batch", [fields | {"count": each} for each in _counts(count)], idempotency_key)


@operation(
    sign,
    "batch",
    "transactions.sign_batch",
    examples=("sign batch @payouts.json", "sign batch - --idempotency-key payouts-7 < payouts.jsonl"),
)
def sign_batch(items: Items, idempotency_key: IdempotencyKey = None) -> Fields | str:
    """Sign many transactions. Each item has wallet_id, network, unsigned_tx, and the options of a single one."""
    return _in_pieces("transactions.sign_batch", _pieces(_read(items)), idempotency_key)


def _in_pieces(calls: str, pieces: list[Fields], key: str | None) -> str:
    """Return all results in the order of the items. The bar goes to standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from strongroom.entrypoints.cli.client import send

    if key is None:
        key = uuid4().hex
        print(f"If this is interrupted, finish it with --idempotency-key {key}", file=sys.stderr)
    if len(pieces) == 1:
        return send(calls, pieces[0], key)
    results: list[Any] = []
    sizes = [piece["count"] if "count" in piece else len(piece["items"]) for piece in pieces]
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=sum(sizes))
        for n, piece in enumerate(pieces):
            results += json.loads(send(calls, piece, f"{key}/{n}"))["results"]
            progress.update(bar, completed=sum(sizes[: n + 1]))
    return json.dumps({"results": results}, ensure_ascii=False)


def _pieces(items: list[Any]) -> list[Fields]:
    return [{"items": items[start : start + _PIECE]} for start in range(0, len(items), _PIECE)]


def _counts(count: int) -> Iterator[int]:
    return (min(_PIECE, count - start) for start in range(0, count, _PIECE))


def _read(given: str) -> list[Any]:
    """Ends the program if the text holds no items."""
    text = options.read_text(given)
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            failure.fail("the file must be JSON: a list, or one object per line", failure.USAGE)
    if isinstance(found, dict):
        found = found.get("items", [found])
    if not isinstance(found, list) or not found:
        failure.fail("the file has no items", failure.USAGE)
    return found
