from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from strongroom.codecs import eip712
from strongroom.codecs.keccak import keccak256

WALLET = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
# The example of EIP-712 itself; its hashes stand in the EIP's test/Example.js.
MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": WALLET},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}


def one(kind: str, value: Any, **types: Any) -> dict[str, Any]:
    """Typed data with a single field."""
    return {
        "types": {"EIP712Domain": [], "Box": [{"name": "it", "type": kind}], **types},
        "primaryType": "Box",
        "domain": {},
        "message": {"it": value},
    }


def test_the_example_of_the_eip() -> None:
    typed = eip712.parse(MAIL)
    assert typed.encoded_type == "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    assert typed.domain_separator.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    assert typed.digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    assert not typed.has_unsigned_fields


def test_an_absent_struct_is_zeros_and_ends_a_recursive_type() -> None:
    person = [{"name": "name", "type": "string"}, {"name": "mother", "type": "Person"}]
    absent = one("Person", {"name": "Lyanna"}, Person=person)
    null = one("Person", {"name": "Lyanna", "mother": None}, Person=person)
    type_hash = keccak256(b"Person(string name,Person mother)")
    inner = keccak256(type_hash + keccak256(b"Lyanna") + bytes(32))
    box = keccak256(keccak256(b"Box(Person it)Person(string name,Person mother)") + inner)
    domain = keccak256(keccak256(b"EIP712Domain()"))
    assert eip712.parse(absent).digest == eip712.parse(null).digest == keccak256(b"\x19\x01" + domain + box)


def test_what_a_type_does_not_know_is_not_signed_and_said_so() -> None:
    document = copy.deepcopy(MAIL)
    document["message"]["from"]["extra"] = 4.2
    typed = eip712.parse(document)
    assert typed.digest == eip712.parse(MAIL).digest
    assert typed.has_unsigned_fields


@pytest.mark.parametrize("value", [255, "255", "0xff", "0xFF", "0x00ff"])
def test_the_forms_of_an_integer(value: Any) -> None:
    assert eip712.parse(one("uint8", value)).digest == eip712.parse(one("uint8", 255)).digest


def test_a_name_with_a_colon_is_in_use() -> None:
    document = one("string", "x")
    document["types"]["HyperliquidTransaction:UsdSend"] = document["types"].pop("Box")
    document["primaryType"] = "HyperliquidTransaction:UsdSend"
    assert eip712.parse(document).encoded_type == "HyperliquidTransaction:UsdSend(string it)"


def test_tron_reads_other_addresses_and_one_more_type() -> None:
    typed = eip712.parse(one("trcToken", "7"), aliases={"trcToken": "uint256"})
    assert typed.encoded_type == "Box(trcToken it)"
    with pytest.raises(eip712.TypedDataError):
        eip712.parse(one("trcToken", "7"))
    own = eip712.parse(one("address", "T"), parse_address=lambda _: bytes.fromhex(WALLET[2:]))
    assert own.digest == eip712.parse(one("address", WALLET)).digest


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", "-1"),
        ("int8", 128),
        ("int8", -129),
        ("uint256", 2**256),
        ("uint256", "0x1" + "0" * 64),
        ("uint256", 1.0),
        ("uint256", True),
        ("uint256", "1e3"),
        ("uint256", "١"),
        ("uint256", "0x"),
        ("uint256", "-0x1"),
        ("uint256", " 1"),
        ("uint256", None),
        ("uint256", [1]),
        ("bool", 1),
        ("bool", "true"),
        ("bool", None),
        ("bytes4", "0x001122"),
        ("bytes4", "0x0011223344"),
        ("bytes4", "00112233"),
        ("bytes", "0x0"),
        ("bytes", "text"),
        ("bytes", 1),
        ("bytes", None),
        ("string", 1),
        ("string", None),
        ("string", "\ud800"),
        ("address", WALLET[:-1]),
        ("address", WALLET[2:]),
        ("address", WALLET.replace("CD", "cD")),
        ("address", 1),
        ("uint8[]", 1),
        ("uint8[]", {"0": 1}),
        ("uint8[2]", [1]),
        ("uint8[2][]", [[1, 2], [1]]),
        ("uint8[][]", [1]),
        ("uint8[]", [1, None]),
        ("Other", []),
        ("Other", "x"),
        ("Other", {}),
    ],
)
def test_values_that_do_not_fit_their_type(kind: str, value: Any) -> None:
    with pytest.raises(eip712.TypedDataError) as refusal:
        eip712.parse(one(kind, value, Other=[{"name": "n", "type": "uint8"}]))
    assert repr(value) not in str(refusal.value)


