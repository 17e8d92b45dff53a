"""Each example as a user runs it, against the running service and real nodes. The node is asked what it did."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from strongroom_client import Client, types
from ton_core.contrib.contracts.codes import CONTRACT_CODES

from tests.support import anvil, bitcoind, node, solana_chain
from tests.support.anvil import Anvil
from tests.support.bitcoind import Bitcoind
from tests.support.server import ROOT, Server
from tests.support.surfpool import Surfpool
from tests.support.ton import Machine

ETHER = 10**18
NETWORK = "anvil"
RECIPIENT = "0x3535353535353535353535353535353535353535"
SOURCE = """
[[sources]]
network = "{network}"
name = "{network}"
kind = "{kind}"
url = "{url}"
"""
GENEROUS = {"RATES__CREATE": "off", "RATES__SIGN": "off", "RATES__CHAIN": "off", "RATES__BROADCAST": "off"}


class Examples:
    """A service whose sources are our nodes, and its wallets."""

    def __init__(self, server: Server, ethereum: Anvil | None) -> None:
        self.server = server
        self.ethereum = ethereum
        self.client = Client(server.url, server.api_key)

    def run(self, name: str, *arguments: str, url: str = "", where: Path | None = None) -> str:
        """What it prints."""
        paths = (ROOT, ROOT / "clients" / "python" / "src")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "STRONGROOM_URL": self.server.url,
            "STRONGROOM_API_KEY": self.server.api_key,
            "NODE_URL": url or (self.ethereum.url if self.ethereum else ""),
        }
        done = subprocess.run(
            [sys.executable, "-m", f"examples.{name}", *arguments], cwd=where or self.server.data_dir, env=environment,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wallet(self, *networks: str, **more: Any) -> types.CreatedWallet:
        return self.client.wallets.create(networks=networks, **more)

    def funded(self) -> tuple[str, str]:
        """The id and the address of a wallet with ten ether."""
        assert self.ethereum is not None
        wallet = self.wallet(NETWORK)
        self.ethereum.fund(wallet.addresses[0].address, 10 * ETHER)
        return str(wallet.id), wallet.addresses[0].address


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        ethereum = stack.enter_context(Anvil()) if anvil.program() else None
        sources = SOURCE.format(network=NETWORK, kind="evm", url=ethereum.url) if ethereum else ""
        config = folder / "strongroom.toml"
        config.write_text(sources)
        server = stack.enter_context(Server(folder, {"CONFIG": str(config), **GENEROUS}))
        found = Examples(server, ethereum)
        stack.callback(found.client.close)
        yield found


def test_deposit_addresses(examples: Examples) -> None:
    first = examples.run("deposit_addresses", "ethereum", "customer-17", "customer-18")
    assert first == examples.run("deposit_addresses", "ethereum", "customer-17", "customer-18")
    assert [line.rpartition(" ")[2] for line in first.splitlines()[2:]] == [
        "ethereum/customer-17",
        "ethereum/customer-18",
    ]


@pytest.mark.needs("anvil")
def test_a_withdrawal_is_paid_once(examples: Examples, tmp_path: Path) -> None:
    assert examples.ethereum is not None
    wallet, _ = examples.funded()
    recipient = f"0x{secrets.token_hex(20)}"
    first = examples.run("withdrawal", wallet, NETWORK, recipient, "0.25", "payout-1", where=tmp_path)
    again = examples.run("withdrawal", wallet, NETWORK, recipient, "0.25", "payout-1", where=tmp_path)
    assert first.split()[:2] == again.split()[:2]
    assert examples.ethereum.balance(recipient) == ETHER // 4


@pytest.mark.needs("anvil")
def test_a_batch_of_payouts_is_paid_once(examples: Examples, tmp_path: Path) -> None:
    assert examples.ethereum is not None
    wallet, sender = examples.funded()
    to = [f"0x{secrets.token_hex(20)}" for _ in range(5)]
    payouts = tmp_path / "payouts.csv"
    payouts.write_text("".join(f"customer-{n},{each},0.0{n + 1}\n" for n, each in enumerate(to)))
    first = examples.run("batch_payout", wallet, NETWORK, "payouts.csv", "july", where=tmp_path)
    again = examples.run("batch_payout", wallet, NETWORK, "payouts.csv", "july", where=tmp_path)
    assert first == again
    assert [line.split()[0] for line in first.splitlines()] == [f"customer-{n}" for n in range(5)]
    for n, each in enumerate(to):
        assert examples.ethereum.balance(each) == (n + 1) * ETHER // 100
    assert examples.ethereum.nonce(sender) == 5

    payouts.write_text(f"good,{to[0]},1\nbad,0x{'35' * 19},1\n")
    with pytest.raises(AssertionError, match="no address of anvil: bad"):
        examples.run("batch_payout", wallet, NETWORK, "payouts.csv", "august", where=tmp_path)
    assert examples.ethereum.nonce(sender) == 5, "nothing is signed of a run with a wrong line"


@pytest.mark.needs("anvil")
def test_sweep(examples: Examples) -> None:
    assert examples.ethereum is not None
    wallet, first = examples.funded()
    second = examples.client.addresses.next(wallet, network=NETWORK).address
    examples.client.addresses.next(wallet, network=NETWORK)
    examples.ethereum.fund(second, ETHER)
    treasury = f"0x{secrets.token_hex(20)}"
    examples.run("sweep", wallet, NETWORK, treasury)
    swept = examples.ethereum.balance(treasury)
    assert 10 * ETHER < swept < 11 * ETHER
    assert examples.ethereum.balance(first) + examples.ethereum.balance(second) < ETHER // 10


@pytest.mark.needs("anvil")
def test_fee_bump(examples: Examples) -> None:
    assert examples.ethereum is not None
    wallet, sender = examples.funded()
    base_fee = int(examples.ethereum.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    examples.ethereum.call("evm_setAutomine", False)
    try:
        unsigned = {
            "chainId": "0x7a69", "nonce": hex(examples.ethereum.nonce(sender)), "to": RECIPIENT, "value": "0x7",
            "gas": hex(21_000), "maxFeePerGas": hex(2 * base_fee + 10), "maxPriorityFeePerGas": hex(1),
        }  # fmt: skip
        stuck = examples.client.transactions.sign(wallet, network=NETWORK, unsigned_tx=unsigned, broadcast=True)
        assert stuck.tx_id is not None
        assert stuck.tx_id in json.dumps(examples.ethereum.call("txpool_content"))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(examples.run, "fee_bump", wallet, NETWORK, stuck.tx_id)
            # No block may be mined before the replacement is there, because it would contain the first transaction.
            while stuck.tx_id in json.dumps(examples.ethereum.call("txpool_content")) and not running.done():
                time.sleep(0.05)
            examples.ethereum.call("evm_setIntervalMining", 1)
            said = running.result()
    finally:
        examples.ethereum.call("evm_setIntervalMining", 0)
        examples.ethereum.call("evm_setAutomine", True)
    replacement = said.split()[0]
    mined = [each for each in (stuck.tx_id, replacement) if examples.ethereum.receipt(each) is not None]
    assert mined == [replacement]


@pytest.fixture(scope="module")
def token(examples: Examples) -> tuple[str, str]:
    """An OpenZeppelin ERC-20 with EIP-2612: its address, and that of the account that owns all of it."""
    assert examples.ethereum is not None
    owner = examples.ethereum.call("eth_accounts")[0]
    deployment = {"from": owner, "data": node.run("compile.mjs")["bytecode"]}
    receipt = examples.ethereum.mined(examples.ethereum.call("eth_sendTransaction", deployment))
    return receipt["contractAddress"], owner


def word(value: int | str) -> str:
    return f"{value:064x}" if isinstance(value, int) else value.removeprefix("0x").lower().rjust(64, "0")


def read(ethereum: Anvil, contract: str, data: str) -> int:
    return int(ethereum.call("eth_call", {"to": contract, "data": data}, "latest"), 16)


@pytest.mark.needs("anvil", "solc")
def test_erc20_transfer(examples: Examples, token: tuple[str, str]) -> None:
    assert examples.ethereum is not None
    contract, owner = token
    wallet, sender = examples.funded()
    grant = {"from": owner, "to": contract, "data": f"0xa9059cbb{word(sender)}{word(1000)}"}
    examples.ethereum.mined(examples.ethereum.call("eth_sendTransaction", grant))
    said = examples.run("erc20_transfer", wallet, NETWORK, contract, RECIPIENT, "400")
    assert "400" in said.splitlines()[0]
    assert read(examples.ethereum, contract, f"0x70a08231{word(sender)}") == 600


@pytest.mark.needs("anvil", "solc")
def test_the_token_takes_the_permit(examples: Examples, token: tuple[str, str]) -> None:
    assert examples.ethereum is not None
    contract, spender = token
    wallet, owner = examples.funded()
    said = examples.run("permit", wallet, NETWORK, contract, "Test Token", "1", spender, "1000")
    signature = said.split()[-1].removeprefix("0x")
    deadline = said.split()[said.split().index("until") + 1]
    data = "0xd505accf" + word(owner) + word(spender) + word(1000) + word(int(deadline))
    data += word(int(signature[128:], 16)) + signature[:64] + signature[64:128]
    call = {"from": spender, "to": contract, "data": data}
    assert examples.ethereum.mined(examples.ethereum.call("eth_sendTransaction", call))["status"] == "0x1"
    assert read(examples.ethereum, contract, f"0xdd62ed3e{word(owner)}{word(spender)}") == 1000


def test_siwe(examples: Examples) -> None:
    wallet = examples.wallet("ethereum")
    said = examples.run("siwe", str(wallet.id), "ethereum", "example.com", "8f2a91c0")
    assert said.splitlines()[-1] == "valid"
    assert wallet.addresses[0].address in said


@pytest.mark.needs("bitcoind")
def test_psbt_cosigning(examples: Examples, tmp_path: Path) -> None:
    network = "bitcoin-regtest"
    wallets = [examples.wallet(network) for _ in range(2)]
    with Bitcoind() as chain:
        ours = [cosigner(examples.client, each, network) for each in wallets]
        descriptor = chain.call("getdescriptorinfo", f"wsh(sortedmulti(2,{ours[0]}/0/*,{ours[1]}/0/*))")["descriptor"]
        chain.watch("shared", descriptor)
        [address] = chain.call("deriveaddresses", descriptor, [0, 0])
        inputs = chain.fund(address)
        psbt = chain.psbt(
            "shared", inputs, {chain.call("getnewaddress", wallet="miner"): bitcoind.COIN // 2}, changeAddress=address
        )
        file = tmp_path / "spend.psbt"
        file.write_bytes(base64.b64decode(psbt))
        half = examples.run("psbt_cosigning", str(wallets[0].id), network, str(file)).strip()
        file.write_text(half)
        whole = examples.run("psbt_cosigning", str(wallets[1].id), network, str(file)).strip()
        assert chain.mined(whole)["confirmations"] >= 1


def cosigner(client: Client, wallet: types.CreatedWallet, network: str) -> str:
    """Its key expression (BIP-380): fingerprint, path, extended public key."""
    account = client.accounts.get(wallet.id, network, scheme="bip48")
    return f"[{wallet.master_fingerprint}/48h/1h/0h/2h]{account.extended_public_key}"


@pytest.mark.needs("surfpool")
def test_spl_transfer(examples: Examples) -> None:
    wallet = examples.wallet("solana-devnet")
    sender = Pubkey.from_string(wallet.addresses[0].address)
    with Surfpool() as chain:
        chain.fund(str(sender))
        mint = solana_chain.plant_mint(chain, sender)
        solana_chain.plant_tokens(chain, solana_chain.associated(sender, mint), mint, sender, 1000)
        recipient = Keypair().pubkey()
        said = examples.run(
            "spl_transfer", str(wallet.id), "solana-devnet", str(mint), "6", str(recipient), "400", url=chain.url
        )
        chain.ran(said.strip())
        assert chain.token_balance(str(solana_chain.associated(recipient, mint))) == 400


@pytest.mark.needs("ton-sandbox")
def test_jetton_transfer(examples: Examples) -> None:
    codes = {
        getattr(name, "value", name): base64.b64encode(bytes.fromhex(code)).decode()
        for name, code in CONTRACT_CODES.items()
    }
    wallet = examples.wallet("ton")
    owner = wallet.addresses[0].details["raw"]
    recipient = f"0:{secrets.token_hex(32)}"
    with Machine() as machine:
        machine.ask("fund", address=owner, amount=str(20 * 10**9))
        master = machine.ask(
            "jetton", master=codes["jetton_master_standard"], wallet=codes["jetton_wallet_standard"], owner=owner,
            amount="1000",
        )  # fmt: skip
        mine = machine.ask("jettonWallet", master=master, owner=owner)
        machine.send(
            examples.run("jetton_transfer", str(wallet.id), "ton", mine, "0", recipient, "400", "invoice 7").strip()
        )
        theirs = machine.ask("jettonWallet", master=master, owner=recipient)
        assert machine.ask("jettonBalance", wallet=theirs) == "400"


def test_each_example_is_run_here() -> None:
    names = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"demo", "production", "node", "__init__"}
    source = Path(__file__).read_text()
    assert {name for name in names if f'"{name}"' not in source} == set()
