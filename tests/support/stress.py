"""Keeps the machine busy: `python -m tests.support.stress --load 12`. Ends with Ctrl-C, or with its parent.

Tests must pass beside it, since none may depend on speed.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import time


def burn(parent: int) -> None:
    """A process that always wants a core, half of the time in C with the interpreter's lock released."""
    data = os.urandom(1 << 20)
    while os.getppid() == parent:
        hashlib.sha256(data).digest()
        sum(range(50_000))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--load", type=int, default=12, help="processes, each of which wants a core")
    count = arguments.parse_args().load
    processes = [multiprocessing.Process(target=burn, args=(os.getpid(),), daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        while True:
            time.sleep(5)
            print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    except KeyboardInterrupt:
        for process in processes:
            process.terminate()


if __name__ == "__main__":
    main()
