"""Messages, typed data, addresses and networks."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.domain.network import Network
from strongroom.domain.scheme import Position
from strongroom.domain.signing import Message, SignedMessage
from strongroom.errors import InvalidAddress, InvalidMessage
from tests.unit.chains.evm.evm_cases import signature
from tests.unit.chains.tron.tron_cases import (
    MAINNET,
    NILE,
    OTHER,
    OTHER_HEX,
    OTHER_PRIVATE,
    OWNER,
    PRIVATE,
    TRON,
    USDT,
    codes,
    ours,
)

HELLO = Message("tip191", data=b"hello")


def sign_message(message: Message, network: Network = MAINNET, private: bytes = PRIVATE) -> SignedMessage:
    prepared, _ = TRON.prepare_message(network, message, ours(private))
    return TRON.assemble_message(prepared, signature(prepared, private))


def permit(**changes: Any) -> dict[str, Any]:
    names = ("owner", "spender", "value", "nonce", "deadline")
    return {
        "types": {"Permit": [{"name": n, "type": "address" if n in names[:2] else "uint256"} for n in names]},
        "primaryType": "Permit",
        "domain": {"name": "Tether USD", "chainId": 0x2B6653DC, "verifyingContract": USDT},
        "message": {"owner": OWNER, "spender": OTHER, "value": str(2**256 - 1), "nonce": 0, "deadline": 1},
        **changes,
    }


def test_a_signature_is_verified_in_every_spelling_and_for_its_address_alone() -> None:
    signed = sign_message(HELLO)
    assert signed.address == OWNER
    v = int(signed.signature[-2:], 16)
    for last in (v, v - 27):
        assert TRON.verify_message(MAINNET, HELLO, signed.signature[:-2] + f"{last:02x}", OWNER)
    assert not TRON.verify_message(MAINNET, HELLO, signed.signature[:-2] + f"{55 - v:02x}", OWNER)
    assert not TRON.verify_message(MAINNET, HELLO, signed.signature, OTHER)
    assert not TRON.verify_message(MAINNET, Message("tip191", data=b"hellp"), signed.signature, OWNER)
    assert not TRON.verify_message(MAINNET, HELLO, "0x" + "00" * 64 + "1b", OWNER)
    high = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - int(signed.signature[66:130], 16)
    assert not TRON.verify_message(MAINNET, HELLO, f"{signed.signature[:66]}{high:064x}{55 - v:02x}", OWNER)


@pytest.mark.parametrize("text", ["", "0x", "0x00", "00" * 65, "0x" + "00" * 64 + "42", "0x" + "00" * 66])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage):
        TRON.verify_message(MAINNET, HELLO, text, OWNER)


def test_formats_of_other_chains_are_refused() -> None:
    for name in ("eip191", "eip7702", "bip322"):
        with pytest.raises(InvalidMessage):
            TRON.prepare_message(MAINNET, Message(name, data=b""), ours())


def test_a_message_that_may_be_a_hash_says_so() -> None:
    for data, expected in ((b"\xab" * 32, ["unknown_hash"]), (b"\xab" * 31, []), (b"0123456789abcdef" * 2, [])):
        _, cautions = TRON.prepare_message(MAINNET, Message("tip191", data=data), ours())
        assert codes(cautions) == expected


def test_typed_data_reads_every_form_of_an_address_alike() -> None:
    expected = sign_message(Message("eip712", document=permit())).digest
    for form in (OTHER, OTHER_HEX, "0x" + OTHER_HEX[2:]):
        message = {**permit()["message"], "spender": form}
        prepared, cautions = TRON.prepare_message(MAINNET, Message("eip712", document=permit(message=message)), ours())
        assert "0x" + prepared.to_sign[0].payload.hex() == expected
        assert prepared.summary.actions[0].spender == OTHER
        assert codes(cautions) == ["spending_permission", "unlimited_approval"]
        assert prepared.summary.type == "tip712"


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": {"name": "x", "chainId": 0xCD8690DC}},
        {"domain": {"name": "x", "chainId": "0x1"}},
        {"domain": {"more": 1}},
        {"domain": None},
        {"types": None},
        {"primaryType": "Mail"},
        {"message": {**permit()["message"], "spender": "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwc"}},
        {"message": {**permit()["message"], "spender": "0x41" + OTHER_HEX[2:]}},
        {"message": {**permit()["message"], "value": str(2**256)}},
        {"types": {**permit()["types"], "trcToken": []}},
    ],
    ids=str,
)
def test_typed_data_that_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        TRON.prepare_message(MAINNET, Message("eip712", document=permit(**changes)), ours())


def test_a_domain_names_the_network() -> None:
    document = permit(domain={"name": "x", "chainId": "0xcd8690dc"})
    signed = sign_message(Message("eip712", document=document), NILE, OTHER_PRIVATE)
    assert TRON.verify_message(NILE, Message("eip712", document=document), signed.signature, OTHER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x" + OTHER_HEX[2:],
        "0x" + OTHER_HEX,
        "42" + OTHER_HEX[2:],
        OTHER_HEX[2:],
        OTHER_HEX + "00",
        "zz" + OTHER_HEX[2:],
        " " + OTHER,
        OTHER + "\n",
        OTHER.lower(),
        OTHER[:-1],
        OTHER + "1",
        "1" + OTHER,
        "TuzT1ez2ndhaTix8UpEs8yEYobhp2eT1p8",
        "27jm9Zs17XbFwLU4GnFYpikpVy1vUnDhome",
        "T" * 34,
        "T" * 100_000,
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "٤١" + OTHER_HEX[2:],
    ],
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InvalidAddress):
        TRON.parse_address(MAINNET, text)


def test_an_address_that_begins_with_41_twice() -> None:
    found = TRON.parse_address(MAINNET, "41418D2EA0BC682CFB5181178079076CA0EA5A9D18")
    assert dict(found.forms) == {
        "address": "TFwp42z9U4sMe9GnPdfQk4cMRxzJU9NyKr",
        "base58": "TFwp42z9U4sMe9GnPdfQk4cMRxzJU9NyKr",
        "hex": "41418d2ea0bc682cfb5181178079076ca0ea5a9d18",
        "evm": "0x418d2ea0bc682cfb5181178079076ca0ea5a9d18",
        "evm_checksum": "0x418D2eA0bc682cFB5181178079076Ca0EA5A9D18",
    }


def test_networks() -> None:
    assert [(network.name, network.caip2) for network in TRON.networks] == [
        ("tron", "tron:0x2b6653dc"),
        ("tron-nile", "tron:0xcd8690dc"),
        ("tron-shasta", "tron:0x94a9059e"),
    ]
    private = TRON.network_for("tron:0x0000033a")
    assert private is not None
    assert (private.chain_id, private.keyspace) == (826, "tron")
    for text in ("tron:826", "tron:0x33a", "tron:0x0000033A", "eip155:1", "tron:0x0000033a\n"):
        assert TRON.network_for(text) is None


def test_schemes() -> None:
    at = Position(index=3)
    assert {name: scheme.path(at) for name, scheme in TRON.schemes("tron").items() if name != "raw"} == {
        "bip44": "m/44'/195'/0'/0/3",
        "tronlink": "m/44'/195'/3'/0/0",
    }
