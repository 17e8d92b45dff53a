from __future__ import annotations

import random
from typing import Any

import eth_abi
import pytest

from strongroom.codecs import abi
from tests.support.calldata import encode_call

ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TYPES = ["address", "uint256", "uint8", "int16", "bool", "bytes4", "bytes32", "bytes", "string"]


@pytest.mark.parametrize(
    ("signature", "selector"),
    [
        ("transfer(address,uint256)", "a9059cbb"),
        ("approve(address,uint256)", "095ea7b3"),
        ("transferFrom(address,address,uint256)", "23b872dd"),
        ("balanceOf(address)", "70a08231"),
        ("allowance(address,address)", "dd62ed3e"),
        ("decimals()", "313ce567"),
        ("symbol()", "95d89b41"),
        ("setApprovalForAll(address,bool)", "a22cb465"),
        ("safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", "2eb2c2d6"),
    ],
)
def test_selectors(signature: str, selector: str) -> None:
    assert abi.selector(signature).hex() == selector


# The examples of the Solidity documentation, "Contract ABI Specification".
def test_the_examples_of_solidity() -> None:
    sam = encode_call("sam(bytes,bool,uint256[])", ["0x64617665", True, [1, 2, 3]])
    assert sam.hex() == (
        "a5643bf2"
        "0000000000000000000000000000000000000000000000000000000000000060"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "00000000000000000000000000000000000000000000000000000000000000a0"
        "0000000000000000000000000000000000000000000000000000000000000004"
        "6461766500000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000003"
        "0000000000000000000000000000000000000000000000000000000000000001"
        "0000000000000000000000000000000000000000000000000000000000000002"
        "0000000000000000000000000000000000000000000000000000000000000003"
    )
    bar = encode_call("bar(bytes3[2])", [["0x616263", "0x646566"]])
    assert bar[:4].hex() == "fce353f6"


def test_agrees_with_eth_abi() -> None:
    draw = random.Random(55)
    for _ in range(200):
        names = [
            draw.choice(TYPES) + draw.choice(["", "", "[]", "[2]", "[][]", "[2][]"]) for _ in range(draw.randint(1, 4))
        ]
        values = [_value(draw, name) for name in names]
        encoded = abi.encode(names, values)
        assert encoded == eth_abi.encode(names, values)
        assert list(abi.decode(names, encoded)) == values


def _value(draw: random.Random, name: str) -> Any:
    if name.endswith("]"):
        inner, _, size = name[:-1].rpartition("[")
        return [_value(draw, inner) for _ in range(int(size or draw.randint(0, 3)))]
    if "int" in name:
        bits = int(name.removeprefix("u").removeprefix("int"))
        return draw.getrandbits(bits) - (0 if name[0] == "u" else 2 ** (bits - 1))
    if name == "bool":
        return draw.random() < 0.5
    if name == "string":
        return "é" * draw.randint(0, 40)
    length = 20 if name == "address" else int(name.removeprefix("bytes") or draw.randint(0, 70))
    return draw.randbytes(length)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("int8", 128),
        ("uint256", 2**256),
        ("uint256", "1.0"),
        ("uint256", "0x1"),
        ("uint256", "01"),
        ("uint256", True),
        ("uint256", 1.0),
        ("uint256", None),
        ("bool", 1),
        ("address", ADDRESS[:-1]),
        ("address", ADDRESS.replace("5a", "5A")),
        ("bytes4", "0x0011"),
        ("bytes", "0x0"),
        ("string", b"text"),
        ("uint8[2]", [1]),
        ("uint8[]", 1),
    ],
)
def test_values_out_of_type_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        abi.encode([name], [value])


@pytest.mark.parametrize(
    "signature",
    [
        "transfer",
        "transfer(address",
        "f(uint)",
        "f(uint25689)",
        "f(bytes33)",
        "f((uint8,uint8)",
        "f((uint8,uint))",
        "f(uint8))",
        "f()()",
        "f( uint8)",
        "f(uint8[0])",
        "f(uint8,)",
    ],
)
def test_signatures_that_are_none(signature: str) -> None:
    with pytest.raises(ValueError, match="type"):
        abi.selector(signature)


def test_decoding_takes_the_one_encoding() -> None:
    names = ["address", "uint256"]
    good = abi.encode(names, [ADDRESS, 5])
    for bad in (good + b"\0", good[:-1], b"\1" + good[1:], good + bytes(32)):
        with pytest.raises(ValueError, match="ABI"):
            abi.decode(names, bad)
    text = abi.encode(["string"], ["abc"])
    with pytest.raises(ValueError, match="ABI"):
        abi.decode(["string"], text[:-1] + b"\1")
    with pytest.raises(ValueError, match="ABI"):
        abi.decode(["uint256[]"], (32).to_bytes(32, "big") + b"\xff" * 32)
