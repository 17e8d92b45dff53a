"""What the command line prints of balances and histories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from strongroom.entrypoints.cli import output

COIN = "eip155:1/slip44:60"


def balance(confirmed: int, pending: int = 0, **more: Any) -> dict[str, Any]:
    amounts = {"confirmed": str(confirmed), "pending": str(pending), "spendable": None, "immature": None}
    return {"asset": COIN, "symbol": "ETH", "decimals": 18, "listed": True, **amounts, "details": {}, **more}


def shown(
    answer: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> list[list[str]]:
    monkeypatch.setenv("COLUMNS", "300")
    output.show(json.dumps(answer), as_json=False)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_amounts_are_in_units_of_the_asset(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    exact = 123456789012345678901234567890123456789012345678
    lines = shown(
        {
            "network": "ethereum",
            "balances": [
                balance(10**19),
                balance(8_999_958 * 10**12, -(10**18)),
                balance(exact),
                balance(0),
                balance(5, decimals=None, listed=False),
                balance(700, decimals=0),
            ],
            "addresses": [],
        },
        capsys,
        monkeypatch,
    )
    assert lines[:2] == [["network", "ethereum"], ["symbol", "confirmed", "pending", "listed", "asset"]]
    amounts = [line[1:3] for line in lines[2:]]
    assert amounts == [
        ["10", "0"],
        ["8.999958", "-1"],
        ["123456789012345678901234567890.123456789012345678", "0"],
        ["0", "0"],
        ["5", "0"],
        ["700", "0"],
    ]


def test_each_address_stands_above_the_sum(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    holders = [{"address": f"0x{at}", "balances": [balance(at * 10**18)]} for at in (1, 2)]
    lines = shown({"balances": [balance(3 * 10**18)], "addresses": holders}, capsys, monkeypatch)
    assert [line[:3] for line in lines[1:]] == [["0x1", "ETH", "1"], ["0x2", "ETH", "2"], ["all", "ETH", "3"]]


def test_a_history_is_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"tx_id": "0xab", "direction": "out", "amount": "1500000000000000000", "symbol": "ETH", "decimals": 18}
    entries = [
        {**entry, "status": "pending", "block": None},
        {**entry, "status": "final", "block": {"height": 7, "hash": "0x00", "time": None}},
    ]
    assert shown({"entries": entries}, capsys, monkeypatch) == [
        ["block.height", "status", "direction", "amount", "symbol", "tx_id"],
        ["pending", "out", "1.5", "ETH", "0xab"],
        ["7", "final", "out", "1.5", "ETH", "0xab"],
    ]
    assert shown({"entries": []}, capsys, monkeypatch) == [["no", "entries"]]
