"""The commands of docs/batches.md do what is written there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.other_chains import transactions
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.needs("curl")

TEXT = (ROOT / "docs/batches.md").read_text("utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as server:
        yield server


def test_curl(server: Server) -> None:
    with server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    answers = [told(server, each, wallet) for each in COMMANDS if each.startswith("curl ")]
    assert [[each["status"] for each in answer["results"]] for answer in answers] == [
        ["ok", "error"], ["ok"] * 3, ["ok"] * 100, ["ok"],
    ]  # fmt: skip
    [shown] = [json.loads(each) for each in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
    for written, result in zip(shown["results"], answers[0]["results"], strict=True):
        assert written["ref"] == result["ref"]
        assert written.get("error", {}).items() <= result.get("error", {}).items()
        assert written.get("result", {}).keys() <= result.get("result", {}).keys()
    again = [told(server, each, wallet) for each in COMMANDS if "Idempotency-Key" in each and each.startswith("curl ")]
    assert again[1:] == answers[2:]


def told(server: Server, command: str, wallet: str) -> Any:
    environment = {"PATH": server.environment["PATH"], "URL": server.url, "KEY": server.api_key, "WALLET": wallet}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return json.loads(done.stdout)


def test_command_line(server: Server, tmp_path: Path) -> None:
    with server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    [body] = [each for each in COMMANDS if "sign-batch" in each]
    found = re.search(r"-d '(.*)'", body, re.DOTALL)
    assert found is not None
    [item] = json.loads(found[1].replace("'$WALLET'", wallet))["items"]
    (tmp_path / "payouts.jsonl").write_text(json.dumps(item) + "\n")
    [command] = [each for each in COMMANDS if each.startswith("strongroom ")]
    environment = {**server.environment, "STRONGROOM_URL": server.url, "STRONGROOM_API_KEY": server.api_key}
    done = subprocess.run(
        ["bash", "-c", command.replace("strongroom", f"{sys.executable} -m strongroom", 1)], cwd=tmp_path,
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    signed = (tmp_path / "signed.json").read_text()
    assert "7781" in signed
    assert "signed_tx" in signed


def test_command_line_signs_for_every_chain(server: Server, tmp_path: Path) -> None:
    with server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        first = {
            network: client.get(f"/wallets/{wallet}/address/{network}").json()["address"]
            for network in ("tron", "solana", "ton")
        }
    told = list(transactions(first, int(time.time())))
    lines = [
        json.dumps({"ref": network, "wallet_id": wallet, "network": network, "unsigned_tx": unsigned})
        for network, unsigned in [*told, ("tron", told[0][1] | {"expiration": 1})]
    ]
    (tmp_path / "mixed.jsonl").write_text("\n".join(lines))
    done = server.command("sign", "batch", f"@{tmp_path / 'mixed.jsonl'}", "--json")
    assert done.returncode == 1, "one of them was refused"
    results = json.loads(done.stdout)
    results = results.get("results", results) if isinstance(results, dict) else results
    assert [each["ref"] for each in results] == [*(network for network, _ in told), "tron"]
    assert [each["status"] for each in results] == ["ok"] * len(told) + ["error"]
