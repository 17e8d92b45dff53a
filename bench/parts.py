"""The time of the parts of an Ethereum signature that are pure Python or C, on the checkout in the working folder.

    PYTHONPATH=src python bench/parts.py

Prints microseconds, the least of many repetitions. Other load on the machine affects these much less than a whole
request.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg.protocol.protocol as driver
import structlog
from btclib_secp256k1 import keys, recovery

from strongroom.chains.evm import addresses
from strongroom.chains.evm.chain import Evm
from strongroom.domain.record import SignatureRecord
from strongroom.domain.signing import OurKey, Policy
from strongroom.entrypoints.json_tree import read_json
from strongroom.journal import facts
from strongroom.storage import direct  # noqa: F401 - skips checks in asyncpg
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.telemetry import logging

_REPEAT: Final = 500
_NUMBER: Final = 20
"""Few, because on a busy machine a longer run is always interrupted."""
_CELLS: Final = 75
"""Elements of the arrays that one signature sends to PostgreSQL."""
_BODY: Final = (
    b'{"network":"ethereum","unsigned_tx":{"chainId":"0x1","nonce":"0x7","gas":"0x5208","maxFeePerGas":"0x77359400",'
    b'"maxPriorityFeePerGas":"0x3b9aca00","to":"0x3535353535353535353535353535353535353535","value":"0x1"}}'
)


def least(work: Callable[[], Any]) -> float:
    """Microseconds."""
    return min(timeit.repeat(work, number=_NUMBER, repeat=_REPEAT)) / _NUMBER * 1e6


def main() -> None:
    for name, work in {**of_the_chain(), **of_the_journal()}.items():
        print(f"{name:40} {least(work):6.1f}")


def of_the_chain() -> dict[str, Callable[[], Any]]:
    evm, key = Evm(), b"\x11" * 32
    network = next(each for each in evm.networks if each.name == "ethereum")
    public = keys.pubkey_from_prvkey(key)
    ours = {public: OurKey(public, "m", "single", addresses.from_public_key(public))}
    form, policy, now = read_json(_BODY)["unsigned_tx"], Policy(evm.limits), datetime.now(UTC)
    decoded = evm.decode(network, form)
    prepared = evm.prepare(decoded, ours)
    digest = prepared.to_sign[0].payload
    compact, parity = recovery.sign(digest, key, verify=False)
    made = [compact + bytes((parity,))]
    return {
        "the body as JSON": lambda: read_json(_BODY),
        "decoding": lambda: evm.decode(network, form),
        "checks": lambda: evm.check(decoded, ours, policy, now),
        "summary, payload, hash": lambda: evm.prepare(decoded, ours),
        "libsecp256k1: signing": lambda: recovery.sign(digest, key, verify=False),
        "libsecp256k1: recovering": lambda: recovery.recover(digest, compact, parity),
        "assembling, with recovering and parsing": lambda: evm.assemble(prepared, made),
    }


def of_the_journal() -> dict[str, Callable[[], Any]]:
    logging.configure(stream=Path("/dev/null").open("wb"))  # noqa: SIM115 - open for the life of the process
    log, request_id, now = structlog.get_logger("bench"), uuid4().hex, datetime.now(UTC)
    row = SignatureRecord(uuid4(), uuid4(), 0, uuid4(), "ethereum", "0x" + "ab" * 32, "0x02" + "cd" * 110, b"{}", now)
    unit, authenticity = Unit([row]), Authenticity(b"\x11" * 32)
    cells = [getattr(row, name) for name in row.__dataclass_fields__]
    some = [uuid4(), "text", b"bytes", None, now][: _CELLS // 15] * 15

    def asked_of_cells() -> None:
        for cell in some:
            _ = isinstance(cell, driver.IterableABC) and isinstance(cell, driver.SizedABC)

    return {
        "what was written, for the audit": lambda: facts.shortened(unit),
        "the MAC of a row": lambda: authenticity.row_mac("signatures", cells),
        "asyncpg's looks at cells": asked_of_cells,
        "the log line": lambda: log.info(
            "operation.done", operation="transactions.sign", code="ok", milliseconds=12.34, request_id=request_id,
            client="127.0.0.1",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    main()
