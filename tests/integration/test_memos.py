"""A mnemonic that is pasted into a memo would be published, so it is neither signed nor stored."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.integration.conftest import Service
from tests.support import other_chains
from tests.support.canaries import RAW_KEY, WORDS
from tests.support.server import Server


def _with_memo(command: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    """The command with the text as its memo or comment, if it has one."""
    changed = copy.deepcopy(command)
    unsigned = changed["unsigned_tx"]
    for tree, name in ((unsigned, "memo"), (unsigned.get("messages", [{}])[0], "comment")):
        if name in tree:
            tree[name] = text
            yield changed


async def test_a_memo_that_holds_a_mnemonic_is_refused(server: Server, service: Service) -> None:
    wallet = await service.ask("wallets.create")
    with server.client() as client:
        commands = other_chains.commands(client, wallet["id"])
    signs = [command for name, command in commands if name == "transactions.sign"]
    refused = []
    for command in signs:
        for changed in _with_memo(command, f"to {WORDS} 7"):
            assert await service.refusal("transactions.sign", **changed) == "invalid_transaction"
            refused.append(command["network"])
        for changed in _with_memo(command, f"OUT:{RAW_KEY.upper()}"):  # as a bridge names a transaction
            await service.ask("transactions.sign", **changed)
    assert refused == ["tron", "solana", "ton"]
