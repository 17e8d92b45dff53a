"""A transaction with many inputs, over the whole service. What the audit says about it fits, and holds after a
restart.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.support.server import Server
from tests.unit.operations.test_signing_keys import WORDS, spending


def test_a_transaction_with_many_inputs_verifies_and_the_service_starts_again(tmp_path: Path) -> None:
    unsigned = spending([f"m/44'/0'/0'/0/{n}" for n in range(40)], legacy=True)
    with Server(tmp_path / "data") as server, server.client() as client:
        wallet = client.post("/wallets/import", json={"kind": "bip39", "mnemonic": WORDS}).json()["id"]
        signed = client.post(f"/wallets/{wallet}/sign", json={"network": "bitcoin", "unsigned_tx": unsigned})
        assert signed.status_code == 200, signed.text
        assert signed.json()["complete"]
        assert server.stop() == 0
    found = server.command("verify", "--json")
    assert found.stdout, found.stderr
    assert (found.returncode, json.loads(found.stdout)["findings"]) == (0, [])
    with server:
        health = httpx.get(f"{server.url}/health", trust_env=False).json()
        assert health["components"]["audit"]["status"] == "ok"
        assert server.stop() == 0
