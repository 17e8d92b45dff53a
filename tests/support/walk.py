"""Runs a document's commands in order against real components, and compares their output with the document.

    PATH="$PWD/.venv/bin:$PATH" python -m tests.support.walk     # writes the output into docs/walk.md

A block begins with ```console. In it, ``$ `` begins a command, ``> `` continues it, and the rest is output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.anvil import Anvil
from tests.support.bitcoind import Bitcoind
from tests.support.electrumx import ElectrumX
from tests.support.server import ROOT, Server

DOCUMENT: Final = ROOT / "docs/walk.md"
PATIENCE: Final = 120.0
"""Seconds until a server behind another has caught up, and caches have expired."""
_STEP: Final = re.compile(r"\$ .*\n(?:> .*\n)*")
_BLOCK: Final = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_TOML: Final = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_READS: Final = re.compile(r"strongroom (?:balance|history|transaction state|network) |grpcurl .*?/(?:Get|List)|curl ")
_WRITES: Final = re.compile(r"broadcast|--data|-d ['\"]?\{\"(?:jsonrpc|unsigned_tx)")
_DIFFERENT: Final = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"\bbcrt1[0-9a-z]+"), "<address>"),
    (re.compile(r"\b(?:0x)?[0-9A-Fa-f]{40,}\b"), "<hex>"),
    (re.compile(r" +"), " "),
)
"""What differs from one run to another."""


@dataclass(frozen=True)
class Step:
    command: str
    shown: str

    @property
    def reads(self) -> bool:
        """Whether it can be repeated until it prints what is expected."""
        return bool(_READS.match(self.command)) and not _WRITES.search(self.command)


def steps(document: str) -> Iterator[Step]:
    for block in _BLOCK.findall(document):
        starts = [*(found for found in _STEP.finditer(block))]
        for at, found in enumerate(starts):
            end = starts[at + 1].start() if at + 1 < len(starts) else len(block)
            command = "\n".join(line[2:] for line in found[0].splitlines())
            yield Step(command, block[found.end() : end])


def masked(text: str) -> str:
    """With placeholders for what differs between runs."""
    for pattern, name in _DIFFERENT:
        text = pattern.sub(name, text)
    return text


@dataclass
class Walk:
    folder: Path
    server: Server
    node: ElectrumX
    places: dict[str, str]
    """Addresses in the document, and their replacements here."""

    def run(self, step: Step) -> str:
        """Return its output. A command that reads is repeated until the output is as expected."""
        deadline = time.monotonic() + PATIENCE
        while True:
            code, printed = self._once(step.command)
            alike = masked(printed) == masked(step.shown)
            if alike or not step.reads or time.monotonic() > deadline:
                assert code == 0, f"{step.command}\n{printed}"
                return printed
            time.sleep(0.1)

    def rerun(self, step: Step) -> str:
        """Its output once everything has caught up, and nothing is cached."""
        if step.reads:
            time.sleep(2)
            self.node.wait()
        code, printed = self._once(step.command)
        assert code == 0, f"{step.command}\n{printed}"
        return printed

    def _once(self, command: str) -> tuple[int, str]:
        for written, here in self.places.items():
            command = command.replace(written, here)
        keep = "code=$?; { export -p; declare -f; } >state; exit $code"
        done = subprocess.run(
            ["bash", "-c", f"set -a; . ./state\n{command}\n{keep}"],
            cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
        )  # fmt: skip
        printed = done.stdout
        for written, here in self.places.items():
            printed = printed.replace(here, written)
        return done.returncode, printed if not printed or printed.endswith("\n") else printed + "\n"

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **self.server.environment,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "COLUMNS": "160",
            "KEY": self.server.api_key,
            "STRONGROOM_API_KEY": self.server.api_key,
            "STRONGROOM_URL": self.server.url,
            "BITCOIND": self.places["user:password@127.0.0.1:18443"].join(("http://", "/")),
        }


@contextmanager
def walking(document: str, folder: Path) -> Iterator[Walk]:
    """A service with the document's sources, its nodes, and the programs that it uses."""
    with Anvil() as anvil, Bitcoind() as bitcoind, ElectrumX(bitcoind) as electrumx:
        places = {
            "127.0.0.1:8545": f"127.0.0.1:{anvil.port}",
            "user:password@127.0.0.1:18443": bitcoind.url.removeprefix("http://").rstrip("/"),
            "127.0.0.1:50001": f"127.0.0.1:{electrumx.port}",
        }
        sources = "\n".join(_TOML.findall(document))
        for written, here in places.items():
            assert written in sources
            sources = sources.replace(written, here)
        config = folder / "strongroom.toml"
        config.write_text(sources)
        settings = {"CONFIG": str(config), "RATES__CHAIN": "off", "RATES__FRESH": "off", "CACHE__BALANCE": "1"}
        with Server(folder / "data", settings) as server:
            places |= {"127.0.0.1:3000": server.url.removeprefix("http://"), "127.0.0.1:3001": server.target}
            _programs(folder)
            (folder / "state").touch()
            yield Walk(folder, server, electrumx, places)


def _programs(folder: Path) -> None:
    runs = {"strongroom": "strongroom"} | {
        name: f"tests.support.stand_ins {name}" for name in ("grpcurl", "bitcoin-cli")
    }
    for name, module in runs.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (folder / name).chmod(0o755)


def rewritten(document: str) -> str:
    """With the current output of its commands."""
    with tempfile.TemporaryDirectory(prefix="strongroom-walk-") as folder, walking(document, Path(folder)) as walk:

        def again(block: re.Match[str]) -> str:
            made = ""
            for found in _STEP.finditer(block[0]):
                [step] = steps(f"```console\n{found[0]}```\n")
                made += found[0] + walk.rerun(step)
            return made

        return _BLOCK.sub(again, document)


if __name__ == "__main__":
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text("utf-8")), "utf-8")
