"""A data folder that 1.0.8 made, with the calls that made it, is served by this version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import Server
from tests.support.service import HttpFace

MADE = Path(__file__).parent / "data" / "1.0.8"
TEN_YEARS = str(10 * 365 * 86_400)


async def test_what_an_earlier_version_made_is_authenticated_replayed_and_guarded(tmp_path: Path) -> None:
    for name in ("strongroom.db", "keywrap.key", "audit-heads.jsonl"):
        shutil.copy(MADE / name, tmp_path / name)
    (tmp_path / "keywrap.key").chmod(0o600)
    made: dict[str, Any] = json.loads((MADE / "calls.json").read_text())
    with Server(tmp_path, {"IDEMPOTENCY__RETENTION": TEN_YEARS}, api_key=made["api_key"]) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
            face = HttpFace(http)
            for call in made["calls"]:
                again = await face.call(
                    call["operation"], call["command"], key=server.api_key, idempotency_key=call["key"]
                )
                assert again.result == call["result"], (call["operation"], again.code)
            for call in (each for each in made["calls"] if each["operation"] == "transactions.sign"):
                other = call["command"] | {"unsigned_tx": call["command"]["unsigned_tx"] | {"value": "0x2"}}
                refused = await face.call(call["operation"], other, key=server.api_key)
                assert (refused.code, refused.status) == ("already_signed", 409)
            wallet = made["calls"][0]["result"]["id"]
            following = {}
            for network in ("ethereum", "bitcoin", "tron", "solana", "ton"):
                next_one = {"wallet_id": wallet, "network": network}
                following[network] = (await face.call("addresses.next", next_one, key=server.api_key)).result["index"]
            assert following == {"ethereum": 2, "bitcoin": 2, "tron": 1, "solana": 1, "ton": 1}
        verified = server.command("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
