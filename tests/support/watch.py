"""Inside a server under test: writes to the file in WATCH which canaries reached a handler.

It also records how each process is hardened, and can make a handler crash while it holds secrets.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import json
import logging
import os
import resource
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from strongroom.operations.canonical import canonical
from strongroom.operations.registry import OPERATIONS
from tests.support.canaries import API_KEYS, CANARIES, RAW_KEY, SEED, WORDS

CRASH = b"crash, please"
_AS_JSON = {canary.name: json.dumps(canary.text)[1:-1].encode() for canary in CANARIES}
_KEY_IDS = {UUID(text.split("_")[1]): name for name, text in API_KEYS.items()}


def _write(entry: dict[str, Any]) -> None:
    with Path(os.environ["WATCH"]).open("a") as file:
        file.write(json.dumps(entry) + "\n")


def _hardening() -> None:
    dumpable = ctypes.CDLL(None).prctl(3) if sys.platform == "linux" else None  # PR_GET_DUMPABLE
    _write({"pid": os.getpid(), "core": resource.getrlimit(resource.RLIMIT_CORE), "dumpable": dumpable})


async def _fails(secret: str) -> None:
    raise RuntimeError(f"a task fails with {secret}")


async def _crash() -> None:
    local = {"mnemonic": WORDS.split(), "seed": bytes.fromhex(SEED)}
    logging.getLogger("library").debug("opened %s", WORDS)
    logging.getLogger("library").error("cannot open %r of %s", local, f"postgresql://u:{RAW_KEY}@127.0.0.1/x")
    warnings.warn(f"odd: {API_KEYS['API key']}", stacklevel=1)
    forgotten = asyncio.get_running_loop().create_task(_fails(WORDS))
    await asyncio.sleep(0)
    del forgotten
    time.sleep(0.2)  # noqa: ASYNC251 - asyncio's debug mode reports slow callbacks
    try:
        raise KeyError(SEED)
    except KeyError as error:
        raise RuntimeError(f"cannot store {WORDS}, {RAW_KEY}, {local}") from error


def _watched(name: str, run: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def watch(command: Any, call: Any) -> Any:
        raw = canonical(command)
        reached = {canary for canary, text in _AS_JSON.items() if text in raw}
        reached |= {key for key_id, key in _KEY_IDS.items() if key_id == call.principal.id}
        _write({"pid": os.getpid(), "operation": name, "reached": sorted(reached)})
        if CRASH in raw:
            _hardening()
            await _crash()
        return await run(command, call)

    return watch


def install() -> None:
    atexit.register(_hardening)
    for operation in OPERATIONS:
        if operation.run is not None:
            object.__setattr__(operation, "run", _watched(operation.name, operation.run))
