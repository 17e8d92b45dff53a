"""An anvil with contracts that behave as tokens do, well and badly, and sources over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_account import Account

from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.domain.secret import Secret
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Holder, Setup
from strongroom.rpc.evm.verdicts import classify
from strongroom.rpc.http import Http
from strongroom.rpc.jsonrpc import JsonRpc
from tests.support.anvil import Anvil
from tests.support.tap import Tap
from tests.unit.chains.evm.evm_cases import EVM

KEY = "0x" + "46" * 32
FROM = Account.from_key(KEY).address
OTHER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
GWEI = 10**9
TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

CODES = {
    # every word that is asked for: the last two bytes of the first argument
    "echo": "6004 35 61ffff 16 6000 52 6020 6000 f3",
    "eighteen": "6012 6000 52 6020 6000 f3",
    "gas_bomb": "5b 6000 56",
    "return_bomb": "63 00100000 6000 f3",
    "short": "601f 6000 f3",
    "long": "6040 6000 f3",
    "reverts": "6000 6000 fd",
    "no_code": "",
    # logs Transfer(from, to, amount) of three words of calldata, for any caller
    "emitter": f"6020 6040 6000 37 6020 35 6000 35 7f {TRANSFER} 6020 6000 a3 00",
    # passes on what it is paid to the address in its calldata
    "payer": "6000 6000 6000 6000 34 6000 35 5a f1 00",
}
"""EVM bytecode by what it does. ``gas_bomb`` loops until its gas is gone; ``return_bomb`` returns 1 MiB of zeros."""


def network(chain_id: int = 31337) -> Network:
    named = [each for each in EVM.networks if each.chain_id == chain_id]
    found = named[0] if named else EVM.network_for(f"eip155:{chain_id}")
    assert found is not None
    return found


def contract(number: int) -> str:
    return f"0x{0x1234567 + number:040d}"


def plant(node: Anvil) -> dict[str, str]:
    """Deploy `CODES`, and return their addresses."""
    planted = {}
    for number, (name, code) in enumerate(CODES.items()):
        planted[name] = contract(number)
        node.call("anvil_setCode", planted[name], "0x" + code.replace(" ", ""))
    return planted


def token(address: str, decimals: int | None = 0, symbol: str = "T") -> Asset:
    return Asset(f"eip155:31337/erc20:{address.lower()}", "eip155:31337", symbol, decimals, address)


def setup(*tokens: Asset, finality: int | str | None = None, pin: str = "31337") -> Setup:
    listed: Mapping[str, Asset] = {each.contract: each for each in tokens if each.contract is not None}
    return Setup(network(), coin_of(network()), listed, pin, finality)


def rpc(node: Anvil, tap: Tap | None = None, *, batch: int = 100) -> JsonRpc:
    return JsonRpc(Http(Secret(f"http://127.0.0.1:{node.port}"), transport=tap), classify, batch=batch)


def holder(address: str) -> Holder:
    return Holder(bytes.fromhex(address[2:]), address)


def holders(count: int, first: int = 0x5000_0000) -> list[Holder]:
    return [holder(f"0x{first + number:040x}") for number in range(count)]


def word(value: int | str) -> str:
    return f"{value if isinstance(value, int) else int(value, 16):064x}"


def signed(node: Anvil, nonce: int, *, fee: int = 100, tip: int = 1, **fields: Any) -> tuple[str, SignedIds]:
    """A transfer of 1 wei, and the ids in its bytes. Fees are in gwei."""
    form = {"type": 2, "chainId": node.chain_id, "nonce": nonce, "gas": 100_000, "to": OTHER, "value": 1, "data": "0x"}
    form |= {"maxFeePerGas": fee * GWEI, "maxPriorityFeePerGas": tip * GWEI} | fields
    raw = "0x" + Account.sign_transaction(form, KEY).raw_transaction.hex().removeprefix("0x")
    return raw, EVM.identify(network(node.chain_id), raw)
