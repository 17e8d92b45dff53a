"""Examples of signing and verifying messages."""

from __future__ import annotations

from typing import Any, Final

from strongroom.entrypoints.http.examples.base import (
    ADDRESS,
    BITCOIN_ADDRESS,
    PAYEE,
    TRON_ADDRESS,
    USDC,
    WALLET_ID,
    Example,
    Examples,
    Json,
)

_DELEGATE: Final = "0x63c0c19a282a1B52b07dD5a65b58948A07DAE32B"
_NOBODY: Final = "0x" + "0" * 40
_MAIL: Final = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
_MESSAGE: Final = "Sign in to example.com, nonce 8b1f"
_MESSAGE_SIGNATURE: Final = (
    "0x5cffea92da4e0a9783cb7002ba04ca336dde0be8c88d40118a5286913d1a1bf5"
    "6b5e2d1eaa747bc6d8d35055908a42452978f002256ad4968b65fe24778da8161b"
)
_BITCOIN_SIGNATURE: Final = (
    "smpAkgwRQIhAMjkq/OnR2nnp0LRltxyD6FMJmgaqf53PYjFJxlWi0vGAiA28c7S/42apvpMCconc6KsaDmFHD6oZaukgYDbQIcmngEhAzDVT9DdQgp"
    "uX402JPXzSCyuNQ951fB1O/W+75wtka88"
)
_TYPED_DATA_SIGNATURE: Final = (
    "0x5b9ee7ebad3acd6ca243732900203a8a9e59b871345cb9b229a1936e11f5ad89"
    "67c46a0d05027ccd880bcc49e18877a53b8e4813558a1fd165ebb875c4a447c21c"
)
_PERMIT_SIGNATURE: Final = (
    "0x2b9a499f5d1a97658a1e51cb34e43457dc22a6ea68868b6377718627ac856e73"
    "6878fd3e3544a7f0c07256465c1c88e4f1f575d123c3546d1f97383bafd074651c"
)
_EIP712_DOMAIN: Final = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_domain: Final[Json] = {"name": "Ether Mail", "version": "1", "chainId": 1, "verifyingContract": _MAIL}
_typed_data: Final[Json] = {
    "types": {
        "EIP712Domain": _EIP712_DOMAIN,
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": _domain,
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
_usdc: Final[Json] = {"name": "USD Coin", "version": "2", "chainId": 1, "verifyingContract": USDC}
_permit: Final[Json] = {
    "types": {
        "EIP712Domain": _EIP712_DOMAIN,
        "Permit": [
            {"name": "owner", "type": "address"},
            {"name": "spender", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint256"},
        ],
    },
    "primaryType": "Permit",
    "domain": _usdc,
    "message": {"owner": ADDRESS, "spender": PAYEE, "value": "25000000", "nonce": "0", "deadline": "1772446215"},
}
"""Its deadline has passed, so nobody can use it."""


def _signed(place: tuple[str, str], signed_format: str, signature: str, digest: str, action: Json, **more: Any) -> Json:
    network, address = place
    summary = {
        "network": network,
        "type": signed_format,
        "actions": [action],
        "from_address": address,
        "payload_hash": digest,
    }
    return {
        "wallet_id": WALLET_ID,
        "network": network,
        "address": address,
        "format": signed_format,
        "signature": signature,
        "digest": digest,
        "summary": summary,
        "warnings": [],
        "details": {},
        **more,
    }


_ON_ETHEREUM: Final = ("ethereum", ADDRESS)
_ON_TRON: Final = ("tron", TRON_ADDRESS)
_text: Final[Json] = {"message": _MESSAGE, "encoding": "text"}
_of_wallet: Final[Json] = {"wallet_id": WALLET_ID, "network": "ethereum", "index": 0}
_signed_text: Final[Json] = {"kind": "message", "data_size": 34}
_delegates: Final[Json] = {
    "code": "delegation",
    "message": "Lets the code of a contract act for an account (EIP-7702)",
}

MESSAGES: Final[Examples] = {
    "messages.sign": {
        "usual": Example(
            "Ethereum: a text (EIP-191)",
            {**_of_wallet, "format": "eip191", **_text},
            _signed(
                _ON_ETHEREUM,
                "eip191",
                _MESSAGE_SIGNATURE,
                "0xe46e3b046849a248958cccbd30de1d7f5026c76d745e755d4a55d8caf47d686c",
                _signed_text,
            ),
        ),
        "tron": Example(
            "Tron: a text (TIP-191)",
            {"wallet_id": WALLET_ID, "network": "tron", "format": "tip191", **_text},
            _signed(
                _ON_TRON,
                "tip191",
                "0xe7ae4b7eb5e038fd31b615e506e46d823f24ce525ca917775ab10f41cfe50400"
                "60e1ee996e2ccbb430bc6897230b18facca1a5077146112926a1c129505036f11c",
                "0xe34f8f75273e829740385ad3efc089e420288624e2d97f13676b65868abc962a",
                _signed_text,
            ),
        ),
    },
    "typed_data.sign": {
        "usual": Example(
            "The mail of EIP-712's own example",
            {**_of_wallet, "typed_data": _typed_data},
            _signed(
                _ON_ETHEREUM,
                "eip712",
                _TYPED_DATA_SIGNATURE,
                "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2",
                {
                    "kind": "typed_data",
                    "contract": _MAIL,
                    "method": "Mail",
                    "details": {"primary_type": "Mail", "domain": _domain},
                },
                warnings=[
                    {
                        "code": "unknown_typed_data",
                        "message": ("The type is not understood. A contract or network may act on this message"),
                    }
                ],
            ),
        ),
        "permit": Example(
            "A permit to spend 25 USDC, whose deadline has passed",
            {**_of_wallet, "typed_data": _permit},
            _signed(
                _ON_ETHEREUM,
                "eip712",
                _PERMIT_SIGNATURE,
                "0x1a250ce8ab0546ee31351b1b0c39b8c5f7d758787f2cc8f79ef7af37a43b089c",
                {
                    "kind": "typed_data",
                    "from_address": ADDRESS,
                    "amount": "25000000",
                    "asset": USDC,
                    "spender": PAYEE,
                    "contract": USDC,
                    "method": "Permit",
                    "details": {"primary_type": "Permit", "domain": _usdc, "deadline": "1772446215"},
                },
                warnings=[
                    {
                        "code": "spending_permission",
                        "message": ("Lets someone else take or swap tokens without a transaction of this account"),
                    }
                ],
            ),
        ),
    },
    "authorizations.sign": {
        "usual": Example(
            "The account gets the code of a contract",
            {**_of_wallet, "chain_id": "1", "contract": _DELEGATE, "nonce": "7"},
            _signed(
                _ON_ETHEREUM,
                "eip7702",
                "0xb8b42b7bbdad2be7d50ec724a780bd7ad57a5794f8f795da12123438e59de9ab"
                "40c1d675546cccb0b3ca5e603b28800ad11b1ed4548f85ac7f8bf35a089e12201b",
                "0xb5fd1cbf1c9031f8cd523819fd9fa7b455ed84b01c76e0ef022126f46707e6c5",
                {"kind": "authorization", "contract": _DELEGATE, "details": {"chain_id": "1", "nonce": "7"}},
                warnings=[_delegates],
                details={
                    "chain_id": "1",
                    "address": _DELEGATE,
                    "nonce": "7",
                    "y_parity": 0,
                    "r": "0xb8b42b7bbdad2be7d50ec724a780bd7ad57a5794f8f795da12123438e59de9ab",
                    "s": "0x40c1d675546cccb0b3ca5e603b28800ad11b1ed4548f85ac7f8bf35a089e1220",
                },
            ),
        ),
        "none": Example(
            "The account is to have no code any more",
            {**_of_wallet, "chain_id": "1", "contract": _NOBODY, "nonce": "8"},
            _signed(
                _ON_ETHEREUM,
                "eip7702",
                "0x22e40d18990d2c2d09e52c433084d0cc77c2f4cc37dadd27ad297531185e99e7"
                "2bfbf9efda9ca643c3b4085b3637ef044281117e28bebcad311fada4832c35fc1c",
                "0x4129d3b26caf29aba8e09d7309f00d2c332cd5436a0bbc546f1f06c42a22fb1c",
                {"kind": "authorization", "contract": _NOBODY, "details": {"chain_id": "1", "nonce": "8"}},
                warnings=[_delegates],
                details={
                    "chain_id": "1",
                    "address": _NOBODY,
                    "nonce": "8",
                    "y_parity": 1,
                    "r": "0x22e40d18990d2c2d09e52c433084d0cc77c2f4cc37dadd27ad297531185e99e7",
                    "s": "0x2bfbf9efda9ca643c3b4085b3637ef044281117e28bebcad311fada4832c35fc",
                },
            ),
        ),
    },
    "messages.verify": {
        "usual": Example(
            "Ethereum: a text (EIP-191)",
            {
                "network": "ethereum",
                "format": "eip191",
                **_text,
                "signature": _MESSAGE_SIGNATURE,
                "address": ADDRESS,
            },
            {"valid": True},
        ),
        "bitcoin": Example(
            "Bitcoin: a text (BIP-322)",
            {
                "network": "bitcoin",
                "format": "bip322",
                **_text,
                "signature": _BITCOIN_SIGNATURE,
                "address": BITCOIN_ADDRESS,
            },
            {"valid": True},
        ),
    },
    "typed_data.verify": {
        "usual": Example(
            "A signature by this address",
            {"network": "ethereum", "typed_data": _typed_data, "signature": _TYPED_DATA_SIGNATURE, "address": ADDRESS},
            {"valid": True},
        ),
        "another": Example(
            "A signature by another address",
            {"network": "ethereum", "typed_data": _permit, "signature": _PERMIT_SIGNATURE, "address": PAYEE},
            {"valid": False},
        ),
    },
}
