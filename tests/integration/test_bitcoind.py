"""A real node mines what the running service signed, has the same addresses, and agrees about its messages."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.codecs import bip32
from strongroom.domain.wallet import PublicNode
from tests.integration.conftest import Service
from tests.oracles.bip32 import Node
from tests.support.bitcoind import COIN, Bitcoind, Refused

pytestmark = pytest.mark.needs("bitcoind")

NETWORK = "bitcoin-regtest"
SCHEMES = {"p2pkh": "bip44", "p2sh-p2wpkh": "bip49", "p2wpkh": "bip84", "p2tr": "bip86"}
INDEXES = 1_000
BITCOIN = Bitcoin()
PAID = COIN // 4


@pytest.fixture(scope="module")
def node() -> Iterator[Bitcoind]:
    with Bitcoind() as node:
        yield node


@dataclass(frozen=True)
class Wallet:
    """A wallet of the running service, and a wallet of the node that watches its four accounts."""

    service: Service
    node: Bitcoind
    id: str

    @classmethod
    async def new(cls, service: Service, node: Bitcoind) -> Wallet:
        made = await service.ask("wallets.create", networks=[NETWORK])
        wallet = cls(service, node, made["id"])
        node.watch(wallet.id, *[(await wallet.account(scheme))["descriptor"] for scheme in SCHEMES.values()])
        return wallet

    async def account(self, scheme: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.service.ask(
            "accounts.get", wallet_id=self.id, network=NETWORK, scheme=scheme
        )
        return found

    async def address(self, scheme: str, index: int = 0) -> str:
        found = await self.service.ask(
            "addresses.derive", wallet_id=self.id, network=NETWORK, scheme=scheme, index=index
        )
        return str(found["address"])

    async def funded(self, *kinds: str) -> list[dict[str, Any]]:
        return self.node.fund(*[await self.address(SCHEMES[kind]) for kind in kinds])

    async def sign(self, psbt: str) -> dict[str, Any]:
        signed: dict[str, Any] = await self.service.ask(
            "transactions.sign", wallet_id=self.id, network=NETWORK, unsigned_tx=psbt
        )
        return signed


@pytest.fixture
async def wallet(service: Service, node: Bitcoind) -> Wallet:
    return await Wallet.new(service, node)


@pytest.mark.parametrize("kinds", [*[[kind] for kind in SCHEMES], list(SCHEMES)], ids="+".join)
async def test_a_spend_is_mined_and_was_what_its_summary_said(wallet: Wallet, kinds: list[str]) -> None:
    node = wallet.node
    recipient = node.call("getnewaddress", wallet="miner")
    psbt = node.psbt(wallet.id, await wallet.funded(*kinds), {recipient: PAID})
    signed = await wallet.sign(psbt)
    assert signed["complete"]
    mined = node.mined(signed["signed_tx"])

    details = signed["details"]
    assert (mined["txid"], mined["hash"]) == (signed["tx_id"], details["wtxid"])
    assert (mined["vsize"], mined["weight"]) == (details["vsize"], details["weight"])
    outputs = {each["scriptPubKey"]["address"]: int(each["value"] * COIN) for each in mined["vout"]}
    actions = signed["summary"]["actions"]
    assert {action["to"]: int(action["amount"]) for action in actions if action["kind"] != "spend"} == outputs
    spent = [action for action in actions if action["kind"] == "spend"]
    assert all(action["details"]["ours"] for action in spent)
    assert len(spent) == len(kinds)
    [change] = [action for action in actions if action["kind"] == "change"]
    assert node.call("getaddressinfo", change["to"], wallet=wallet.id)["ischange"]
    [found] = (await wallet.service.ask("addresses.find", network=NETWORK, address=change["to"]))["addresses"]
    assert found["path"] == change["details"]["path"]
    fee = sum(int(action["amount"]) for action in spent) - sum(outputs.values())
    assert details["fee_sat"] == signed["summary"]["fee"]["amount"] == str(fee)

    final = node.call("finalizepsbt", details["psbt"])
    assert (final["hex"], final["complete"]) == (signed["signed_tx"], True)


async def test_a_batch_of_spends_is_mined_and_no_output_is_signed_away_twice(wallet: Wallet) -> None:
    node, payee = wallet.node, wallet.node.call("getnewaddress", wallet="miner")
    inputs = [await wallet.funded(kind) for kind in SCHEMES for _ in range(2)]
    spends = [node.psbt(wallet.id, each, {payee: PAID}) for each in inputs]
    rival = node.psbt(wallet.id, inputs[0], {payee: PAID + 1})
    told = [*spends, rival, spends[1][:-8]]
    items = [
        {"ref": str(n), "wallet_id": wallet.id, "network": NETWORK, "unsigned_tx": each} for n, each in enumerate(told)
    ]
    results = (await wallet.service.ask("transactions.sign_batch", items=items))["results"]
    assert [each["ref"] for each in results] == [item["ref"] for item in items]
    assert [each["status"] for each in results[1:8]] == ["ok"] * 7
    rivals = [each for each in (results[0], results[8]) if each["status"] == "ok"]
    assert len(rivals) == 1
    [lost] = [each for each in (results[0], results[8]) if each["status"] == "error"]
    assert lost["error"]["code"] in ("already_signed", "operation_in_flight")
    assert results[9]["error"]["code"] == "invalid_transaction"
    assert await wallet.service.refusal("transactions.sign", **_unnamed(items[int(lost["ref"])])) == "already_signed"
    for each in (*results[1:8], *rivals):
        assert node.mined(each["result"]["signed_tx"])["txid"] == each["result"]["tx_id"]


def _unnamed(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "ref"}


async def test_one_bit_changed_is_refused(wallet: Wallet) -> None:
    node, draw = wallet.node, random.Random(174)
    psbt = node.psbt(wallet.id, await wallet.funded("p2wpkh"), {node.call("getnewaddress", wallet="miner"): PAID})
    raw = bytes.fromhex((await wallet.sign(psbt))["signed_tx"])
    for _ in range(20):
        at = len(raw) - 4 - 34 - draw.randrange(1, 33)  # in s, which a lock time and a key follow
        changed = raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :]
        with pytest.raises(Refused, match="script-verify-flag-failed"):
            node.mined(changed.hex())
    node.mined(raw.hex())


async def test_the_same_output_is_not_signed_away_twice(wallet: Wallet) -> None:
    node = wallet.node
    inputs = await wallet.funded("p2wpkh")
    first = await wallet.sign(node.psbt(wallet.id, inputs, {node.call("getnewaddress", wallet="miner"): PAID}))
    dearer = node.psbt(wallet.id, inputs, {node.call("getnewaddress", wallet="miner"): PAID}, fee_rate=50)
    asked = {"wallet_id": wallet.id, "network": NETWORK, "unsigned_tx": dearer}
    assert await wallet.service.refusal("transactions.sign", **asked) == "already_signed"
    second = await wallet.service.ask("transactions.sign", **asked, options={"replaces": first["tx_id"]})
    node.call("sendrawtransaction", first["signed_tx"])
    node.mined(second["signed_tx"])
    with pytest.raises(Refused):
        node.call("sendrawtransaction", first["signed_tx"])


async def test_two_of_three_is_finished_by_a_second_signer(wallet: Wallet) -> None:
    """We are one cosigner, the node's own wallet is another, and a third is absent."""
    node = wallet.node
    account = await wallet.account("bip48")
    origin = f"{account['master_fingerprint']}{account['path'][1:].replace(chr(39), 'h')}"
    second, third = (Node.from_seed(random.Random(seed).randbytes(64)).below("48'/1'/0'/2'") for seed in (2, 3))
    ours = f"[{origin}]{account['extended_public_key']}"
    watched = _multisig(node, ours, second.tpub, third.tpub)
    watching, signing = f"shared-{wallet.id}", f"second-{wallet.id}"
    node.watch(watching, watched)
    node.watch(signing, _multisig(node, ours, second.tprv, third.tpub), private=True)

    address = node.call("getnewaddress", "", "bech32", wallet=watching)
    recipient = node.call("getnewaddress", wallet="miner")
    psbt = node.psbt(watching, node.fund(address), {recipient: PAID})
    signed = await wallet.sign(psbt)
    assert not signed["complete"]
    assert signed["signed_tx"] == signed["details"]["psbt"]
    [spend, *_] = signed["summary"]["actions"]
    assert (spend["from_address"], spend["details"]["multisig"]) == (address, "2 of 3")

    finished = node.call("walletprocesspsbt", signed["signed_tx"], wallet=signing)
    assert finished["complete"]
    assert node.mined(finished["hex"])["txid"] == signed["tx_id"]


