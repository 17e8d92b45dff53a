"""Pays many people out of one wallet in one request, each exactly once, whatever breaks.

    python -m examples.batch_payout WALLET ethereum payouts.csv payouts-july

The file has a line for each payout: its own name, the recipient and the amount in ether (`7781,0xRECIPIENT,0.25`).
The last argument names the run. Nonces and fees are chosen once and stored under that name before anything is signed
(here in a file; use your database). Repeat the same command after a failure: what was paid is not paid again.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from strongroom_client import Client, types

from examples.withdrawal import ETHER, transfer

MOST = 1_000
"""Items of one request."""
PASSING = ("keywrap_unavailable", "storage_unavailable", "deadline_exceeded", "operation_in_flight", "rate_limited")
TRIES = 10


def planned(strongroom: Client, wallet_id: str, network: str, file: Path) -> list[dict[str, Any]]:
    """An item for each line. What can be refused is looked at first: a nonce that is not used holds up all after it."""
    lines = [(name, to, int(Decimal(amount) * ETHER)) for name, to, amount in csv.reader(file.open(newline=""))]
    wrong = [name for name, to, _ in lines if not strongroom.addresses.validate(network, address=to).valid]
    if wrong:
        raise SystemExit(f"no address of {network}: {', '.join(wrong)}")
    sender = strongroom.addresses.derive(wallet_id, network).address
    fields = transfer(strongroom, network, sender, gas=hex(21_000))
    nonces = count(int(fields["nonce"], 16))
    return [
        {
            "ref": name,
            "wallet_id": wallet_id,
            "network": network,
            "unsigned_tx": {**fields, "nonce": hex(nonce), "to": to, "value": hex(value)},
            "broadcast": True,
        }
        for (name, to, value), nonce in zip(lines, nonces, strict=False)
    ]


def paid(strongroom: Client, items: list[dict[str, Any]], key: str) -> list[types.SignResult]:
    """Repeats the batch as long as something stands in the way that passes."""
    for _ in range(TRIES):
        results = strongroom.transactions.sign_batch(items=items, idempotency_key=key).results
        if not any(each.error and each.error.code in PASSING for each in results):
            break
        time.sleep(1)
    return list(results)


def main(wallet_id: str, network: str, file: str, run: str) -> None:
    with Client() as strongroom:
        kept = Path(f"{run}.json")
        if not kept.exists():
            kept.write_text(json.dumps(planned(strongroom, wallet_id, network, Path(file))))
        refused = 0
        items = json.loads(kept.read_text())
        for number, start in enumerate(range(0, len(items), MOST)):
            for each in paid(strongroom, items[start : start + MOST], f"{run}/{number}"):
                if each.result is None:
                    refused += 1
                print(each.ref, each.result.tx_id if each.result else each.error and each.error.detail)
    if refused:
        raise SystemExit(f"{refused} were refused: their nonces are unused, and what comes after them waits")


if __name__ == "__main__":
    main(*sys.argv[1:])
