"""What a refused request is told: which field, what belongs there, and nothing of Python."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from strongroom.entrypoints.binding import bind
from strongroom.errors import InvalidField, MalformedRequest, StrongroomError
from strongroom.operations.addresses import NextAddress
from strongroom.operations.administration import CreateApiKey
from strongroom.operations.batch_commands import SignTransactions
from strongroom.operations.registry import OPERATIONS
from strongroom.operations.transactions import SignTransaction
from strongroom.operations.wallets import CreateWallet, ListWallets

WALLET = str(uuid4())
SIGN = {"wallet_id": WALLET, "network": "ethereum", "unsigned_tx": "0x"}
PYTHONS = re.compile(r"\b(str|int|bool|dict|float|None|Expected)\b|`")


def refused(tree: Any, command: type) -> StrongroomError:
    with pytest.raises((MalformedRequest, InvalidField)) as refusal:
        bind(tree, command)
    assert not PYTHONS.search(refusal.value.message), refusal.value.message
    return refusal.value


@pytest.mark.parametrize(
    ("tree", "command", "message", "field"),
    [
        ({}, NextAddress, "the required field wallet_id is missing", "wallet_id"),
        ({"words": "24"}, CreateWallet, "words: must be an integer, not a string", "words"),
        ({"label": 3}, CreateWallet, "label: must be a string or null, not an integer", "label"),
        ([], CreateWallet, "must be an object, not a list", None),
        ({**SIGN, "wallet_id": "w"}, SignTransaction, "wallet_id: must be a UUID such as", "wallet_id"),
        ({**SIGN, "broadcast": 1}, SignTransaction, "broadcast: must be true or false, not an integer", "broadcast"),
    ],
)
def test_what_belongs_there(tree: Any, command: type, message: str, field: str | None) -> None:
    error = refused(tree, command)
    assert error.message.startswith(message)
    assert error.field == field


KEY = {"name": "n", "scopes": ["wallets:read"]}
ITEM = {**SIGN, "unsigned_tx": "0x"}


@pytest.mark.parametrize(
    ("tree", "command", "place", "field"),
    [
        ({**SIGN, "options": {"allowed_sighashes": ["NONE", "NOPE"]}}, SignTransaction,
         "options.allowed_sighashes[1]", "options.allowed_sighashes"),
        ({**SIGN, "options": {"allow": [1]}}, SignTransaction, "options.allow[0]", "options.allow"),
        ({**SIGN, "options": {"allow": 1}}, SignTransaction, "options.allow", "options.allow"),
        ({"networks": ["a", "x" * 65]}, CreateWallet, "networks[1]", "networks"),
        ({"items": [ITEM, {**ITEM, "options": {"allowed_sighashes": ["NOPE"]}}]}, SignTransactions,
         "items[1].options.allowed_sighashes[0]", "items[1].options.allowed_sighashes"),
        ({"items": [ITEM, {**ITEM, "index": -1}]}, SignTransactions, "items[1].index", "items[1].index"),
        ({"items": [ITEM, 3]}, SignTransactions, "items[1]", "items"),
        ({"items": [{"network": "ethereum", "unsigned_tx": "0x"}]}, SignTransactions, "items[0]", "items[0].wallet_id"),
        ({"items": [ITEM, {**ITEM, "foo": 1}]}, SignTransactions, "items[1]", "items[1].foo"),
        ({**KEY, "restriction": {"wallets": ["x"]}}, CreateApiKey, "restriction.wallets[0]", "restriction.wallets"),
        ({**KEY, "restriction": {"max_values": {"a secret": 1}}}, CreateApiKey,
         "restriction.max_values", "restriction.max_values"),
        ({**KEY, "restriction": {"unknown_calls": "x"}}, CreateApiKey,
         "restriction.unknown_calls", "restriction.unknown_calls"),
    ],
)  # fmt: skip
def test_the_field_is_named_wherever_it_is(tree: Any, command: type, place: str, field: str) -> None:
    error = refused(tree, command)
    assert error.message.startswith(f"{place}: ")
    assert error.field == field


def test_a_bound_comes_with_its_limit() -> None:
    error = refused({"limit": 1000}, ListWallets)
    assert (error.message, error.hints) == ("limit: must be at most 200", {"limit": "200"})
    error = refused({"label": "x" * 129}, CreateWallet)
    assert (error.message, error.hints) == ("label: must have a length of at most 128", {"limit": "128"})


def test_the_allowed_values_are_listed() -> None:
    error = refused({**SIGN, "options": {"allowed_sighashes": ["ALL"]}}, SignTransaction)
    assert "NONE|ANYONECANPAY" in error.hints["allowed"]
    assert "NONE|ANYONECANPAY" in error.message


@pytest.mark.parametrize(
    ("tree", "command", "field", "ours"),
    [
        ({**SIGN, "unsignedTx": "0x"}, SignTransaction, "unsignedTx", "unsigned_tx"),
        ({"externalId": "a"}, CreateWallet, "externalId", "external_id"),
        ({"mnemonic_length": 12}, CreateWallet, "mnemonic_length", "words"),
        ({**SIGN, "options": {"allowResign": True}}, SignTransaction, "options.allowResign", "allow_resign"),
    ],
)
def test_another_spelling_is_recognised(tree: Any, command: type, field: str, ours: str) -> None:
    error = refused(tree, command)
    assert (error.field, error.hints) == (field, {"did_you_mean": ours})
    assert error.message.endswith(f"it is called {ours} here")


def test_an_unknown_field_is_named_and_the_known_ones_are_listed() -> None:
    error = refused({**SIGN, "options": {"alow": []}}, SignTransaction)
    assert error.field == "options.alow"
    assert "allow" in error.hints["allowed"]


@pytest.mark.parametrize("name", ["abandon ability", "x" * 41, "é", "0beef", "deadbeef01deadbeef029", "a`b", "a.b", ""])
def test_what_may_be_a_secret_is_not_repeated(name: str) -> None:
    error = refused({name: 1}, CreateWallet)
    assert error.field is None
    assert not name or name not in f"{error.message} {error.hints}"


def test_every_command_says_what_it_knows() -> None:
    for operation in OPERATIONS:
        error = refused({"no_such_field": 1}, operation.command)
        if error.field == "no_such_field":
            assert list(error.hints["allowed"]) == sorted(operation.command.__struct_encode_fields__)
        else:
            assert "is missing" in error.message, operation.name
