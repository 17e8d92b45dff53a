"""What the tests of TON sources share: a chain, a fake toncenter over it, and wallets with known keys."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ton_core.contrib.contracts.codes import CONTRACT_CODES

from strongroom.chains.ton import addresses
from strongroom.chains.ton.chain import Ton
from strongroom.domain.asset import Asset, coin_of, token_id
from strongroom.domain.secret import Secret
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Holder, Setup, Source, Tracked
from strongroom.rpc.http import Http
from strongroom.rpc.ton.toncenter2 import Toncenter2
from strongroom.rpc.ton.toncenter3 import Toncenter3
from tests.support.fake_toncenter import FakeToncenter
from tests.support.ton import Machine

TON = 10**9
CHAIN = Ton()
MAINNET = CHAIN.networks[0]
COIN = coin_of(MAINNET)
TO = "0:" + "35" * 32
CODES = {
    getattr(name, "value", name): base64.b64encode(bytes.fromhex(code)).decode()
    for name, code in CONTRACT_CODES.items()
}


def setup(*tokens: Asset, pin: str = "-239") -> Setup:
    return Setup(MAINNET, COIN, {each.contract: each for each in tokens if each.contract}, pin)


def listed(master: str, symbol: str = "USDT", decimals: int = 6) -> Asset:
    contract = friendly(master)
    return Asset(token_id(MAINNET, contract), MAINNET.caip2, symbol, decimals, contract, symbol)


def friendly(raw: str) -> str:
    return addresses.friendly(canonical(raw), bounceable=True, test_only=False)


def canonical(raw: str) -> bytes:
    return addresses.read(MAINNET, raw).canonical


def holder(raw: str) -> Holder:
    return Holder(canonical(raw), addresses.shown(MAINNET, canonical(raw)))


def ids(raw: str) -> SignedIds:
    return CHAIN.identify(MAINNET, raw)


def tracked(raw: str) -> Tracked:
    found = ids(raw)
    return Tracked(found.tx_ids[0], found)


@dataclass
class Owner:
    """A key, and its wallet."""

    machine: Machine
    contract: str
    secret: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> str:
        return self.secret.public_key().public_bytes_raw().hex()

    @property
    def raw(self) -> str:
        found: str = self.machine.ask("address", publicKey=self.public, contract=self.contract, testnet=False)
        return found

    @property
    def holder(self) -> Holder:
        return holder(self.raw)

    def sign(self, *messages: dict[str, Any], seqno: int, mode: int = 3, until: int | None = None) -> str:
        found: str = self.machine.ask(
            "transfer", secret=self.secret.private_bytes_raw().hex(), publicKey=self.public, contract=self.contract,
            testnet=False, seqno=seqno, validUntil=until or int(time.time()) + 3600, mode=mode, messages=list(messages),
        )["boc"]  # fmt: skip
        return found


def pay(to: str = TO, amount: int = TON // 100, *, bounce: bool = False, **more: Any) -> dict[str, Any]:
    return {"address": to, "amount": str(amount), "bounce": bounce, **more}


def somebody() -> str:
    return f"0:{secrets.token_hex(32)}"


@dataclass
class World:
    machine: Machine
    toncenter: FakeToncenter

    def source(self, kind: str, *tokens: Asset, pin: str = "-239", **more: Any) -> Source:
        http = Http(Secret(f"{self.toncenter.url}/api/v{kind[-1]}"))
        found: Source = {"toncenter3": Toncenter3, "toncenter2": Toncenter2}[kind](
            setup(*tokens, pin=pin), http, **more
        )
        return found

    def owner(self, contract: str = "v4r2", *, funds: int = 5 * TON) -> Owner:
        found = Owner(self.machine, contract)
        if funds:
            self.machine.ask("fund", address=found.raw, amount=str(funds))
        return found

    def jetton(self, owner: Owner, amount: int = 1000, **content: str) -> str:
        """A master whose first wallet is the owner's."""
        master: str = self.machine.ask(
            "jetton", master=CODES["jetton_master_standard"], wallet=CODES["jetton_wallet_standard"],
            owner=owner.raw, amount=str(amount),
        ).upper()  # fmt: skip
        self.toncenter.masters[master] = content or {"symbol": "USDT", "decimals": "6"}
        return master
