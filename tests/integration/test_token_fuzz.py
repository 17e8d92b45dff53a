"""A token on a real node. Whatever a mutated call does to it that lets money out, the response announced."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import eth_abi
import pytest

from strongroom.domain.signing import Policy, SignOptions
from strongroom.domain.summary import Action, Caution
from tests.support import node as node_js
from tests.support.anvil import Anvil
from tests.unit.chains.evm.evm_cases import EVM, FROM, NOW, OURS, signature

pytestmark = pytest.mark.needs("anvil", "solc")

OTHER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
APPROVAL = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
ANVIL = EVM.network_for("eip155:31337")
NO_LIMITS = Policy(dict.fromkeys(EVM.limits), SignOptions(allow=frozenset({"to_zero_address", "to_token_contract"})))


class Token:
    """An OpenZeppelin ERC-20 whose owner is our key."""

    def __init__(self, node: Anvil) -> None:
        assert ANVIL is not None
        self.node = node
        node.fund(FROM, 10**24)
        self.nonce = 0
        [self.address, _], _ = self.send(None, node_js.run("compile.mjs")["bytecode"])

    def send(self, to: str | None, data: str) -> tuple[list[Any], tuple[list[Action], list[Caution]]]:
        """The address of what was created, the logs, and what the response announced."""
        assert ANVIL is not None
        form = {"type": 0, "chainId": 31337, "nonce": self.nonce, "gas": 5 * 10**6, "gasPrice": 10**10}
        decoded = EVM.decode(ANVIL, form | {"to": to, "value": 0, "data": data})
        cautions = EVM.check(decoded, OURS, NO_LIMITS, NOW)
        prepared = EVM.prepare(decoded, OURS)
        receipt = self.node.mined(self.node.broadcast(EVM.assemble(prepared, signature(prepared)).raw))
        self.nonce += 1
        return [receipt["contractAddress"], receipt["logs"]], (prepared.summary.actions, list(cautions))


@pytest.fixture(scope="module")
def token() -> Iterator[Token]:
    with Anvil() as node:
        yield Token(node)


def seeds() -> list[bytes]:
    def call(selector: str, kinds: list[str], values: list[Any]) -> bytes:
        return bytes.fromhex(selector) + eth_abi.encode(kinds, values)

    pair, triple = ["address", "uint256"], ["address", "address", "uint256"]
    return [
        call("095ea7b3", pair, [OTHER, 2**256 - 1]),
        call("095ea7b3", pair, [OTHER, 5]),
        call("a9059cbb", pair, [OTHER, 7]),
        call("a9059cbb", pair, ["0x" + "00" * 19 + "01", 1]),
        call("23b872dd", triple, [FROM, OTHER, 3]),
    ]


def mutated(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
        match draw.randrange(6):
            case 0:
                changed += draw.randbytes(draw.randint(1, 64))
            case 1:
                del changed[draw.randint(max(1, len(changed) - 40), len(changed)) :]
            case 2:  # within the padding of an address
                changed[draw.randrange(4, min(16, len(changed))) if len(changed) > 5 else 0] ^= 1 << draw.randrange(8)
            case 3:  # another selector
                changed[:4] = draw.choice(seeds())[:4]
            case 4:
                at = draw.randrange(len(changed) + 1)
                changed[at:at] = draw.randbytes(draw.choice([1, 32]))
            case _:
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        if not changed:
            changed += b"\0"
    return bytes(changed)


def fuzz(token: Token, rounds: int, seed: int) -> dict[str, int]:
    draw = random.Random(seed)
    counts = {"calls": 0, "approvals": 0, "transfers": 0, "noncanonical": 0}
    for _ in range(rounds):
        data = mutated(draw, draw.choice(seeds()))
        [_, logs], (actions, cautions) = token.send(token.address, "0x" + data.hex())
        codes = {caution.code for caution in cautions}
        counts["calls"] += 1
        counts["noncanonical"] += bool(logs) and "noncanonical_call" in codes
        for log in logs:
            giver, taker = ("0x" + topic[-40:] for topic in log["topics"][1:])
            amount = int(log["data"], 16)
            if giver != FROM.lower() or not amount:
                continue
            approval = log["topics"][0] == APPROVAL
            assert approval or log["topics"][0] == TRANSFER
            counts["approvals" if approval else "transfers"] += 1
            said = [(each.spender if approval else each.to or "", each.amount) for each in actions]
            assert (taker, str(amount)) in [((who or "").lower(), much) for who, much in said], data.hex()
            assert not approval or amount < 2**95 or "unlimited_approval" in codes, data.hex()
    return counts


def test_what_lets_money_out_was_said(token: Token) -> None:
    counts = fuzz(token, 60, 1)
    assert min(counts.values()) > 2


@pytest.mark.campaign
def test_a_thousand_mutations(token: Token, capsys: pytest.CaptureFixture[str]) -> None:
    counts = fuzz(token, 1000, 2)
    with capsys.disabled():
        print(f"\n{counts}")
    assert min(counts.values()) > 20
