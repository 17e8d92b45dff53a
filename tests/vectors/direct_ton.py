"""Runs one vector of ``ton.*.json`` against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare. Keys come from the service's signer, with a key wrap in memory.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.chains.ton import addresses, boc, payloads, schemes, signed
from strongroom.chains.ton.cell import Builder, Cell, CellError, Slice
from strongroom.chains.ton.chain import Ton
from strongroom.chains.ton.networks import NETWORKS
from strongroom.domain.network import Network
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Message, OurKey, Ours, Policy, Prepared, Signed
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret
from strongroom.errors import InvalidAddress, InvalidMnemonic, Refused
from strongroom.keys import bip39, ton_mnemonic
from strongroom.keys.base import Mnemonic, RawKey, RawKeyFormat, TonWords, Want
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.local import LocalKeyWrap
from tests.vectors.direct_common import only, refused

Vector = dict[str, Any]

TON = Ton()
MAINNET, TESTNET = NETWORKS
PERMISSIVE = Policy(dict.fromkeys(TON.limits))
"""For valid vectors. Some have expired."""
DEFAULT = Policy(TON.limits)
"""For invalid vectors, the defaults of a new installation."""

_OWNER = Owner(UUID(int=1), UUID(int=2))
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_WALLETS = {
    "v3R2": ("v3r2", MAINNET),
    "v4R2": ("v4r2", MAINNET),
    "v5R1_mainnet": ("v5r1", MAINNET),
    "v5R1_testnet": ("v5r1", TESTNET),
}
_FORMS = {
    "raw": "raw",
    "bounceable_mainnet": "bounceable",
    "non_bounceable_mainnet": "non_bounceable",
    "bounceable_testnet": "bounceable_testnet",
    "non_bounceable_testnet": "non_bounceable_testnet",
}
_FIELDS = {"to": "address", "value": "amount", "state_init": "state_init"}


class Holder:
    """A key as our signer holds it."""

    def __init__(self, signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> None:
        self.signer, self.secret, self.node = signer, secret, node

    def ours(self, network: Network, contract: str) -> Ours:
        name = f"raw-{contract}"
        address = schemes.account(name).address(network.testnet, self.node.public_key)
        return {self.node.public_key: OurKey(self.node.public_key, self.node.path, name, address)}

    async def sign(self, prepared: Prepared) -> list[bytes]:
        made = await self.signer.sign(prepared.requests(self.secret, UUID(int=3)))
        return [one for one in made if isinstance(one, bytes)]


def public_key(private_key_hex: str) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key_hex)).public_key().public_bytes_raw()


def with_key(material: Mnemonic | RawKey | TonWords, path: str, use: Callable[[Holder], Any]) -> Any:
    async def run() -> Any:
        signer = SeededSigner(LocalKeyWrap([bytes(32)]))
        try:
            created = await signer.restore(_OWNER, material, [Want(path, Curve.ED25519)])
            return await use(Holder(signer, created.secret, created.public[0]))
        finally:
            await signer.close()

    return asyncio.run(run())


def raw_key(given: Vector) -> RawKey:
    return RawKey(Curve.ED25519, RawKeyFormat.HEX, Secret(given["private_key_hex"]))


def forms(canonical: bytes) -> dict[str, str]:
    shown = addresses.show(MAINNET, addresses.TonAddress(canonical)).forms
    return {name: shown[ours] for name, ours in _FORMS.items()}


def derive(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "password", "passphrase", "path", "scheme")
    words = Secret(given["mnemonic"])
    material: Mnemonic | TonWords = (
        TonWords(words, Secret(given["password"]))
        if "password" in given
        else Mnemonic(words, Secret(given["passphrase"]))
    )

    async def run(holder: Holder) -> None:
        key = holder.node.public_key
        found = {}
        for name, (contract, network) in _WALLETS.items():
            account = schemes.account(f"raw-{contract}")
            found[name] = {"wallet_id": account.wallet_id(network.testnet)}
            found[name] |= forms(account.address(network.testnet, key))  # type: ignore[arg-type]
        assert {"public_key_hex": key.hex(), "wallets": found} == {
            name: value for name, value in expected.items() if name != "private_key_hex"
        }
        assert public_key_or_none(expected["private_key_hex"]) == key

    with_key(material, given.get("path", "m"), run)


def public_key_or_none(private_key_hex: Any) -> bytes | None:
    return public_key(private_key_hex) if isinstance(private_key_hex, str) else None


def wallet_address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "private_key_hex", "wallet_version", "wallet_id", "network")
    network = TESTNET if given.get("network") == "testnet" else MAINNET
    account = schemes.account("raw-" + given["wallet_version"].lower())
    assert account.wallet_id(network.testnet) == given["wallet_id"]
    key = public_key(given["private_key_hex"])
    canonical = account.address(network.testnet, key)
    shown = addresses.shown(network, canonical)
    assert {"public_key_hex": key.hex(), "address": shown, **forms(canonical)} == expected


def address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "address")
    found = addresses.read(TESTNET, given["address"])
    answer: dict[str, Any] = {
        "valid": True,
        "workchain": addresses.workchain(found.canonical),
        "hash_hex": found.canonical[1:].hex(),
        **forms(found.canonical),
    }
    if found.bounceable is not None:
        answer["flags"] = {"bounceable": found.bounceable, "test_only": found.test_only}
    assert answer == expected


def form(given: Vector) -> dict[str, Any]:
    """The vector's transfer in our JSON form."""
    messages = [{_FIELDS.get(name, name): value for name, value in each.items()} for each in given["messages"]]
    names = ("seqno", "valid_until", "send_mode", "deploy")
    top: dict[str, Any] = {name: given[name] for name in names if name in given}
    return {**top, "messages": messages}


