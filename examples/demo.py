"""From nothing to final: a service, a real Ethereum node, a wallet, and two transfers, one over REST, one over gRPC,
with the balance before and after, the history and what became of each; then, if a Bitcoin node can be had, a PSBT of
that node's own wallet.

``make demo`` runs it with a service of its own, in a folder that is gone afterwards. With STRONGROOM_URL and
STRONGROOM_API_KEY set it asks a running one (and GRPC_TARGET, else 127.0.0.1:3001). The nodes are always its own, and a
running service has no sources for them, so it is not asked what the chains say.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import grpc
import httpx

from strongroom.entrypoints.grpc.pb.strongroom.v1.wallet_service_pb2 import (
    SignedTransaction,
    SignTransactionRequest,
    UnsignedTransaction,
)
from tests.support import anvil, bitcoind
from tests.support.anvil import Anvil
from tests.support.bitcoind import Bitcoind
from tests.support.server import Server

NETWORK = "anvil"
RECIPIENT = "0x3535353535353535353535353535353535353535"
ETHER = 10**18
BITCOIN = "bitcoin-regtest"
COIN = 10**8
SOURCES: Final = """
[[sources]]
network = "anvil"
name = "anvil"
kind = "evm"
url = "{anvil}"

[[sources]]
network = "anvil"
name = "anvil-history"
kind = "otterscan"
url = "{anvil}"
"""
BITCOIN_SOURCE: Final = """
[[sources]]
network = "bitcoin-regtest"
name = "bitcoind"
kind = "bitcoin-core"
url = "{bitcoind}"
"""


class Failed(Exception):
    """Something did not go as it must."""


@dataclass(frozen=True)
class Strongroom:
    url: str
    target: str
    api_key: str
    reads: bool
    """It has our nodes as sources."""

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        status, answer = self.try_(method, path, body)
        _must(status < 400, f"{answer.get('code')}: {answer.get('detail')}")
        return answer

    def try_(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """HTTP status and answer, an error's too."""
        _print_request(f"{method} /api/v1{path}", body)
        answer = httpx.request(
            method, f"{self.url}/api/v1{path}", json=body, headers={"X-API-Key": self.api_key}, trust_env=False
        )
        return answer.status_code, answer.json()

    def sign_over_grpc(self, wallet_id: str, transaction: dict[str, Any]) -> SignedTransaction:
        _print_request("strongroom.v1.WalletService/SignTransaction", transaction)
        request = SignTransactionRequest(
            wallet_id=wallet_id, network=NETWORK, unsigned_tx=UnsignedTransaction(json=json.dumps(transaction))
        )
        with grpc.insecure_channel(self.target) as channel:
            sign = channel.unary_unary(
                "/strongroom.v1.WalletService/SignTransaction",
                request_serializer=SignTransactionRequest.SerializeToString,
                response_deserializer=SignedTransaction.FromString,
            )
            signed: SignedTransaction = sign(request, metadata=(("x-api-key", self.api_key),), timeout=30)
        return signed


