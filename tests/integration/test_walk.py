"""The commands of docs/walk.md and of the README do what is written there, against real components."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.server import ROOT
from tests.support.walk import DOCUMENT, Walk, masked, steps, walking

pytestmark = pytest.mark.needs("anvil", "bitcoind", "electrumx", "curl")

TEXT = DOCUMENT.read_text("utf-8")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with walking(TEXT, tmp_path_factory.mktemp("walk")) as walk:
        yield walk


def test_a_walk_goes_as_it_is_written(walk: Walk) -> None:
    for step in steps(TEXT):
        assert masked(walk.run(step)) == masked(step.shown), step.command
    found = json.loads(walk.server.command("verify", "--json").stdout)
    assert found["findings"] == []


def test_the_walk_shows_every_state_and_every_face() -> None:
    shown = "".join(step.shown for step in steps(TEXT))
    for state in ("pending", "confirmed", "final"):
        assert re.search(rf'state"?:? +?"?{state}|"state":"{state}', shown), state
    commands = [step.command for step in steps(TEXT)]
    for face in ("strongroom ", "curl -s ", "grpcurl "):
        assert sum(command.startswith(face) for command in commands) >= 4, face


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_the_examples_of_the_readme(name: str, walk: Walk) -> None:
    commands = re.findall(r"^    curl (?:.*\\\n)*.*$", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 3
    with walk.server.client() as client:
        wallet = client.post("/wallets", json={"label": name}).json()["id"]
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command.replace("localhost:3000", f"127.0.0.1:{walk.server.http_port}")],
            env={"PATH": walk.server.environment["PATH"], "KEY": walk.server.api_key, "WALLET": wallet},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert "code" not in json.loads(done.stdout), done.stdout
