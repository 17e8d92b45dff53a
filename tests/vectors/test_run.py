"""The whole run with the project's own vectors, and with wrong values planted among them, so that it must fail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import run
from tests.vectors.folder import FORMAT, Folder, Vector, read
from tests.vectors.planting import with_one_field_wrong, with_unknown_field
from tests.vectors.rest import Rest, servers

OWN = read(run.OWN)
BY_ID = {vector["id"]: vector for vector in OWN.vectors}
UNSEEN_OVER_REST = {
    ("bip32", "chain_code_hex"),
    ("slip10.secp", "chain_code_hex"),
    ("slip10.secp", "parent_fingerprint_hex"),
    ("btc.message.bip322_full", "matches_own"),
    ("sol.token.ata", "bump"),
}
"""What REST does not show of a vector that it can otherwise tell."""
KEY = {"private_key_hex": BY_ID["eip155-example"]["input"]["private_key_hex"]}
SPEND = {name: BY_ID["btc-gen0-p2wpkh-1in2out"]["input"][name] for name in ("network", "mnemonic", "psbt_base64")}
PROOF = BY_ID["bip322-gen0-p2wpkh"]
TRON_PAYMENT = BY_ID["trust-SignTransfer"]["input"]
SOLANA_PAYMENT = BY_ID["trust-transfer"]["input"]


def unexpired(given: dict[str, Any]) -> dict[str, Any]:
    """A payment of the vector's key that expires in an hour, in the form that is built here."""
    raw_data = given["unsigned"]["raw_data"]
    [contract] = raw_data["contract"]
    return {
        "contract": {"type": contract["type"], **contract["parameter"]["value"]},
        "ref_block_bytes": raw_data["ref_block_bytes"],
        "ref_block_hash": raw_data["ref_block_hash"],
        "expiration": int(time.time() + 3600) * 1000,
    }


