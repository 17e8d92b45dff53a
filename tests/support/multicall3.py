"""Multicall3, deployed as everywhere by one transaction that was signed in advance.

The transaction is in the README of https://github.com/mds1/multicall3, "New Deployments". The contract is MIT.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.anvil import Anvil

ADDRESS = "0xcA11bde05977b3631167028862bE2a173976CA11"
DEPLOYER = "0x05f32B3cC3888453ff71B01135B34FF8e41263F2"
CODE_HASH = "d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891"
TRANSACTION = "0x" + "".join(Path(__file__).with_suffix(".hex").read_text().split())


def deploy(node: Anvil) -> None:
    node.fund(DEPLOYER, 10**17)
    assert node.mined(node.broadcast(TRANSACTION))["contractAddress"] == ADDRESS.lower()