async def sign_transfer(holder: Holder, network: Network, given: Vector, policy: Policy) -> Signed:
    ours = holder.ours(network, given["wallet_version"].lower())
    decoded = TON.decode(network, form(given))
    TON.check(decoded, ours, policy, _NOW)
    prepared = TON.prepare(decoded, ours)
    return TON.assemble(prepared, await holder.sign(prepared))


def sign(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(
        given, "private_key_hex", "wallet_version", "wallet_id", "network", "workchain", "seqno", "valid_until",
        "send_mode", "deploy", "messages",
    )  # fmt: skip
    only(expected, "wallet_address", "wallet_raw", "layouts", "semantics")
    network = TESTNET if given["network"] == "testnet" else MAINNET

    async def run(holder: Holder) -> Signed:
        account = schemes.account("raw-" + given["wallet_version"].lower())
        assert account.wallet_id(network.testnet) == given["wallet_id"]
        return await sign_transfer(holder, network, given, PERMISSIVE)

    made = with_key(raw_key(given), "m", run)
    sender = addresses.read(network, made.details["from"]).canonical
    found = {"wallet_address": addresses.shown(network, sender), "wallet_raw": addresses.raw(sender)}
    assert found == {name: expected[name] for name in found}
    assert isinstance(expected["layouts"], dict)
    for layout in expected["layouts"].values():
        assert of_layout(layout["boc_base64"], network) == layout
    assert of_layout(made.raw, network) | {"boc_base64": ""} == expected["layouts"]["inline"] | {"boc_base64": ""}
    read = TON.decode(network, form(given))
    semantics = [
        {
            "dest_raw": addresses.raw(message.to.canonical),
            "value": str(message.amount),
            "bounce": message.bounce,
            "body_hash": message.body.hash.hex(),
        }
        for message in read.messages
    ]
    assert {"messages": semantics, "mode": read.mode} == expected["semantics"]


def of_layout(text: str, network: Network) -> dict[str, str]:
    """What a vector says of a signed message, read from its bytes."""
    message = signed.read(text)
    body = signed.read_body(message.body)
    normalised, plain = TON.identify(network, text).tx_ids
    assert plain == message.hash.hex()
    return {
        "signing_hash": body.signed.hash.hex(),
        "signature": body.signature.hex(),
        "body_hash": message.body.hash.hex(),
        "ext_msg_hash": message.hash.hex(),
        "normalized_ext_hash_tep467": normalised,
        "boc_base64": text,
    }


def message(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(
        given, "private_key_hex", "message_utf8", "method", "operation", "address", "public_key_hex", "domain",
        "timestamp", "payload", "signature_base64", "type", "text", "bytes", "schema", "cell",
    )  # fmt: skip
    asked = statement(given)
    if given.get("operation") == "verify":
        answer = TON.verify_message(
            MAINNET, with_public_key(asked, given["public_key_hex"]), given["signature_base64"], given["address"]
        )
        signer = addresses.read(MAINNET, given["address"]).canonical
        digest = hash_of(asked, signer)
        assert {"valid": answer, "hash": digest} == expected
        return

    async def run(holder: Holder) -> dict[str, str | None]:
        [key] = holder.ours(MAINNET, "v4r2").values()
        if "address" in given:  # of the vector, whatever contract that is
            key = OurKey(key.public_key, key.path, key.scheme, addresses.read(MAINNET, given["address"]).canonical)
        prepared, _ = TON.prepare_message(MAINNET, asked, {key.public_key: key})
        made = TON.assemble_message(prepared, await holder.sign(prepared))
        found = {
            "signature_hex": base64.b64decode(made.signature).hex(),
            "signature_base64": made.signature,
            "public_key_hex": key.public_key.hex(),
            "hash": made.digest,
        }
        return {name: found[name] for name in found if name in expected}

    assert with_key(raw_key(given), "m", run) == expected


def statement(given: Vector) -> Message:
    if "message_utf8" in given:
        return Message("ton-personal", data=given["message_utf8"].encode())
    document = {"domain": given["domain"], "timestamp": given["timestamp"]}
    if "type" in given:
        content = {name: given[name] for name in ("type", "text", "bytes", "schema", "cell") if name in given}
        return Message("ton-sign-data", document=document | {"payload": content})
    return Message("ton-proof", document=document | {"payload": given["payload"]})


def with_public_key(asked: Message, key: str) -> Message:
    return Message(asked.format, asked.data, asked.document, key)


def hash_of(asked: Message, signer: bytes) -> str:
    key = OurKey(bytes(32), "m", "raw-v5r1", signer)
    prepared, _ = TON.prepare_message(MAINNET, asked, {key.public_key: key})
    return prepared.to_sign[0].payload.hex()


def jetton(vector: Vector) -> None:
    """Read, which is what a signer does with it; and the body is the one whose hash is given."""
    given, expected = vector["input"], vector["expected"]
    only(
        given, "query_id", "amount", "destination", "response_destination", "custom_payload", "forward_ton_amount",
        "forward_comment", "forward_payload_layout",
    )  # fmt: skip
    body = bag(expected["body_boc_base64"])
    assert {"body_boc_base64": boc.to_base64(body), "body_hash": body.hash.hex()} == expected
    comment = given["forward_comment"]
    assert payloads.read(body) == payloads.JettonTransfer(
        query_id=int(given["query_id"]),
        amount=int(given["amount"]),
        recipient=addresses.read(MAINNET, given["destination"]).canonical,
        response_to=addresses.read(MAINNET, given["response_destination"]).canonical,
        custom_payload=given["custom_payload"] is not None,
        forward_amount=int(given["forward_ton_amount"]),
        forward=payloads.Empty() if comment is None else payloads.Comment(comment),
    )


def comment(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "comment")
    body = payloads.comment(given["comment"])
    assert {"body_boc_base64": boc.to_base64(body), "body_hash": body.hash.hex()} == expected
    assert payloads.read(body) == payloads.Comment(given["comment"])


def wallet_slice(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "owner", "runGetMethod_result_boc")
    owner = addresses.read(MAINNET, given["owner"]).canonical
    answer = address_slice(given["runGetMethod_result_boc"])
    assert answer is not None
    assert {
        "owner_slice_boc": boc.to_base64(Builder().address(owner).cell()),
        "jetton_wallet": addresses.shown(MAINNET, answer),
    } == expected


def address_slice(text: str) -> bytes | None:
    inside = Slice(boc.from_base64(text))
    found = inside.address()
    inside.end()
    return found


def bag(text: str) -> Cell:
    try:
        return boc.from_base64(text)
    except CellError as error:
        raise AssertionError(str(error)) from None


def negative_mnemonic(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "scheme", "password")
    only(expected, "error", "reason")
    assert expected["error"] is True
    parse: Any = bip39.parse if given["scheme"] == "bip39" else ton_mnemonic.parse
    refused(InvalidMnemonic, lambda: parse(given["mnemonic"]))


def negative_address(vector: Vector) -> None:
    only(vector["input"], "address")
    only(vector["expected"], "valid", "reason")
    assert vector["expected"]["valid"] is False
    for network in (MAINNET, TESTNET):
        refused(InvalidAddress, lambda: addresses.read(network, vector["input"]["address"]))  # noqa: B023


def negative_transfer(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(
        given, "private_key_hex", "wallet_version", "seqno", "valid_until", "send_mode", "messages", "network",
    )  # fmt: skip
    only(expected, "error", "reason", "kind")
    assert expected["error"] is True
    network = TESTNET if given.get("network") == "testnet" else MAINNET

    async def run(holder: Holder) -> None:
        await sign_transfer(holder, network, given, DEFAULT)

    refused((Refused, KeyError), lambda: with_key(raw_key(given), "m", run))


def negative_slice(vector: Vector) -> None:
    only(vector["input"], "jetton_wallet_boc")
    only(vector["expected"], "error", "reason")
    assert vector["expected"]["error"] is True
    refused(CellError, lambda: address_slice(vector["input"]["jetton_wallet_boc"]))


def predecessor(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "wallet_version")
    only(expected, "must_not_equal_raw", "must_not_equal", "correct_v4R2", "correct_path")
    material = Mnemonic(Secret(given["mnemonic"]), Secret(given["passphrase"]))
    template = TON.schemes("ton")["bip39-v4r2"].template

    async def run(holder: Holder) -> dict[str, str]:
        account = schemes.account("raw-" + given["wallet_version"].lower())
        return forms(account.address(False, holder.node.public_key))

    assert template.format(index=0) == expected["correct_path"]
    found = with_key(material, expected["correct_path"], run)
    assert found["bounceable_mainnet"] == expected["correct_v4R2"]
    theirs = addresses_or_none(expected["must_not_equal"])
    assert addresses.raw(theirs) == expected["must_not_equal_raw"] != found["raw"]


def addresses_or_none(text: str) -> bytes:
    try:
        return addresses.read(MAINNET, text).canonical
    except InvalidAddress as error:
        raise AssertionError(str(error)) from None


_SIGN = [f"ton.sign.{name}{kind}" for name in ("v3R2", "v4R2", "v5R1") for kind in ("", ".jetton")]
RUNNERS: dict[str, Callable[[Vector], None]] = {
    **dict.fromkeys(("ton.derive.native24", "ton.derive.bip39", "ton.derive.ledger"), derive),
    "ton.address.wallet": wallet_address,
    "ton.address": address,
    **dict.fromkeys(_SIGN, sign),
    **dict.fromkeys(("ton.message.personal_sign", "ton.message.ton_proof", "ton.message.sign_data"), message),
    "ton.token.jetton": jetton,
    "ton.token.comment": comment,
    "ton.token.get_wallet_address": wallet_slice,
    "ton.negative.mnemonic": negative_mnemonic,
    "ton.negative.address": negative_address,
    "ton.negative.tx": negative_transfer,
    "ton.negative.boc": negative_slice,
    "ton.negative.predecessor": predecessor,
}
