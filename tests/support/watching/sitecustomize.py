"""Python runs this first in a server that was started with this folder on its path and WATCH set to a file.

It writes which canaries came as far as a handler, and how the process is hardened; and a handler that is asked to
crashes with secrets in its hands.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import json
import logging
import os
import resource
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from strongroom.operations.pipeline import canonical
from strongroom.operations.registry import OPERATIONS
from tests.support.canaries import API_KEYS, CANARIES, RAW_KEY, SEED, WORDS, find

CRASH = b"crash, please"
_KEY_IDS = {UUID(text.split("_")[1]): name for name, text in API_KEYS.items()}


def _write(entry: dict[str, Any]) -> None:
    with Path(os.environ["WATCH"]).open("a") as file:
        file.write(json.dumps(entry) + "\n")


def _hardening() -> None:
    core, dumpable = resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3)
    _write({"pid": os.getpid(), "core": core, "dumpable": dumpable})


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
    time.sleep(0.2)  # noqa: ASYNC251 - asyncio's debug mode tells of slow callbacks
    try:
        raise KeyError(SEED)
    except KeyError as error:
        raise RuntimeError(f"cannot store {WORDS}, {RAW_KEY}, {local}") from error


def _watched(name: str, run: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def watch(command: Any, call: Any) -> Any:
        _hardening()
        raw = canonical(command)
        readable = json.dumps(json.loads(raw), ensure_ascii=False).encode()
        reached = {hit.canary for hit in find(raw) + find(readable)}
        if call.principal.id in _KEY_IDS:
            reached.add(_KEY_IDS[call.principal.id])
        if reached:
            _write({"operation": name, "reached": sorted(reached)})
        if CRASH in raw:
            await _crash()
        return await run(command, call)

    return watch


if "WATCH" in os.environ:
    assert CANARIES
    atexit.register(_hardening)
    for operation in OPERATIONS:
        object.__setattr__(operation, "run", _watched(operation.name, operation.run))