VALID: dict[str, dict[str, Any]] = {
    "btc.negative.address": {"address": "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "network": "mainnet"},
    "btc.negative.bip322": {
        **{name: PROOF["input"][name] for name in ("address", "message")},
        "signature": PROOF["expected"]["signature"],
        "operation": "verify",
    },
    "btc.negative.psbt_parse": {"psbt_base64": SPEND["psbt_base64"]},
    "btc.negative.psbt_policy": SPEND,
    "btc.negative.psbt_signer": SPEND,
    "common.amount_negative": {"asset": "BTC", "decimals": 8, "amount": "0.1"},
    "negative.mnemonic": {"mnemonic": BY_ID["bip39-english-1"]["expected"]["mnemonic"]},
    "negative.xkey": {"extended_key": BY_ID["bip32-tv1-m"]["expected"]["xpub"]},
    "negative.path": {"path": "m/44'/60'/0'/0/0"},
    "eth.negative.address": {"address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
    "eth.negative.eip712": {**KEY, "typed_data": BY_ID["trezor-712-bare_minimum"]["input"]["typed_data"]},
    "eth.negative.key": KEY,
    "eth.negative.rlp": {**KEY, "unsigned_hex": BY_ID["eip155-example"]["input"]["unsigned_hex"]},
    "eth.negative.tx": {**KEY, "tx": BY_ID["eip155-example"]["input"]["tx"]},
    "tron.negative.address": {"address": "TJRyWwFs9wTFGZg3JbrVriFbNfCug5tDeC"},
    "tron.negative.tx": {"private_key_hex": TRON_PAYMENT["private_key_hex"], "unsigned": unexpired(TRON_PAYMENT)},
    "ton.negative.mnemonic": {"mnemonic": BY_ID["ton-native-3b639c"]["input"]["mnemonic"], "scheme": "ton-24-words"},
    "ton.negative.address": {"address": BY_ID["tonaddr-17"]["input"]["address"]},
    "ton.negative.tx": {
        **{
            name: BY_ID["tontx-no-messages"]["input"][name]
            for name in ("private_key_hex", "wallet_version", "send_mode")
        },
        "seqno": 0,
        "valid_until": 2**32 - 1,
        "messages": BY_ID["trust-transfer_and_deploy"]["input"]["messages"],
    },
    "ton.negative.boc": {"jetton_wallet_boc": BY_ID["addr-slice-1"]["input"]["runGetMethod_result_boc"]},
    "ton.negative.predecessor": {
        **BY_ID["ton-predecessor-344ebe"]["input"],
        "mnemonic": BY_ID["bip39-english-1"]["expected"]["mnemonic"],
    },
    "sol.negative.address": {"address": BY_ID["soladdr-11111111"]["input"]["address"]},
    "sol.negative.key": {"private_key_hex": SOLANA_PAYMENT["private_keys_hex"][0]},
    "sol.negative.tx": {
        "private_key_hex": SOLANA_PAYMENT["private_keys_hex"][0],
        "unsigned_tx_base64": SOLANA_PAYMENT["unsigned_tx_base64"],
    },
    "sol.negative.predecessor": {
        **BY_ID["sol-predecessor-723ec6"]["input"],
        "mnemonic": BY_ID["bip39-english-1"]["expected"]["mnemonic"],
    },
}
"""For each group of what must be refused, something that must not."""


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    with servers(tmp_path_factory.mktemp("vectors")) as started:
        yield started


def test_exactly_the_planted_answers_fail(rest: Rest) -> None:
    """One digit of each expected field of each group, and something valid in each group of negatives."""
    wrong, unseen = plant(rest)
    report = run.run(Folder(wrong), rest)
    failed = {(failure.vector, failure.way) for failure in report.failures}
    assert failed == {(vector["id"], way) for vector in wrong for way in ("direct", "REST")} - unseen
    assert report.failed == len(failed)


def plant(rest: Rest) -> tuple[list[Vector], set[tuple[str, str]]]:
    """The changed vectors, of those that REST can tell where there are any; and what cannot be seen: (vector, way)."""
    told: dict[tuple[str, str], Vector] = {}
    untold: dict[tuple[str, str], Vector] = {}
    for vector in OWN.vectors:
        group = vector["group"]
        wrong = {(group, field): changed for changed, field in faults(vector) if (group, field) not in told}
        if wrong:
            report = run.run(Folder([vector]), rest)
            assert not report.failed
            kept = untold if report.groups[group].not_expressible else told
            kept.update({place: changed for place, changed in wrong.items() if place not in kept})
    assert {group for group, _ in told | untold if "negative" in group} == VALID.keys()
    unseen = {(changed["id"], "REST") for place, changed in untold.items() if place not in told}
    unseen |= {(changed["id"], "REST") for place, changed in told.items() if place in UNSEEN_OVER_REST}
    return list((untold | told).values()), unseen


def faults(vector: Vector) -> Iterator[tuple[Vector, str]]:
    """The vector with one thing wrong, and which field that is."""
    yield from with_one_field_wrong(vector)
    if (group := vector["group"]) in VALID:
        yield {**vector, "id": f"{vector['id']}: made valid", "input": VALID[group]}, "input"


SHAPES = read(Path(__file__).parent / "shapes")
"""Samples of shapes that our own files do not have."""


def test_shapes_of_other_files_are_understood(rest: Rest) -> None:
    report = run.run(SHAPES, rest)
    assert (report.failures, report.faults) == ([], [])
    for name, least in (("bip32", 2), ("btc.sign.public", 1), ("btc.sign.sighash", 2), ("btc.negative.psbt_parse", 2)):
        assert report.groups[name].rest[True] >= least
    assert {identity for group in report.groups.values() for identity in group.not_expressible} == {
        "shape-bip32-no-scheme", "shape-roles-finalised", "shape-roles-note", "shape-sighash-p2pkh",
        "shape-amount-btc", "shape-amount-trx", "shape-amount-sol", "shape-amount-ton",
    }  # fmt: skip


def test_a_wrong_answer_in_one_of_those_shapes_is_noticed(rest: Rest) -> None:
    wrong = [changed for vector in SHAPES.vectors for changed, _ in with_one_field_wrong(vector)]
    report = run.run(Folder(wrong), rest)
    assert {failure.vector for failure in report.failures} == {vector["id"] for vector in wrong}


def test_that_a_key_was_used_is_seen(rest: Rest) -> None:
    wallet = rest.strict.key_wallet("11" * 32)
    body = {"network": "ethereum", "format": "eip191", "message": "x", "encoding": "text"}
    before = rest.strict.key_use()
    rest.strict.post(f"/wallets/{wallet['id']}/sign-message", body)
    assert rest.strict.key_use() == before + 2  # one unwrap, one signature


def test_a_group_that_is_not_known_fails_by_name(rest: Rest) -> None:
    vector = {**OWN.vectors[0], "group": "eth.sign.later"}
    report = run.run(Folder([vector]), rest)
    assert report.failed == 2
    assert all("eth.sign.later" in failure.reason for failure in report.failures)


@pytest.mark.parametrize("part", ["input", "expected"])
def test_a_field_that_is_not_known_fails_both_ways(rest: Rest, part: str) -> None:
    first = {vector["group"]: vector for vector in reversed(OWN.vectors)}
    changed = [with_unknown_field(vector, part) for vector in first.values()]
    report = run.run(Folder(changed), rest)
    untold = {identity for group in report.groups.values() for identity in group.not_expressible}
    failed = {(failure.vector, failure.way) for failure in report.failures}
    assert failed == {(vector["id"], way) for vector in changed for way in ("direct", "REST")} - {
        (identity, "REST") for identity in untold
    }
    assert len(untold) < len(changed) / 3


def test_fewer_cases_over_rest_than_are_pinned_fail() -> None:
    report = run.Report()
    run.compare_with_minimums(report)
    assert any(fault.startswith("eth.sign.legacy: 0 cases over REST, 36 are pinned") for fault in report.faults)


def header(vectors: list[Vector], **changes: Any) -> dict[str, Any]:
    groups: dict[str, int] = {}
    for vector in vectors:
        groups[vector["group"]] = groups.get(vector["group"], 0) + 1
    fixed = {"format": FORMAT, "chain": "common", "kind": "x", "split": "x", "count": len(vectors), "groups": groups}
    return {**fixed, "vectors": vectors, **changes}


ONE = OWN.vectors[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "no wallet-vectors/1 file"),
        ('{"format": "wallet-vectors/1", "format": "wallet-vectors/1"}', "a key is given twice"),
        (json.dumps(header([ONE], format="wallet-vectors/2")), "no wallet-vectors/1 file"),
        (json.dumps(header([ONE], more=1)), "header fields"),
        (json.dumps(header([ONE], count=2)), "count says 2"),
        (json.dumps(header([ONE], groups={"eth.sign.legacy": 1})), "groups says"),
        (json.dumps(header([])), "there are no vectors"),
        (json.dumps(header([ONE, ONE])), f"the id {ONE['id']} is in"),
        (json.dumps(header([{**ONE, "expected": None}])), "a vector has at least"),
    ],
)
def test_a_file_with_a_fault_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    assert run.main([str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "FAILED bad.json: " in shown
    assert reason in shown
    assert shown.endswith("0 passed, 1 failed\n")


def test_an_empty_folder_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([str(tmp_path)]) == 1
    assert "no vector files are here" in capsys.readouterr().out
