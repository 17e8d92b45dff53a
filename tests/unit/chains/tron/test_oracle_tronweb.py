"""TronWeb builds the transactions and accepts the signed ones, but not with one bit changed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from strongroom.chains.tron import jsonform
from strongroom.codecs import eip712
from strongroom.domain.signing import Message
from tests.oracles import tron as oracle
from tests.support import node
from tests.unit.chains.evm.evm_cases import signature
from tests.unit.chains.tron.tron_cases import ANYTHING, EXPIRATION, MAINNET, OWNER, PRIVATE, TRON, ours, sign

pytestmark = pytest.mark.needs("tronweb")

ROUNDS = 300


def ask(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = node.run("tronweb.mjs", jobs)
    return answers


@pytest.fixture(scope="module")
def transactions() -> list[tuple[dict[str, Any], bytes]]:
    """Transactions of every contract, built by TronWeb, each with the key that signs it."""
    draw = random.Random(195)
    keys = [oracle.private_key(draw) for _ in range(ROUNDS)]
    jobs = [
        oracle.question(draw, oracle.CONTRACTS[number % len(oracle.CONTRACTS)], oracle.address(key), EXPIRATION)
        for number, key in enumerate(keys)
    ]
    built = [answer["ok"] for answer in ask(jobs)]
    assert len({one["raw_data"]["contract"][0]["type"] for one in built}) == len(oracle.CONTRACTS) == 13
    return list(zip(built, keys, strict=True))


def test_what_tronweb_builds_we_sign_byte_for_byte(transactions: list[tuple[dict[str, Any], bytes]]) -> None:
    jobs = [{"job": "sign", "transaction": form, "key": key.hex()} for form, key in transactions]
    for (form, key), answer in zip(transactions, ask(jobs), strict=True):
        for unsigned in (form, form["raw_data_hex"], {"result": {"result": True}, "transaction": form}):
            signed = sign(unsigned, private=key, policy=ANYTHING)
            assert signed.raw == answer["ok"]["protobuf"]
            assert signed.details["signatures"] == [one.lower() for one in answer["ok"]["transaction"]["signature"]]
            assert signed.tx_id == answer["ok"]["transaction"]["txID"] == form["txID"]
            assert signed.complete is ("Permission_id" not in form["raw_data"]["contract"][0])
        visible = jsonform.write(jsonform.Reading(TRON.decode(MAINNET, form).transaction, bytes.fromhex(
            form["raw_data_hex"]), True, ()), ())  # fmt: skip
        assert sign(visible, private=key, policy=ANYTHING).raw == signed.raw


def test_what_is_built_here_are_the_same_bytes(transactions: list[tuple[dict[str, Any], bytes]]) -> None:
    for form, key in transactions:
        raw = form["raw_data"]
        [entry] = raw["contract"]
        value = dict(entry["parameter"]["value"])
        if "asset_name" in value:
            value["asset_name"] = bytes.fromhex(value["asset_name"]).decode()
        contract = {"type": entry["type"], **value}
        if "Permission_id" in entry:
            contract["Permission_id"] = entry["Permission_id"]
        structured = {**{name: item for name, item in raw.items() if name != "contract"}, "contract": contract}
        assert sign(structured, private=key, policy=ANYTHING).tx_id == form["txID"]


def test_tronweb_takes_what_we_signed_and_refuses_it_with_one_bit_changed(
    transactions: list[tuple[dict[str, Any], bytes]],
) -> None:
    draw = random.Random(41)
    signed = [sign(form, private=key, policy=ANYTHING).details["transaction"] for form, key in transactions]
    right = ask([{"job": "recover", "transaction": form} for form in signed])
    wrong = ask([{"job": "recover", "transaction": oracle.one_bit_changed(draw, form)} for form in signed])  # type: ignore[arg-type]
    for (_, key), good, bad in zip(transactions, right, wrong, strict=True):
        assert good["ok"] == oracle.address(key)
        assert bad.get("ok") != oracle.address(key)
    assert sum("refused" in bad for bad in wrong) > ROUNDS / 2


def test_messages_agree() -> None:
    draw = random.Random(191)
    texts = [draw.randbytes(draw.randint(0, 200)) for _ in range(60)]
    signed = []
    for data in texts:
        prepared, _ = TRON.prepare_message(MAINNET, Message("tip191", data=data), ours())
        signed.append(TRON.assemble_message(prepared, signature(prepared)).signature)
        assert signed[-1][2:-2] == oracle.sign_message(data, PRIVATE)[:64].hex()
    theirs = ask([{"job": "signMessage", "message": data.hex(), "key": PRIVATE.hex()} for data in texts])
    assert [answer["ok"] for answer in theirs] == signed
    verified = ask(
        [
            {"job": "verifyMessage", "message": data.hex(), "signature": made}
            for data, made in zip(texts, signed, strict=True)
        ]
    )
    assert {answer["ok"] for answer in verified} == {OWNER}


def test_typed_data_agrees() -> None:
    draw = random.Random(712)
    documents = [oracle_document(draw) for _ in range(60)]
    jobs = [
        {"job": "signTypedData", "domain": one["domain"], "types": one["types"], "message": one["message"],
         "key": PRIVATE.hex()}
        for one in documents
    ]  # fmt: skip
    for document, answer in zip(documents, ask(jobs), strict=True):
        message = Message("eip712", document=document)
        prepared, _ = TRON.prepare_message(MAINNET, message, ours())
        made = TRON.assemble_message(prepared, signature(prepared))
        assert made.signature == answer["ok"]
        assert TRON.verify_message(MAINNET, message, made.signature, OWNER)
        fields = [{"name": name, "type": eip_type} for name, eip_type in DOMAIN.items()]
        stated = {**document, "types": {eip712.DOMAIN: fields, **document["types"]}}
        again, _ = TRON.prepare_message(MAINNET, Message("eip712", document=stated), ours())
        assert again.to_sign[0].payload == prepared.to_sign[0].payload


DOMAIN = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}


def oracle_document(draw: random.Random) -> dict[str, Any]:
    """The form that users of TronWeb write, without the type of the domain."""
    parties = [
        {"who": oracle.random_address(draw), "share": str(draw.getrandbits(64))} for _ in range(draw.randint(0, 3))
    ]
    return {
        "types": {
            "Order": [
                {"name": "maker", "type": "address"},
                {"name": "token", "type": "trcToken"},
                {"name": "tokens", "type": "trcToken[]"},
                {"name": "parties", "type": "Party[]"},
                {"name": "note", "type": "string"},
                {"name": "salt", "type": "bytes32"},
            ],
            "Party": [{"name": "who", "type": "address"}, {"name": "share", "type": "uint64"}],
        },
        "primaryType": "Order",
        "domain": {
            "name": "Venue",
            "version": "1",
            "chainId": 0x2B6653DC,
            "verifyingContract": oracle.random_address(draw),
        },
        "message": {
            "maker": oracle.random_address(draw),
            "token": str(draw.randint(1_000_001, 1_009_999)),
            "tokens": [str(draw.getrandbits(200)) for _ in range(draw.randint(0, 3))],
            "parties": parties,
            "note": draw.choice(["", "обмен", "🗝", "x" * 40]),
            "salt": "0x" + draw.randbytes(32).hex(),
        },
    }
