"""A chain is one module and one line in the registry. This one works end to end over REST and gRPC.

Toy coins move by a line of text, ``pay 5 to toy1… seq 0 from toy1…``. Keys are ed25519, so every index is hardened.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.chains.base import AccountKeys, Chain, Decoded, ParsedAddress, Unsigned
from strongroom.chains.registry import CHAINS
from strongroom.domain.network import Network
from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.signing import (
    Algorithm,
    Guard,
    KeyHint,
    Message,
    OurKey,
    Ours,
    Policy,
    Prepared,
    Purpose,
    Signed,
    SignedIds,
    SignedMessage,
    ToSign,
)
from strongroom.domain.summary import Action, Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind
from strongroom.errors import (
    InternalError,
    InvalidAddress,
    InvalidMessage,
    InvalidTransaction,
    LimitExceeded,
    UnknownScheme,
    WrongKey,
)
from tests.support.service import Face, NewService, RunningService

TOY = Network("toy", "toy", "toy", "toy:main", None, "TOY", 2, testnet=False)
HARDENED = Scheme("toy", "m/44'/1'/{index}'", Curve.ED25519, "Toy wallets")
RAW = Scheme("raw", "m", Curve.ED25519, "One key", frozenset({WalletKind.RAW_KEY}))
LINE = re.compile(r"pay ([1-9][0-9]{0,17}) to (\S+) seq ([0-9]{1,9}) from (\S+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Payment(Decoded):
    text: str
    amount: int
    to: str
    sequence: str
    sender: bytes


class Toy:
    name = "toy"
    networks: Sequence[Network] = (TOY,)
    limits: Mapping[str, int | None] = {"max_amount": 1000}
    key_formats: Sequence[str] = ("hex",)
    message_formats: Sequence[str] = ("toy",)
    statement_formats: Sequence[str] = ()
    document_formats: Sequence[str] = ()

    def network_for(self, text: str) -> Network | None:
        return None

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]:
        return {scheme.name: scheme for scheme in (HARDENED, RAW)}

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme:
        return RAW if kind is WalletKind.RAW_KEY else HARDENED

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        if not re.fullmatch(r"toy1[0-9a-f]{40}", text):
            raise InvalidAddress("an address is toy1 and 40 hex digits", field="address")
        return ParsedAddress(bytes.fromhex(text[4:]), text, {"address": text})

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        return self.parse_address(network, "toy1" + sha256(public_key).hexdigest()[:40])

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        raise UnknownScheme("this chain has no extended public keys", field="scheme")

    def decode(self, network: Network, unsigned: Unsigned) -> Payment:
        found = LINE.fullmatch(unsigned) if isinstance(unsigned, str) else None
        if found is None:
            raise InvalidTransaction("not a line that pays", field="unsigned_tx")
        sender = self.parse_address(network, found[4]).canonical
        to = self.parse_address(network, found[2]).address
        return Payment(network, (KeyHint(address=sender),), found[0], int(found[1]), to, found[3], sender)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        assert isinstance(decoded, Payment)
        if ours is not None and decoded.sender not in {key.address for key in ours.values()}:
            raise WrongKey("the sender is another key", field="unsigned_tx")
        limit = policy.limits["max_amount"]
        if limit is not None and decoded.amount > limit:
            raise LimitExceeded("more than max_amount", field="unsigned_tx")
        return ()

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        assert isinstance(decoded, Payment)
        action = Action(kind="transfer", to=decoded.to, amount=str(decoded.amount), asset="TOY")
        return Summary(network=decoded.network.name, type="line", actions=[action], sequence=decoded.sequence)

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        assert isinstance(decoded, Payment)
        [key] = ours.values()
        payload = decoded.text.encode()
        guard = Guard("toy", TOY.caip2, decoded.sender.hex(), decoded.sequence, sha256(payload).digest())
        return Prepared(
            network=decoded.network,
            to_sign=(ToSign(key.path, Algorithm.ED25519, payload, key.public_key, Purpose.TRANSACTION),),
            summary=self.summarise(decoded, ours),
            template=key,
            guards=(guard,),
        )

    def assemble(self, prepared: Prepared, signatures: Sequence[bytes]) -> Signed:
        line = prepared.to_sign[0].payload.decode()
        raw = f"{line} signed {_verified(prepared, signatures).hex()}"
        return Signed(raw, sha256(raw.encode()).hexdigest(), complete=True)

    def tx_id(self, text: str) -> str:
        return text

    def identify(self, network: Network, signed: str) -> SignedIds:
        return SignedIds((sha256(signed.encode()).hexdigest(),))

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        [key] = ours.values()
        summary = Summary(network=network.name, type="toy", actions=[Action(kind="message")])
        to_sign = ToSign(key.path, Algorithm.ED25519, _message(message), key.public_key, Purpose.MESSAGE)
        return Prepared(network, (to_sign,), summary, key), ()

    def assemble_message(self, prepared: Prepared, signatures: Sequence[bytes]) -> SignedMessage:
        key = prepared.template
        assert isinstance(key, OurKey)
        signature = _verified(prepared, signatures)
        return SignedMessage((key.public_key + signature).hex(), f"toy1{key.address.hex()}", None)

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        expected = self.parse_address(network, address)
        given = bytes.fromhex(signature)
        shown = self.render(network, HARDENED, given[:32])
        return shown == expected and _holds(given[:32], given[32:], _message(message))


def _message(message: Message) -> bytes:
    if message.format != "toy":
        raise InvalidMessage("no such format", field="format")
    return b"toy message: " + message.data


def _verified(prepared: Prepared, signatures: Sequence[bytes]) -> bytes:
    [signature], [asked] = signatures, prepared.to_sign
    if not _holds(asked.public_key, signature, asked.payload):
        raise InternalError("the signature is not valid")
    return signature


def _holds(public_key: bytes, signature: bytes, payload: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, payload)
    except InvalidSignature:
        return False
    return True


MNEMONIC = "test test test test test test test test test test test junk"


def independent_address(index: int) -> str:
    """Computed by bip_utils, which shares nothing with the service."""
    seed = Bip39SeedGenerator(MNEMONIC).Generate()
    node = Bip32Slip10Ed25519.FromSeed(seed).DerivePath(f"m/44'/1'/{index}'")
    return "toy1" + sha256(node.PublicKey().RawCompressed().ToBytes()[1:]).hexdigest()[:40]


class Caller:
    """Calls over REST or gRPC with one key. ``ok`` requires success."""

    def __init__(self, service: RunningService, face: Face) -> None:
        self.service, self.face = service, face

    async def ok(self, operation: str, /, **command: Any) -> Any:
        answer = await self.face.call(operation, command, key=self.service.key)
        assert answer.code == "ok", answer
        return answer.result

    async def refused(self, operation: str, /, **command: Any) -> tuple[str, str | None]:
        answer = await self.face.call(operation, command, key=self.service.key)
        return answer.code, answer.field


@pytest.fixture
async def toy_service(new_service: NewService, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningService]:
    chain: Chain = Toy()
    monkeypatch.setitem(CHAINS, "toy", chain)  # the one line
    async with new_service() as service:
        yield service


@pytest.fixture(params=["http", "grpc"])
def caller(request: pytest.FixtureRequest, toy_service: RunningService) -> Caller:
    face: Face = getattr(toy_service, request.param)
    return Caller(toy_service, face)


async def wallet(caller: Caller) -> str:
    made = await caller.ok("wallets.import", kind="bip39", mnemonic=MNEMONIC, networks=["toy", "ethereum"])
    assert [address["address"] for address in made["addresses"]] == [
        independent_address(0),
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    ]
    wallet_id: str = made["id"]
    return wallet_id


async def test_addresses(caller: Caller) -> None:
    wallet_id = await wallet(caller)
    for index in (0, 5, 5):
        found = await caller.ok("addresses.derive", wallet_id=wallet_id, network="toy", index=index)
        assert (found["address"], found["path"]) == (independent_address(index), f"m/44'/1'/{index}'")
    taken = [(await caller.ok("addresses.next", wallet_id=wallet_id, network="toy"))["index"] for _ in range(5)]
    assert taken == [1, 2, 3, 4, 6]

    listed = await caller.ok("addresses.list", wallet_id=wallet_id, network="toy")
    assert {address["address"] for address in listed["addresses"]} == {independent_address(n) for n in range(7)}
    found = await caller.ok("addresses.find", network="toy:main", address=independent_address(4))
    assert found["addresses"][0]["index"] == 4
    valid = await caller.ok("addresses.validate", network="toy", address=independent_address(9))
    assert valid["valid"]
    assert not (await caller.ok("addresses.validate", network="toy", address="0x00"))["valid"]
    assert await caller.refused("accounts.get", wallet_id=wallet_id, network="toy") == ("unknown_scheme", "scheme")


async def test_transactions(caller: Caller) -> None:
    wallet_id = await wallet(caller)
    me, you, later = independent_address(0), independent_address(1), independent_address(7)
    pay = {"wallet_id": wallet_id, "network": "toy", "unsigned_tx": f"pay 5 to {you} seq 0 from {me}"}
    decoded = await caller.ok("transactions.decode", network="toy", unsigned_tx=pay["unsigned_tx"])
    signed = await caller.ok("transactions.sign", **pay)
    assert decoded["summary"] == signed["summary"]
    assert signed["summary"]["actions"] == [{"kind": "transfer", "to": you, "amount": "5", "asset": "TOY"}]
    line, _, signature = signed["signed_tx"].partition(" signed ")
    node = Bip32Slip10Ed25519.FromSeed(Bip39SeedGenerator(MNEMONIC).Generate()).DerivePath("m/44'/1'/0'")
    assert _holds(node.PublicKey().RawCompressed().ToBytes()[1:], bytes.fromhex(signature), line.encode())

    assert await caller.ok("transactions.sign", **pay) == signed
    other = pay | {"unsigned_tx": f"pay 6 to {you} seq 0 from {me}"}
    assert await caller.refused("transactions.sign", **other) == ("already_signed", "options.replaces")
    replaced = await caller.ok("transactions.sign", **other, options={"replaces": signed["tx_id"]})
    assert replaced["tx_id"] != signed["tx_id"]

    assert (await caller.refused("transactions.sign", **pay | {"unsigned_tx": "pay"}))[0] == "invalid_transaction"
    large = pay | {"unsigned_tx": f"pay 1001 to {you} seq 1 from {me}"}
    assert (await caller.refused("transactions.sign", **large))[0] == "limit_exceeded"

    hardened = pay | {"unsigned_tx": f"pay 5 to {you} seq 0 from {later}", "index": 7}
    assert await caller.refused("transactions.sign", **hardened) == ("address_not_derived", "index")
    await caller.ok("addresses.derive", wallet_id=wallet_id, network="toy", index=7)
    await caller.ok("transactions.sign", **hardened)

    steps = [
        (record["outcome"], record["network"]) for record in await caller.service.audit(operation="transactions.sign")
    ]
    assert steps == [
        *[("requested", "toy"), ("succeeded", "toy")] * 3,
        ("requested", "toy"), ("succeeded", "toy"),
    ]  # fmt: skip


async def test_messages(caller: Caller) -> None:
    wallet_id = await wallet(caller)
    text = {"network": "toy", "format": "toy", "message": "hello", "encoding": "text"}
    signed = await caller.ok("messages.sign", wallet_id=wallet_id, **text)
    assert signed["address"] == independent_address(0)
    proof = {"signature": signed["signature"], "address": signed["address"]}
    assert (await caller.ok("messages.verify", **text, **proof))["valid"]
    assert not (await caller.ok("messages.verify", **text | {"message": "hullo"}, **proof)).get("valid")
    assert await caller.refused("messages.sign", wallet_id=wallet_id, **text | {"format": "eip191"}) == (
        "invalid_message",
        "format",
    )
    document = {"types": {}, "primaryType": "A", "domain": {}, "message": {}}
    assert await caller.refused("typed_data.sign", wallet_id=wallet_id, network="toy", typed_data=document) == (
        "invalid_message",
        "network",
    )


async def test_network_is_listed_with_its_schemes_and_limits(caller: Caller) -> None:
    networks = (await caller.ok("networks.list"))["networks"]
    [toy] = [network for network in networks if network["name"] == "toy"]
    assert toy["limits"] == {"max_amount": "1000"}
    assert [(scheme["name"], scheme["default"]) for scheme in toy["schemes"]] == [("toy", True), ("raw", True)]