@pytest.mark.parametrize(
    "kind",
    [
        "uint",
        "int",
        "uint25689",
        "uint0",
        "uint7",
        "uint08",
        "int264",
        "bytes0",
        "bytes33",
        "bytes01",
        "Missing",
        "byte",
        "fixed128x18",
        "function",
        "uint8[0]",
        "uint8[01]",
        "uint8[-1]",
        "uint8[",
        "uint8]",
        "uint8[][",
        "uint8 ",
        "Uint8",
        "uint8" + "[]" * 70,
    ],
)
def test_types_that_are_none(kind: str) -> None:
    with pytest.raises(eip712.TypedDataError):
        eip712.parse(one(kind, 1))


def _drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


def _put(value: Any, *path: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(_drop(name) for name in ("types", "primaryType", "domain", "message")),
        _put(1, "extra"),
        _put([], "types"),
        _put("x", "domain"),
        _put([], "message"),
        _drop("types", "EIP712Domain"),
        _drop("types", "Person"),
        _put("", "primaryType"),
        _put(None, "primaryType"),
        _put(["Mail"], "primaryType"),
        _put("Horse", "primaryType"),
        _put("Person", "primaryType"),
        _put("uint256", "primaryType"),
        _put("0x" + "00" * 32, "domain", "salt"),
        _drop("domain", "version"),
        _put(None, "domain", "version"),
        _drop("message", "contents"),
        _drop("message", "from", "wallet"),
        _put([], "types", "uint8"),
        _put([], "types", "Per son"),
        _put([], "types", "Person[]"),
        _put([], "types", "A(uint8 x)B"),
        _put([], "types", "address"),
        _put({}, "types", "Person"),
        _put(["name"], "types", "Person"),
        _put([{"name": "name"}], "types", "Person"),
        _put([{"name": "name", "type": "string", "more": 1}], "types", "Person"),
        _put([{"name": 1, "type": "string"}], "types", "Person"),
        _put([{"name": "name", "type": 1}], "types", "Person"),
        _put([{"name": "", "type": "string"}], "types", "Person"),
        _put([{"name": "a,string b", "type": "string"}], "types", "Person"),
        _put([{"name": "name", "type": "string"}] * 2, "types", "Person"),
        _put([{"name": "owner", "type": "string"}], "types", "EIP712Domain"),
        _put({f"T{n}": [] for n in range(70)} | MAIL["types"], "types"),
    ],
)
def test_documents_that_are_none(change: Callable[[dict[str, Any]], None]) -> None:
    document = copy.deepcopy(MAIL)
    change(document)
    with pytest.raises(eip712.TypedDataError):
        eip712.parse(document)


def test_depth_is_bounded() -> None:
    person = [{"name": "mother", "type": "Person"}]
    value: Any = None
    for _ in range(5000):
        value = {"mother": value}
    with pytest.raises(eip712.TypedDataError):
        eip712.parse(one("Person", value, Person=person))


