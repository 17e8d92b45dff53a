"""@ton/sandbox, the virtual machine of TON's node over a chain in memory, and @ton/ton beside it.

They run in one process, driven line by line.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.support.node import FOLDER


class Refused(Exception):
    """The machine or the library does not accept it."""


class Machine:
    def __enter__(self) -> Machine:
        self._process = subprocess.Popen(
            ["node", "ton.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait()

    def ask(self, what: str, **question: Any) -> Any:
        """Raises Refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdin.write(json.dumps({"do": what, **question}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    def send(self, boc: str) -> list[dict[str, Any]]:
        """The transactions that a message led to. Raises Refused if its contract does not accept it."""
        found: list[dict[str, Any]] = self.ask("send", boc=boc)
        return found