async def test_a_second_signature_of_ours_finishes_it(wallet: Wallet) -> None:
    """The node's wallet signs first."""
    node = wallet.node
    account = await wallet.account("bip48")
    origin = f"{account['master_fingerprint']}{account['path'][1:].replace(chr(39), 'h')}"
    second = Node.from_seed(random.Random(4).randbytes(64)).below("48'/1'/0'/2'")
    signing = f"first-{wallet.id}"
    ours = f"[{origin}]{account['extended_public_key']}"
    node.watch(signing, _multisig(node, ours, second.tprv), private=True)
    address = node.call("getnewaddress", "", "bech32", wallet=signing)
    psbt = node.psbt(signing, node.fund(address), {node.call("getnewaddress", wallet="miner"): PAID})
    begun = node.call("walletprocesspsbt", psbt, wallet=signing)
    signed = await wallet.sign(begun["psbt"])
    assert signed["complete"]
    node.mined(signed["signed_tx"])


def _multisig(node: Bitcoind, *keys: str) -> str:
    descriptor = f"wsh(sortedmulti(2,{','.join(f'{key}/<0;1>/*' for key in keys)}))"
    return f"{descriptor}#{node.call('getdescriptorinfo', descriptor)['checksum']}"


async def test_descriptors_give_our_addresses(wallet: Wallet) -> None:
    """A thousand on both branches of each account, imported and derived. The service itself is asked for some."""
    draw = random.Random(389)
    accounts = {scheme: await wallet.account(scheme) for scheme in SCHEMES.values()}
    imported = f"imported-{wallet.id}"
    wallet.node.watch(imported, *[account["descriptor"] for account in accounts.values()], indexes=INDEXES)
    for scheme, account in accounts.items():
        branches = wallet.node.call("getdescriptorinfo", account["descriptor"])["multipath_expansion"]
        for change, branch in enumerate(branches):
            theirs = wallet.node.call("deriveaddresses", branch, [0, INDEXES - 1])
            assert theirs == [_our_address(account, change, index) for index in range(INDEXES)]
            for index in (0, *draw.sample(range(INDEXES), 3), INDEXES - 1):
                place = {"scheme": scheme, "change": change, "index": index}
                found = await wallet.service.ask("addresses.derive", wallet_id=wallet.id, network=NETWORK, **place)
                assert found["address"] == theirs[index]
                assert wallet.node.call("getaddressinfo", theirs[index], wallet=imported)["ismine"]


