"""A search that finds nothing only means something if it finds what is there. So each canary is planted, and found."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]

from tests.support.canaries import CANARIES, DERIVED_KEYS, ENTROPY, PASSPHRASE, SEED, WORDS, columns, find

Plant = Callable[[Path, bytes], dict[str, bytes]]


def _line(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _in_log(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"log": b'{"event":"operation.done"}\n' + json.dumps({"event": _line(data)}).encode() + b"\n"}


def _in_console_log(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"log": b"2026 info operation.done value=" + data + b"\n"}


def _in_metric(folder: Path, data: bytes) -> dict[str, bytes]:
    text = _line(data).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return {"metrics": f'strongroom_operations_total{{operation="{text}",code="ok"}} 1.0\n'.encode()}


def _in_audit(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"audit": json.dumps({"records": [{"details": {"reason": _line(data)}}]}).encode()}


def _in_answer(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"REST": b"content-type: application/problem+json\n" + json.dumps({"detail": _line(data)}).encode()}


def _in_status(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"gRPC": ErrorInfo(reason="internal_error", metadata={"field": _line(data)}).SerializeToString()}


def _in_database(folder: Path, statement: str, value: object) -> dict[str, bytes]:
    database = folder / "strongroom.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(statement, (value,))
        connection.commit()
        raw = b"".join(path.read_bytes() for path in folder.glob("strongroom.db*"))
        return {"raw": raw, "columns": b"\n".join(columns(database).values())}


def _in_result(folder: Path, data: bytes) -> dict[str, bytes]:
    return _in_database(folder, "UPDATE planted SET result = ?", b"\0" * 32 + data)


def _in_text_column(folder: Path, data: bytes) -> dict[str, bytes]:
    return _in_database(folder, "UPDATE planted SET label = ?", _line(data))


PLANTS: dict[str, Plant] = {
    "log": _in_log,
    "console log": _in_console_log,
    "metric": _in_metric,
    "audit detail": _in_audit,
    "answer": _in_answer,
    "gRPC status": _in_status,
    "idempotent result": _in_result,
    "text column": _in_text_column,
}


def test_a_leak_that_is_planted_is_found(tmp_path: Path) -> None:
    """Each canary, in each encoding, in each sink."""
    with closing(sqlite3.connect(tmp_path / "strongroom.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE planted (result BLOB, label TEXT)")
        connection.execute("INSERT INTO planted VALUES (NULL, NULL)")
        connection.commit()
    planted: Counter[str] = Counter()
    missed = []
    for name, plant in PLANTS.items():
        for canary in CANARIES:
            for encoding, data in canary.encodings.items():
                for sink, text in plant(tmp_path, data).items():
                    planted[name] += 1
                    if canary.name not in {hit.canary for hit in find(text, [canary])}:
                        missed.append(f"{name}, {sink}: {canary.name} as {encoding}")
    print(f"\nplanted and found: {sum(planted.values()) - len(missed)} of {sum(planted.values())}: {dict(planted)}")
    assert not missed, "\n".join(missed)


def test_canaries_are_what_other_libraries_make_of_the_words() -> None:
    from eth_account import Account
    from mnemonic import Mnemonic

    Account.enable_unaudited_hdwallet_features()
    assert Mnemonic("english").to_entropy(WORDS).hex() == ENTROPY
    assert Mnemonic.to_seed(WORDS, PASSPHRASE).hex() == SEED
    for index, key in enumerate(DERIVED_KEYS):
        path = f"m/44'/60'/0'/0/{index}"
        assert Account.from_mnemonic(WORDS, PASSPHRASE, account_path=path).key.hex() == key
