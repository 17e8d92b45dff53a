"""Signs a PSBT that others sign as well, and says whether it is complete.

    python -m examples.psbt_cosigning WALLET bitcoin spend.psbt

A wallet that watches, such as Sparrow or Bitcoin Core, makes the PSBT and combines it. Strongroom adds the signatures
of its own keys. If they complete it, the transaction is printed instead.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from strongroom_client import Client


def main(wallet_id: str, network: str, file: str) -> None:
    raw = Path(file).read_bytes()
    psbt = base64.b64encode(raw).decode() if raw.startswith(b"psbt\xff") else raw.decode().strip()
    with Client() as strongroom:
        for action in strongroom.transactions.decode(network, unsigned_tx=psbt).summary.actions:
            print(action.kind, action.amount, action.to or action.from_address, file=sys.stderr)
        signed = strongroom.transactions.sign(wallet_id, network=network, unsigned_tx=psbt)
        for warning in signed.warnings:
            print(warning.code, warning.message, file=sys.stderr)
        print("complete" if signed.complete else "others are still to sign", file=sys.stderr)
        print(signed.signed_tx)


if __name__ == "__main__":
    main(*sys.argv[1:])