def _our_address(account: dict[str, Any], change: int, index: int) -> str:
    key = bip32.parse_extended_key(account["extended_public_key"])
    node = PublicNode(account["path"], key.public_key, key.chain_code)
    [network] = [network for network in BITCOIN.networks if network.name == NETWORK]
    public_key = bip32.derive_public(node, f"{account['path']}/{change}/{index}").public_key
    return BITCOIN.render(network, BITCOIN.schemes(network.keyspace)[account["scheme"]], public_key).address


async def test_a_message_of_ours_is_verified_by_the_node_and_one_of_its_by_us(wallet: Wallet) -> None:
    node, service = wallet.node, wallet.service
    text = {"network": NETWORK, "message": "Ein Männlein steht im Walde", "encoding": "text"}
    address = await wallet.address("bip44")
    signed = await service.ask("messages.sign", wallet_id=wallet.id, address=address, format="bitcoin", **text)
    assert node.call("verifymessage", address, signed["signature"], text["message"])
    assert not node.call("verifymessage", address, signed["signature"], "Etwas anderes")

    theirs = node.call("getnewaddress", "", "legacy", wallet="miner")
    signature = node.call("signmessage", theirs, text["message"], wallet="miner")
    proof = {**text, "format": "bitcoin", "signature": signature, "address": theirs}
    assert (await service.ask("messages.verify", **proof))["valid"] is True
    raw = base64.b64decode(signature)
    proof["signature"] = base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()
    assert not (await service.ask("messages.verify", **proof)).get("valid", False)


@pytest.mark.parametrize("kind", SCHEMES)
async def test_bip322(wallet: Wallet, kind: str) -> None:
    """Knots has BIP-322 from before its version 2.0.0 gave signatures a prefix. Bitcoin Core has none."""
    node, service = wallet.node, wallet.service
    if "Knots" not in node.call("getnetworkinfo")["subversion"]:
        pytest.skip("this node is not Bitcoin Knots: it has no BIP-322")
    text = {"network": NETWORK, "message": "Ein Männlein steht im Walde", "encoding": "text"}
    address = await wallet.address(SCHEMES[kind])
    signed = await service.ask("messages.sign", wallet_id=wallet.id, address=address, format="bip322", **text)
    assert node.call("verifymessage", address, signed["signature"][3:], text["message"])
    assert not node.call("verifymessage", address, signed["signature"][3:], "Etwas anderes")

    types = {"p2pkh": "legacy", "p2sh-p2wpkh": "p2sh-segwit", "p2wpkh": "bech32", "p2tr": "bech32m"}
    theirs = node.call("getnewaddress", "", types[kind], wallet="miner")
    signature = node.call("signmessage", theirs, text["message"], wallet="miner")
    proof = {**text, "format": "bip322", "signature": signature, "address": theirs}
    assert (await service.ask("messages.verify", **proof))["valid"] is True
    assert not (await service.ask("messages.verify", **{**proof, "message": "x"})).get("valid", False)
