"""What messages sign, what they warn of, and what verifies."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from strongroom.domain.network import Network
from strongroom.domain.signing import Message, SignedMessage
from strongroom.errors import InternalError, InvalidAddress, InvalidMessage, WrongKey
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, FROM, OURS, our_key, signature

SPENDER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TOKEN = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
AUTHORIZATION = {"chain_id": 1, "address": SPENDER, "nonce": 7}


def permit(**message: Any) -> dict[str, Any]:
    """EIP-2612."""
    return {
        "types": {
            "EIP712Domain": [{"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {"chainId": 1, "verifyingContract": TOKEN},
        "message": {"owner": FROM, "spender": SPENDER, "value": 5, "nonce": 0, "deadline": "1893456000"} | message,
    }


def permit_single(amount: Any) -> dict[str, Any]:
    """Permit2."""
    document = permit()
    document["types"] = {
        "EIP712Domain": document["types"]["EIP712Domain"],
        "PermitSingle": [
            {"name": "details", "type": "PermitDetails"},
            {"name": "spender", "type": "address"},
            {"name": "sigDeadline", "type": "uint256"},
        ],
        "PermitDetails": [
            {"name": "token", "type": "address"},
            {"name": "amount", "type": "uint160"},
            {"name": "expiration", "type": "uint48"},
            {"name": "nonce", "type": "uint48"},
        ],
    }
    details = {"token": TOKEN, "amount": amount, "expiration": 1_900_000_000, "nonce": 0}
    message = {"details": details, "spender": SPENDER, "sigDeadline": "1893456000"}
    return document | {"primaryType": "PermitSingle", "message": message}


def sign(message: Message, network: Network = ETHEREUM) -> SignedMessage:
    prepared, _ = EVM.prepare_message(network, message, OURS)
    return EVM.assemble_message(prepared, signature(prepared))


def codes(message: Message) -> list[str]:
    return [caution.code for caution in EVM.prepare_message(ETHEREUM, message, OURS)[1]]


MESSAGES = {
    "eip191": Message("eip191", data=b"hello"),
    "eip712": Message("eip712", document=permit()),
    "eip7702": Message("eip7702", document=AUTHORIZATION),
}
OTHERS = {
    "eip191": Message("eip191", data=b"hello!"),
    "eip712": Message("eip712", document=permit(value=6)),
    "eip7702": Message("eip7702", document=AUTHORIZATION | {"nonce": 8}),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_signed_verifies_and_nothing_else_does(name: str) -> None:
    message = MESSAGES[name]
    signed = sign(message)
    raw = bytes.fromhex(signed.signature[2:])
    assert len(raw) == 65
    assert raw[64] in (27, 28)

    def verify(changed: bytes, what: Message = message, address: str = FROM) -> bool:
        return EVM.verify_message(ETHEREUM, what, "0x" + changed.hex(), address)

    high = raw[:32] + (ORDER - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big") + bytes([55 - raw[64]])
    assert verify(raw)
    assert verify(raw[:64] + bytes([raw[64] - 27]))
    assert verify(raw, address=FROM.lower())
    assert not verify(high)
    assert not verify(raw, address=SPENDER)
    assert not verify(raw, OTHERS[name])
    assert not verify(raw[:64] + bytes([55 - raw[64]]))
    assert not verify(bytes(64) + b"\x1b")
    for place in (0, 31, 32, 63):
        assert not verify(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])


@pytest.mark.parametrize("text", ["", "0x", "0x" + "00" * 64, "00" * 65, "0x" + "00" * 64 + "1d", "0x" + "zz" * 65])
def test_a_signature_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InvalidMessage):
        EVM.verify_message(ETHEREUM, MESSAGES["eip191"], text, FROM)


def test_an_address_that_cannot_be_read() -> None:
    with pytest.raises(InvalidAddress):
        EVM.verify_message(ETHEREUM, MESSAGES["eip191"], "0x" + "00" * 65, FROM[:-1])


def test_a_wrong_signature_does_not_leave() -> None:
    prepared, _ = EVM.prepare_message(ETHEREUM, MESSAGES["eip191"], OURS)
    for made in ([], signature(prepared, b"\1" * 32), [bytes(65)]):
        with pytest.raises(InternalError):
            EVM.assemble_message(prepared, made)


def test_one_key_signs() -> None:
    other = our_key(b"\1" * 32)
    for ours in ({}, OURS | {other.public_key: other}):
        with pytest.raises(WrongKey):
            EVM.prepare_message(ETHEREUM, MESSAGES["eip191"], ours)


def test_unknown_format() -> None:
    with pytest.raises(InvalidMessage):
        EVM.prepare_message(ETHEREUM, Message("bip322"), OURS)


def test_the_summary_of_a_personal_message() -> None:
    prepared, cautions = EVM.prepare_message(ETHEREUM, MESSAGES["eip191"], OURS)
    [action] = prepared.summary.actions
    assert (prepared.summary.type, action.kind, action.data_size) == ("eip191", "message", 5)
    assert prepared.summary.from_address == FROM
    assert cautions == ()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes(32), ["unknown_hash"]),
        (b"a, hash, could be tried to be it", ["unknown_hash"]),
        ("Grüße und noch mehr Zeichen ü".encode(), ["unknown_hash"]),
        (b"6f9619ff8b86d011b42d00c04fc964ff", []),
        (b"Sign in with your account 123456", []),
        (bytes(31), []),
        (b"0x" + b"ab" * 32, []),
    ],
)
def test_a_message_that_may_be_a_hash_says_so(data: bytes, expected: list[str]) -> None:
    """A Safe executes a transaction if an owner signed its hash as a message."""
    _, cautions = EVM.prepare_message(ETHEREUM, Message("eip191", data=data), OURS)
    assert [caution.code for caution in cautions] == expected


def test_the_summary_of_typed_data() -> None:
    prepared, _ = EVM.prepare_message(ETHEREUM, MESSAGES["eip712"], OURS)
    [action] = prepared.summary.actions
    assert (action.kind, action.method, action.contract, action.spender) == ("typed_data", "Permit", TOKEN, SPENDER)
    assert (action.from_address, action.amount, action.asset) == (FROM, "5", TOKEN)
    assert action.details == {
        "primary_type": "Permit",
        "domain": {"chainId": 1, "verifyingContract": TOKEN},
        "deadline": "1893456000",
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (permit(), ["spending_permission"]),
        (permit(value=str(2**256 - 1)), ["spending_permission", "unlimited_approval"]),
        (permit(value=hex(2**256 - 1)), ["spending_permission", "unlimited_approval"]),
        (permit(more=1), ["spending_permission", "unsigned_fields"]),
        (permit(details=7), ["spending_permission", "unsigned_fields"]),
        (permit(amount="all"), ["spending_permission", "unsigned_fields"]),
        (permit_single(5), ["spending_permission"]),
        (permit_single(2**160 - 1), ["spending_permission", "unlimited_approval"]),
    ],
)
def test_spending_is_warned_of(document: dict[str, Any], expected: list[str]) -> None:
    assert codes(Message("eip712", document=document)) == expected


@pytest.mark.parametrize("chain_id", [137, "137", "0x89", 0])
def test_typed_data_of_another_chain_is_refused(chain_id: Any) -> None:
    document = permit()
    document["domain"]["chainId"] = chain_id
    for act in (
        lambda message: EVM.prepare_message(ETHEREUM, message, OURS),
        lambda message: EVM.verify_message(ETHEREUM, message, "0x" + "00" * 65, FROM),
    ):
        with pytest.raises(InvalidMessage, match="chainId"):
            act(Message("eip712", document=document))


def test_a_chain_id_of_another_type_counts_too() -> None:
    document = copy.deepcopy(permit())
    document["types"]["EIP712Domain"][0]["type"] = "string"
    document["domain"]["chainId"] = "1"
    assert sign(Message("eip712", document=document))
    for chain_id in ("137", "injective-1", "१"):
        document["domain"]["chainId"] = chain_id
        with pytest.raises(InvalidMessage):
            sign(Message("eip712", document=document))


def test_an_authorization() -> None:
    signed = sign(MESSAGES["eip7702"])
    assert signed.details["chain_id"] == "1"
    assert signed.details["address"] == SPENDER
    assert signed.details["nonce"] == "7"
    assert (
        signed.signature
        == f"{signed.details['r']}{str(signed.details['s'])[2:]}{27 + int(str(signed.details['y_parity'])):x}"
    )
    assert codes(MESSAGES["eip7702"]) == ["delegation"]
    assert codes(Message("eip7702", document=AUTHORIZATION | {"chain_id": 0})) == [
        "delegation",
        "authorization_any_chain",
    ]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"chain_id": 1, "address": SPENDER},
        AUTHORIZATION | {"more": 1},
        AUTHORIZATION | {"chain_id": 137},
        AUTHORIZATION | {"chain_id": True},
        AUTHORIZATION | {"chain_id": -1},
        AUTHORIZATION | {"chain_id": None},
        AUTHORIZATION | {"nonce": 2**64 - 1},
        AUTHORIZATION | {"nonce": 1.0},
        AUTHORIZATION | {"address": SPENDER[:-1]},
        AUTHORIZATION | {"address": None},
    ],
    ids=repr,
)
def test_authorizations_that_are_none(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        EVM.prepare_message(ETHEREUM, Message("eip7702", document=document), OURS)
