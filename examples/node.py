"""What the examples ask an Ethereum or Solana node of their own, at NODE_URL: the service hands out no nonces.

Their client is in clients/python: `pip install ./clients/python`.
"""

from __future__ import annotations

import os
from typing import Any

import httpx


def ask(method: str, *params: object) -> Any:
    """The result of one JSON-RPC call."""
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    response = httpx.post(os.environ["NODE_URL"], json=question, timeout=30).raise_for_status().json()
    if "error" in response:
        raise SystemExit(f"{method}: {response['error']['message']}")
    return response["result"]


def next_nonce(address: str) -> int:
    return int(ask("eth_getTransactionCount", address, "pending"), 16)