def main() -> int:
    if anvil.program() is None:
        print("There is no anvil: `make demo` installs it on Linux x86-64; elsewhere put Foundry's on the PATH.")
        return 1
    try:
        with ExitStack() as stack:
            node = stack.enter_context(Anvil())
            bitcoin = None if bitcoind.program() is None else stack.enter_context(Bitcoind())
            service = stack.enter_context(_service(node, bitcoin))
            walk(service, node)
            if bitcoin is None:
                _title("No Bitcoin: `make demo` gets a node on Debian; elsewhere put bitcoind on the PATH")
            else:
                walk_bitcoin(service, bitcoin)
    except (Failed, AssertionError, httpx.HTTPError, grpc.RpcError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    return 0


def walk(service: Strongroom, node: Anvil) -> None:
    _title("A wallet, made through the API")
    wallet = service.ask("POST", "/wallets", {"label": "demo", "networks": [NETWORK]})
    address = wallet["addresses"][0]["address"]
    print(f"  wallet   {wallet['id']}")
    print(f"  address  {address}  at {wallet['addresses'][0]['path']}")

    _title("Ten ether for it, on a real Ethereum node")
    node.fund(address, 10 * ETHER)
    print(f"  {node.call('web3_clientVersion')}, chain {node.chain_id}")
    print(f"  the node says  {_ether(node.balance(address))} ETH")
    _print_balance(service, wallet["id"], NETWORK)

    _title("One ether, signed over REST")
    transfer = _transfer(node, address, ETHER)
    signed = service.ask("POST", f"/wallets/{wallet['id']}/sign", {"network": NETWORK, "unsigned_tx": transfer})
    summary = signed["summary"]
    _print_summary(summary["type"], summary["fee"]["amount"], summary["actions"][0])
    _mine(service, node, address, signed["signed_tx"], signed["tx_id"])
    ids = [signed["tx_id"]]

    _title("Something else for the same nonce: refused")
    other = {**transfer, "value": hex(2 * ETHER)}
    status, problem = service.try_("POST", f"/wallets/{wallet['id']}/sign", {"network": NETWORK, "unsigned_tx": other})
    _must((status, problem["code"]) == (409, "already_signed"), "the second signature was not refused")
    print(f"  {status} {problem['code']}: {problem['detail']}")

    _title("Half an ether, signed over gRPC")
    answer = service.sign_over_grpc(wallet["id"], _transfer(node, address, ETHER // 2))
    action = answer.summary.actions[0]
    told = {name: getattr(action, name) for name in ("kind", "amount", "asset", "from_address", "to")}
    _print_summary(answer.summary.type, answer.summary.fee.amount, told)
    _mine(service, node, address, answer.signed_tx, answer.tx_id)
    ids.append(answer.tx_id)

    _title("What the node says now")
    for name, holder in (("sender", address), ("recipient", RECIPIENT)):
        print(f"  {name:<10} {_ether(node.balance(holder))} ETH")
    if service.reads:
        _read(service, node, wallet["id"], ids)

    _title("What the audit says")
    records = service.ask("GET", f"/audit?wallet_id={wallet['id']}")["records"]
    for record in reversed(records):
        told = record["details"]
        about = told.get("tx_id") or told.get("code") or ""
        print(f"  {record['at'][:19]}  {record['operation']:<22} {record['outcome']:<10} {about}".rstrip())
    done = {record["details"].get("tx_id") for record in records if record["outcome"] == "succeeded"}
    _must(done >= set(ids), "the audit does not hold what was done")


def _read(service: Strongroom, node: Anvil, wallet_id: str, ids: list[str]) -> None:
    """What the service says of the chain: the states, the balance after, the history."""
    _title("What has become of them: 64 more blocks make a block final here")
    _print_states(service, ids)
    node.call("anvil_mine", hex(64))
    _print_states(service, ids)

    _title("The balance, read afresh, and the history")
    _print_balance(service, wallet_id, NETWORK, "?fresh=true")
    entries = service.ask("GET", f"/wallets/{wallet_id}/transactions/{NETWORK}")["entries"]
    for entry in entries:
        fee = _ether(int(entry["fee"]))
        print(f"  block {entry['block']['height']}  {entry['status']}  {entry['direction']:<3} ", end="")
        print(f"{_ether(int(entry['amount']))} {entry['symbol']}  fee {fee}  {entry['tx_id']}")
    _must([entry["tx_id"] for entry in entries] == ids[::-1], "the history does not hold what was mined")


def _print_states(service: Strongroom, ids: list[str]) -> None:
    for tx_id in ids:
        told = service.ask("GET", f"/networks/{NETWORK}/transactions/{tx_id}")
        print(f"  {told['state']}, {told['confirmations']} confirmations, fee {_ether(int(told['fee']))} ETH")


def _print_balance(service: Strongroom, wallet_id: str, network: str, query: str = "") -> None:
    if not service.reads:
        return
    found = service.ask("GET", f"/wallets/{wallet_id}/balances/{network}{query}")
    [balance] = [each for each in found["balances"] if each["contract"] is None]
    amount = f"{Decimal(balance['confirmed']).scaleb(-balance['decimals']).normalize():f}"
    print(f"  balance  {amount} {balance['symbol']} at block {found['as_of']['height']}")


def walk_bitcoin(service: Strongroom, node: Bitcoind) -> None:
    _title("A wallet on Bitcoin")
    wallet = service.ask("POST", "/wallets", {"label": "demo", "networks": [BITCOIN]})
    address, url = wallet["addresses"][0]["address"], f"/wallets/{wallet['id']}"
    print(f"  address  {address}  at {wallet['addresses'][0]['path']}")

    _title("Its descriptor, for a wallet of a Bitcoin node to watch")
    descriptor = service.ask("GET", f"{url}/accounts/{BITCOIN}")["descriptor"]
    print(f"    {descriptor}")
    print(f"  {node.call('getnetworkinfo')['subversion']} imports it, and one bitcoin is sent to the address")
    node.watch("demo", descriptor)
    inputs = node.fund(address)
    _print_balance(service, wallet["id"], BITCOIN)

    _title("Half a bitcoin: a PSBT made by the node, signed over REST")
    psbt = node.psbt("demo", inputs, {node.call("getnewaddress", wallet="miner"): COIN // 2})
    signed = service.ask("POST", f"{url}/sign", {"network": BITCOIN, "unsigned_tx": psbt})
    print("  what it does, as the service decoded it:")
    for action in signed["summary"]["actions"]:
        print(f"    {action['kind']:<8} {_bitcoins(action['amount'])}  {action.get('to') or action['from_address']}")
    fee = signed["summary"]["fee"]
    print(f"    fee      {_bitcoins(fee['amount'])}  {fee['rate']} sat/vB")
    mined = node.mined(signed["signed_tx"])
    _must(mined["txid"] == signed["tx_id"], "the node has another id for it")
    print("  mined:")
    for name in ("txid", "hash", "vsize", "confirmations"):
        print(f"    {name:<18} {mined[name]}")
    _print_balance(service, wallet["id"], BITCOIN, "?fresh=true")


@contextmanager
def _service(node: Anvil, bitcoin: Bitcoind | None) -> Iterator[Strongroom]:
    _title("Strongroom")
    if url := os.environ.get("STRONGROOM_URL"):
        print(f"  the running one at {url}")
        target = os.environ.get("GRPC_TARGET", "127.0.0.1:3001")
        yield Strongroom(url.rstrip("/"), target, os.environ.get("STRONGROOM_API_KEY", ""), reads=False)
        return
    sources = SOURCES.format(anvil=node.url)
    if bitcoin is not None:
        sources += BITCOIN_SOURCE.format(bitcoind=bitcoin.url)
    with tempfile.TemporaryDirectory(prefix="strongroom-demo-") as folder:
        config = Path(folder, "strongroom.toml")
        config.write_text(sources)
        with Server(Path(folder), {"CONFIG": str(config)}) as server:
            print(f"  strongroom serve  (REST on {server.url}, gRPC on {server.target})")
            print("  with the nodes of this demo as its sources")
            yield Strongroom(server.url, server.target, server.api_key, reads=True)


def _transfer(node: Anvil, sender: str, wei: int) -> dict[str, Any]:
    """An EIP-1559 transfer that pays even where the base fee quadruples."""
    base_fee = int(node.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    tip = 10**9
    return {
        "chainId": hex(node.chain_id),
        "nonce": hex(node.nonce(sender)),
        "to": RECIPIENT,
        "value": hex(wei),
        "gas": hex(21_000),
        "maxFeePerGas": hex(4 * base_fee + tip),
        "maxPriorityFeePerGas": hex(tip),
    }


def _mine(service: Strongroom, node: Anvil, sender: str, signed_tx: str, tx_id: str) -> None:
    """Sent through the service if it has the node as a source."""
    if service.reads:
        sent = service.ask("POST", f"/networks/{NETWORK}/broadcast", {"signed_tx": signed_tx})
        print(f"  {sent['state']} by the source {sent['source']}")
        named = sent["tx_id"]
    else:
        named = node.broadcast(signed_tx)
    _must(named == tx_id, "the node has another id for it")
    receipt = node.mined(tx_id)
    print("  mined:")
    for name in ("transactionHash", "from", "to"):
        print(f"    {name:<18} {receipt[name]}")
    for name in ("status", "blockNumber", "gasUsed", "effectiveGasPrice"):
        print(f"    {name:<18} {int(receipt[name], 16)}")
    _must(receipt["status"] == "0x1", "the node says that it failed")
    _must(receipt["from"] == sender.lower(), "the node says that somebody else sent it")


def _print_request(line: str, body: dict[str, Any] | None) -> None:
    print(f"  {line}")
    if body is not None:
        print(textwrap.fill(json.dumps(body), 110, initial_indent="    ", subsequent_indent="    "))


def _print_summary(kind: str, fee: str, action: dict[str, Any]) -> None:
    print(f"  what it does, as the service decoded it ({kind}):")
    print(f"    {action['kind']} of {_ether(int(action['amount']))} {action['asset']}")
    print(f"    from {action['from_address']}")
    print(f"    to   {action['to']}")
    print(f"    fee  at most {_ether(int(fee))} {action['asset']}")


def _ether(wei: int) -> str:
    return f"{Decimal(wei) / ETHER:f}"


def _bitcoins(satoshis: str) -> str:
    return f"{Decimal(satoshis) / COIN:.8f} BTC"


def _title(text: str) -> None:
    print(f"\n{text}", flush=True)


def _must(condition: bool, complaint: str) -> None:
    if not condition:
        raise Failed(complaint)


if __name__ == "__main__":
    sys.exit(main())