def test_work_is_bounded() -> None:
    wide = [{"name": f"f{number}", "type": "Wide"} for number in range(500)]
    assert eip712.parse(one("Wide[]", [{}] * 8, Wide=wide))
    with pytest.raises(eip712.TypedDataError, match="too many values"):
        eip712.parse(one("Wide[]", [{}] * 9, Wide=wide))
    with pytest.raises(eip712.TypedDataError, match="512 fields"):
        eip712.parse(one("Wide[]", [], Wide=wide, More=wide))
    long = [{"name": f"f{number}" + "x" * 100, "type": "Long"} for number in range(200)]
    with pytest.raises(eip712.TypedDataError, match="16384 characters"):
        eip712.parse(one("Long[]", [], Long=long))


@pytest.mark.parametrize("size", [129, 100_000])
def test_names_are_short(size: int) -> None:
    name = "x" * size
    for document in (
        one(name, {}, **{name: []}),
        one("Box2", {}, Box2=[{"name": name, "type": "string"}]),
        one("Box2", {}, Box2=[{"name": "it", "type": "uint8" + "[]" * size}]),
    ):
        with pytest.raises(eip712.TypedDataError, match=r"128|not a valid name|is not valid"):
            eip712.parse(document)


@pytest.mark.parametrize("extra", [{"salt": None}, {"more": [1]}, {"": {}}, {"name2": "x"}])
def test_what_the_type_of_the_domain_does_not_name_is_not_signed_and_said_so(extra: dict[str, Any]) -> None:
    document = MAIL | {"domain": MAIL["domain"] | extra}
    typed = eip712.parse(document)
    assert typed.digest == eip712.parse(MAIL).digest
    assert typed.domain == MAIL["domain"]
    assert typed.has_unsigned_fields


def test_agrees_with_eth_account() -> None:
    draw = random.Random(712)
    for _ in range(200):
        document = _document(draw)
        theirs = encode_typed_data(full_message=copy.deepcopy(document))
        digest = keccak(b"\x19" + theirs.version + theirs.header + theirs.body)
        assert eip712.parse(document).digest == digest


def _document(draw: random.Random) -> dict[str, Any]:
    structs: dict[str, list[dict[str, str]]] = {}
    for number in range(draw.randint(1, 4)):
        fields = [{"name": "inner", "type": list(structs)[-1]}] if structs else []
        for place in range(draw.randint(1, 4)):
            kind = draw.choice([*structs, "address", "bool", "bytes", "string", "bytes7", "bytes32", "uint8", "int200"])
            fields.append({"name": f"f{place}", "type": kind + draw.choice(["", "", "[]", "[2]", "[2][]"])})
        structs[f"Struct{number}"] = fields
    primary = list(structs)[-1]  # eth-account takes the one struct that no other refers to
    domain_fields = [field for field in MAIL["types"]["EIP712Domain"] if draw.random() < 0.7]
    return {
        "types": {"EIP712Domain": domain_fields, **structs},
        "primaryType": primary,
        "domain": {field["name"]: MAIL["domain"][field["name"]] for field in domain_fields},
        "message": _value(draw, primary, structs),
    }


def _value(draw: random.Random, kind: str, structs: dict[str, list[dict[str, str]]]) -> Any:
    if kind.endswith("]"):
        inner, _, size = kind[:-1].rpartition("[")
        return [_value(draw, inner, structs) for _ in range(int(size or draw.randint(0, 3)))]
    if kind in structs:
        return {field["name"]: _value(draw, field["type"], structs) for field in structs[kind]}
    if kind == "bool":
        return draw.random() < 0.5
    if kind == "string":
        return "ß" * draw.randint(0, 40)
    if "int" in kind:
        bits = int(kind.removeprefix("u").removeprefix("int"))
        number = draw.getrandbits(bits) - (0 if kind[0] == "u" else 2 ** (bits - 1))
        return draw.choice([number, str(number)])
    length = 20 if kind == "address" else int(kind.removeprefix("bytes") or draw.randint(0, 70))
    return "0x" + draw.randbytes(length).hex()
