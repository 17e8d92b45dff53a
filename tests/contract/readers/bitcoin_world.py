"""One regtest chain, and every kind of source over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Holder, Setup, Source, Tracked
from strongroom.rpc.bitcoin import core, electrum
from strongroom.rpc.bitcoin.core import Core
from strongroom.rpc.bitcoin.electrum import Electrum
from strongroom.rpc.bitcoin.esplora import Esplora
from strongroom.rpc.http import SECONDS, Http, Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.lines import Lines
from tests.support.bitcoind import COIN, Bitcoind
from tests.support.electrumx import ElectrumX
from tests.support.fake_esplora import FakeEsplora
from tests.support.liar import Liar, lying_http, lying_lines

BITCOIN: Final = Bitcoin()
(NETWORK,) = (each for each in BITCOIN.networks if each.name == "bitcoin-regtest")
PATIENT: Final = dict.fromkeys(SECONDS, 60.0)
"""Seconds: no test depends on speed."""
RBF: Final = 2**32 - 3
_WALLET: Final = "payer"


def setup(**changed: Any) -> Setup:
    named = {"pin": NETWORK.caip2.partition(":")[2], "finality": None, **changed}
    return Setup(NETWORK, coin_of(NETWORK), {}, **named)


class World:
    def __init__(self, node: Bitcoind, electrumx: ElectrumX, esplora: FakeEsplora) -> None:
        self.node, self.electrumx, self.esplora = node, electrumx, esplora
        node.call("createwallet", _WALLET)

    def source(
        self, kind: str, *, liar: Liar | None = None, seconds: Mapping[Work, float] = PATIENT, **changed: Any
    ) -> Source:
        """``liar`` is the server in front of the real one."""
        made = setup(**changed)
        if kind == "electrum":
            port = self.electrumx.port if liar is None else liar.port
            return Electrum(made, Lines("127.0.0.1", port, tls=False, classify=electrum.classify, seconds=seconds))
        http = Http(Secret(self.url(kind) if liar is None else liar.url), seconds=seconds)
        return Esplora(made, http) if kind == "esplora" else Core(made, JsonRpc(http, core.classify, batch=100))

    def url(self, kind: str) -> str:
        return self.esplora.url if kind == "esplora" else self.node.url

    @asynccontextmanager
    async def lying(self, kind: str) -> AsyncIterator[Liar]:
        electrumx = ("127.0.0.1", self.electrumx.port)
        async with lying_lines(electrumx) if kind == "electrum" else lying_http(self.url(kind)) as liar:
            yield liar

    def holder(self, kind: str = "bech32") -> Holder:
        """A fresh address of a wallet that can sign for it."""
        address = self.node.call("getnewaddress", "", kind, wallet=_WALLET)
        script = self.node.call("getaddressinfo", address, wallet=_WALLET)["scriptPubKey"]
        return Holder(bytes.fromhex(script), address)

    def fund(self, holder: Holder, satoshis: int = COIN, *, mine: bool = True) -> tuple[str, int]:
        tx_id = self.node.call("sendtoaddress", holder.address, Decimal(satoshis) / COIN, wallet="miner")
        if mine:
            self.node.mine()
        self.settle(holder, has=tx_id)
        made = self.node.call("getrawtransaction", tx_id, True)
        [vout] = [each["n"] for each in made["vout"] if each["scriptPubKey"].get("address") == holder.address]
        return tx_id, vout

    def spend(self, *spent: tuple[str, int], to: Mapping[Holder, int], sequence: int = RBF) -> str:
        """A transaction signed by the wallet. The rest of its inputs is the fee."""
        inputs = [{"txid": tx_id, "vout": vout, "sequence": sequence} for tx_id, vout in spent]
        outputs = [{holder.address: Decimal(satoshis) / COIN} for holder, satoshis in to.items()]
        made = self.node.call("createrawtransaction", inputs, outputs)
        signed = self.node.call("signrawtransactionwithwallet", made, wallet=_WALLET)
        assert signed["complete"], signed
        return str(signed["hex"])

    def send(self, raw: str, *watching: Holder, mine: bool = False) -> str:
        tx_id = str(self.node.call("sendrawtransaction", raw))
        if mine:
            self.node.mine()
        self.settle(*watching, has=tx_id)
        return tx_id

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)
        self.settle()

    def settle(self, *holders: Holder, has: str = "", lacks: str = "") -> None:
        """Wait until the Electrum server has seen it. The other sources read the node itself."""
        hashes = [sha256(each.canonical).digest()[::-1].hex() for each in holders]
        self.electrumx.wait(*hashes, has=has, lacks=lacks)


def ids(raw: str) -> SignedIds:
    return BITCOIN.identify(NETWORK, raw)


def tracked(raw: str) -> Tracked:
    found = ids(raw)
    return Tracked(found.tx_ids[0], found)
