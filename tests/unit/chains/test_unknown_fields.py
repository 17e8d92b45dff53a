"""A field that a form of a transaction does not have is named, with our name for it or with those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.errors import InvalidTransaction

KEY = "11111111111111111111111111111112"
BLOCK = {"fee_payer": KEY, "recent_blockhash": KEY}
PAYMENT = {"seqno": 1, "valid_until": 1, "messages": [{"address": KEY, "foo": 1}]}


def refused(chain: str, form: dict[str, Any]) -> InvalidTransaction:
    with pytest.raises(InvalidTransaction) as caught:
        CHAINS[chain].decode(CHAINS[chain].networks[0], form)
    return caught.value


@pytest.mark.parametrize(
    ("chain", "form", "field", "some"),
    [
        ("evm", {"foo": 1}, "foo", ["gas", "to"]),
        ("ton", {"foo": 1}, "foo", ["messages", "seqno"]),
        ("ton", PAYMENT, "messages.0.foo", ["address", "amount"]),
        ("tron", {"foo": 1}, "foo", ["contract", "raw_data_hex", "transaction"]),
        ("tron", {"transaction": {}, "foo": 1}, "foo", ["result", "transaction"]),
        ("tron", {"raw_data_hex": "", "foo": 1}, "foo", ["raw_data", "raw_data_hex"]),
        ("tron", {"contract": {}, "foo": 1}, "foo", ["block_id", "contract", "memo"]),
        ("tron", {"contract": {"type": "TransferContract", "foo": 1}}, "contract.foo", ["amount", "to_address"]),
        ("solana", {"foo": 1}, "foo", ["fee_payer", "last_valid_block_height", "message", "transaction", "transfers"]),
        ("solana", {"transaction": "", "foo": 1}, "foo", ["transaction"]),
        ("solana", {"message": "", "foo": 1}, "foo", ["message"]),
        ("solana", {"fee_payer": KEY, "durable_nonce": {"foo": 1}}, "durable_nonce.foo", ["account", "value"]),
        ("solana", {**BLOCK, "transfers": [{"foo": 1}]}, "transfers[0].foo", ["amount", "mint", "to"]),
        ("solana", {**BLOCK, "transfers": [{"mint": KEY, "foo": 1}]}, "transfers[0].foo", ["decimals", "mint", "to"]),
    ],
)
def test_a_field_that_is_not_known(chain: str, form: dict[str, Any], field: str, some: Sequence[str]) -> None:
    error = refused(chain, form)
    assert error.field == f"unsigned_tx.{field}"
    assert error.message.endswith("there is no such field")
    assert set(error.hints["allowed"]) >= set(some)


@pytest.mark.parametrize(
    ("chain", "form", "field", "ours"),
    [
        ("evm", {"gas_price": 1}, "gas_price", "gasPrice"),
        ("ton", {"validUntil": 1}, "validUntil", "valid_until"),
        ("tron", {"rawDataHex": ""}, "rawDataHex", "raw_data_hex"),
        ("tron", {"contract": {"type": "TransferContract", "toAddress": 1}}, "contract.toAddress", "to_address"),
        ("solana", {"feePayer": KEY}, "feePayer", "fee_payer"),
    ],
)
def test_a_field_by_another_name(chain: str, form: dict[str, Any], field: str, ours: str) -> None:
    error = refused(chain, form)
    assert (error.field, error.hints) == (f"unsigned_tx.{field}", {"did_you_mean": ours})


@pytest.mark.parametrize("chain", ["evm", "ton", "tron", "solana"])
def test_what_may_be_a_secret_is_not_repeated(chain: str) -> None:
    error = refused(chain, {"abandon ability": 1})
    assert error.field == "unsigned_tx"
    assert "abandon" not in f"{error.message} {error.hints}"


@pytest.mark.parametrize(
    ("chain", "form", "field", "some"),
    [
        ("tron", {"contract": {"type": "Transfer"}}, "contract.type", ["TransferContract"]),
        ("solana", {"fee_payer": KEY, "version": 7}, "version", ["legacy", "0"]),
    ],
)
def test_values_that_are_accepted_are_listed(chain: str, form: dict[str, Any], field: str, some: Sequence[str]) -> None:
    error = refused(chain, form)
    assert error.field == f"unsigned_tx.{field}"
    assert set(error.hints["allowed"]) >= set(some)
