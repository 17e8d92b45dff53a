"""eth-account as a second implementation, and random work for the two. Imports nothing of ours."""

from __future__ import annotations

import random
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils.address import to_checksum_address

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
R_AND_S = slice(64)
"""Of a signature. eth-account takes more values of v than there are: it reads those of EIP-155 too."""
_NUMBERS = {"chainId", "nonce", "yParity", "r", "s"}
_ATOMS = ("address", "bool", "bytes", "bytes1", "bytes32", "int8", "int256", "string", "uint8", "uint48", "uint256")


def private_key(draw: random.Random) -> bytes:
    return draw.randrange(1, N).to_bytes(32, "big")


def checksum(address: str) -> str:
    return str(to_checksum_address(address))


def address(private: bytes) -> str:
    return str(Account.from_key(private).address)


def sign_transaction(form: dict[str, Any], private: bytes) -> tuple[str, str]:
    """Raw transaction and hash, hex."""
    signed = Account.sign_transaction(_their_form(form), private)
    return signed.raw_transaction.to_0x_hex(), signed.hash.to_0x_hex()


def sign_message(data: bytes, private: bytes) -> str:
    return str(Account.sign_message(encode_defunct(data), private).signature.to_0x_hex())


def sign_typed_data(document: dict[str, Any], private: bytes) -> str:
    return str(Account.sign_message(encode_typed_data(full_message=document), private).signature.to_0x_hex())


def transaction_signer(raw: str) -> str | None:
    """None where it is no signed transaction."""
    return _or_none(lambda: Account.recover_transaction(raw))


def message_signer(data: bytes, signature: str) -> str | None:
    return _or_none(lambda: Account.recover_message(encode_defunct(data), signature=signature))


def typed_data_signer(document: dict[str, Any], signature: str) -> str | None:
    message = encode_typed_data(full_message=document)
    return _or_none(lambda: Account.recover_message(message, signature=signature))


def one_bit_changed(draw: random.Random, text: str, within: slice = slice(None)) -> str:
    """``within``: the bytes among which the bit is."""
    raw = bytearray.fromhex(text.removeprefix("0x"))
    raw[draw.choice(range(len(raw))[within])] ^= 1 << draw.randrange(8)
    return "0x" + raw.hex()


def transaction(draw: random.Random, kind: int, private: bytes) -> dict[str, Any]:
    """A random transaction of this type for Ethereum, with the names of JSON-RPC."""
    form: dict[str, Any] = {
        "type": hex(kind),
        "chainId": "0x1",
        "nonce": _number(draw, 32),
        "gas": _number(draw, 40),
        "to": _address(draw),
        "value": _number(draw, 255),
        "data": _bytes(draw, draw.choice([0, 1, 4, 55, 56, 68, 300])),
    }
    if kind < 3 and draw.random() < 0.2:
        form["to"] = None
    if kind < 2:
        form["gasPrice"] = _number(draw, 60)
    else:
        form |= {"maxFeePerGas": hex(draw.getrandbits(40) + 2**40), "maxPriorityFeePerGas": _number(draw, 40)}
    if kind:
        form["accessList"] = [
            {"address": _address(draw), "storageKeys": [_bytes(draw, 32) for _ in range(draw.randint(0, 3))]}
            for _ in range(draw.randint(0, 3))
        ]
    if kind == 3:
        hashes = ["0x01" + draw.randbytes(31).hex() for _ in range(draw.randint(1, 6))]
        form |= {"maxFeePerBlobGas": _number(draw, 40), "blobVersionedHashes": hashes}
    if kind == 4:
        form["authorizationList"] = [authorization(draw, private) for _ in range(draw.randint(1, 3))]
    return form


def typed_data(draw: random.Random) -> dict[str, Any]:
    """A random EIP-712 document for Ethereum: structs within structs, arrays of both kinds; integers as text."""
    types: dict[str, list[dict[str, str]]] = {}
    for name in ("Inner", "Middle", "Outer"):
        known = [*_ATOMS, *types]
        types[name] = [
            {"name": f"field{number}", "type": draw.choice(known) + draw.choice(["", "", "", "[]", "[2]", "[][3]"])}
            for number in range(draw.randint(1, 6))
        ]
        if types.keys() - {name}:
            types[name].append({"name": "beneath", "type": [*types][-2]})
    domain = {"name": "Token", "version": "1", "chainId": "1", "verifyingContract": _address(draw)}
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            **types,
        },
        "primaryType": "Outer",
        "domain": domain,
        "message": _value(draw, "Outer", types),
    }


def authorization(draw: random.Random, private: bytes) -> dict[str, Any]:
    chain_id, delegate, nonce = draw.choice([0, 1]), _address(draw), draw.getrandbits(30)
    signed = Account.sign_authorization({"chainId": chain_id, "address": delegate, "nonce": nonce}, private)
    return {
        "chainId": hex(chain_id),
        "address": delegate,
        "nonce": hex(nonce),
        "yParity": hex(signed.y_parity),
        "r": hex(signed.r),
        "s": hex(signed.s),
    }


def _their_form(form: dict[str, Any]) -> dict[str, Any]:
    """eth-account wants no null, no type 0, and numbers for the parts of an authorization."""
    theirs = {
        name: value for name, value in form.items() if value is not None and not (name == "type" and value == "0x0")
    }
    if form["to"] is None:
        theirs["to"] = ""
    if "authorizationList" in form:
        theirs["authorizationList"] = [
            {name: int(value, 16) if name in _NUMBERS else value for name, value in entry.items()}
            for entry in form["authorizationList"]
        ]
    return theirs


def _value(draw: random.Random, kind: str, types: dict[str, list[dict[str, str]]]) -> Any:
    if kind.endswith("]"):
        element, _, size = kind[:-1].rpartition("[")
        return [_value(draw, element, types) for _ in range(int(size) if size else draw.randint(0, 3))]
    if kind in types:
        return {field["name"]: _value(draw, field["type"], types) for field in types[kind]}
    if kind == "address":
        return _address(draw)
    if kind == "bool":
        return draw.random() < 0.5
    if kind == "string":
        return "".join(draw.choice('aZ0 \n"é漢🗝') for _ in range(draw.randint(0, 40)))
    if kind.startswith("bytes"):
        return _bytes(draw, int(kind[5:]) if kind[5:] else draw.randint(0, 80))
    bits = int(kind.removeprefix("u")[3:])
    return str(draw.getrandbits(bits) - (0 if kind.startswith("u") else 2 ** (bits - 1)))


def _address(draw: random.Random) -> str:
    return to_checksum_address(draw.randbytes(20))


def _bytes(draw: random.Random, size: int) -> str:
    return "0x" + draw.randbytes(size).hex()


def _number(draw: random.Random, bits: int) -> str:
    return hex(draw.getrandbits(draw.randint(1, bits)))


def _or_none(recover: Any) -> str | None:
    try:
        return str(recover())
    except Exception:  # noqa: BLE001 - eth-account fails in many ways on what is no signature
        return None
