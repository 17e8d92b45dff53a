"""A real node mines what the running service signed, with the effects that the service's summary announced."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import rlp
from eth_abi.abi import encode
from eth_utils.abi import event_signature_to_log_topic, function_signature_to_4byte_selector

from tests.integration.account import ETHER, FEES, Account, Mined
from tests.integration.conftest import Service
from tests.oracles import ethereum as oracle
from tests.support import node as node_js
from tests.support.anvil import Anvil, Refused

pytestmark = pytest.mark.needs("anvil")

TO = "0x3535353535353535353535353535353535353535"
INFINITY = b"\xc0" + bytes(47)
"""The point of BLS12-381 that is commitment and proof of a blob of zeros (EIP-4844)."""
ZERO_BLOB = bytes(131_072)
CELLS = 128


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as node:
        yield node


@pytest.fixture(scope="module")
def bytecode() -> str:
    return str(node_js.run("compile.mjs")["bytecode"])


@pytest.fixture
async def account(service: Service, anvil: Anvil) -> Account:
    return await Account.new(service, anvil)


async def test_gas_at_the_floor_of_calldata_is_mined_and_less_is_not(account: Account, anvil: Anvil) -> None:
    """EIP-7623: 21000 + 10 * (3 zero bytes + 4 * 5 others)."""
    form = account.form(to=TO, value="0x1", data="0x0000000102030405", gas=hex(21_230))
    short = form | {"gas": hex(21_229)}
    anvil.call("anvil_impersonateAccount", account.address)
    tx_id = anvil.call("eth_sendTransaction", {"from": account.address, **short})
    anvil.call("evm_mine")
    assert anvil.receipt(tx_id) is None
    assert await account.service.refusal("transactions.sign", **account.selector, unsigned_tx=short) == (
        "invalid_transaction"
    )
    receipt = account.broadcast(await account.sign(form))
    assert receipt["gasUsed"] == hex(21_230)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("legacy", {"type": "0x0", "gasPrice": FEES["maxFeePerGas"]}),
        (
            "eip2930",
            {
                "type": "0x1",
                "gas": hex(40_000),
                "gasPrice": FEES["maxFeePerGas"],
                "accessList": [{"address": TO, "storageKeys": ["0x" + "00" * 32, "0x" + "01" * 32]}],
            },
        ),
        ("eip1559", {"type": "0x2"}),
    ],
)
async def test_transfer(account: Account, name: str, fields: dict[str, Any]) -> None:
    before = account.node.balance(TO)
    mined = await account.mine(to=TO, value=hex(ETHER), **fields)
    assert mined.signed["summary"]["type"] == name
    assert mined.receipt["type"] == fields["type"]
    assert (mined.action["kind"], mined.action["to"], int(mined.action["amount"])) == ("transfer", TO, ETHER)
    assert account.node.balance(TO) - before == ETHER
    spent = 100 * ETHER - ETHER - account.node.balance(account.address)
    assert 0 < spent <= int(mined.signed["summary"]["fee"]["amount"])


async def test_set_code(account: Account) -> None:
    authority = await account.sibling()
    authorization = await account.service.ask(
        "authorizations.sign", **authority.selector, chain_id=str(account.node.chain_id), contract=TO, nonce="0"
    )
    details = authorization["details"]
    entry = {
        "chainId": hex(int(details["chain_id"])),
        "address": details["address"],
        "nonce": hex(int(details["nonce"])),
        "yParity": hex(details["y_parity"]),
        "r": details["r"],
        "s": details["s"],
    }
    mined = await account.mine(type="0x4", to=TO, gas=hex(100_000), authorizationList=[entry])
    assert mined.receipt["type"] == "0x4"
    assert account.node.call("eth_getCode", authority.address, "latest") == "0xef0100" + TO[2:]
    delegation = mined.signed["summary"]["actions"][1]
    assert (delegation["kind"], delegation["contract"]) == ("authorization", TO)
    assert delegation["from_address"] == authority.address


@pytest.mark.parametrize("hardfork", ["prague", "osaka"])
async def test_blob(service: Service, hardfork: str) -> None:
    blob_hash = b"\x01" + sha256(INFINITY).digest()[1:]
    with Anvil(hardfork=hardfork) as node:
        account = await Account.new(service, node)
        form = account.form(
            type="0x3", to=TO, maxFeePerBlobGas=hex(10**9), blobVersionedHashes=["0x" + blob_hash.hex()]
        )
        signed = await account.sign(form)
        receipt = account.broadcast(signed, raw=_with_sidecar(signed["signed_tx"], cells=hardfork == "osaka"))
    assert (receipt["type"], int(receipt["blobGasUsed"], 16)) == ("0x3", len(ZERO_BLOB))


def _with_sidecar(canonical: str, *, cells: bool) -> str:
    """The network form of EIP-4844, or with the cell proofs of EIP-7594, of a transaction with one blob of zeros."""
    fields = rlp.decode(bytes.fromhex(canonical[4:]))
    sidecar = [[ZERO_BLOB], [INFINITY], [INFINITY] * (CELLS if cells else 1)]
    network_form: bytes = rlp.encode([fields, *([b"\x01"] if cells else []), *sidecar])
    return "0x03" + network_form.hex()


@pytest.mark.needs("solc")
async def test_contract_creation(account: Account, bytecode: str) -> None:
    token = await _deployed(account, bytecode)
    assert token.action["kind"] == "contract_creation"
    assert token.action["contract"].lower() == token.receipt["contractAddress"]
    assert len(account.node.call("eth_getCode", token.action["contract"], "latest")) > 1000


@pytest.mark.needs("solc")
async def test_erc20(account: Account, bytecode: str) -> None:
    token = (await _deployed(account, bytecode)).action["contract"]
    spender = await account.sibling()

    async def call(caller: Account, function: str, *values: Any) -> Mined:
        data = function_signature_to_4byte_selector(function)
        data += encode(function.partition("(")[2][:-1].split(","), values)
        return await caller.mine(to=token, gas=hex(100_000), data="0x" + data.hex())

    transfer = await call(account, "transfer(address,uint256)", TO, 5)
    assert _told(transfer) == ("token_transfer", token, account.address, TO, 5)
    assert _logged(transfer, "Transfer(address,address,uint256)") == _told(transfer)[1:]

    approve = await call(account, "approve(address,uint256)", spender.address, 7)
    assert _told(approve) == ("token_approve", token, account.address, spender.address, 7)
    assert _logged(approve, "Approval(address,address,uint256)") == _told(approve)[1:]

    spend = await call(spender, "transferFrom(address,address,uint256)", account.address, TO, 6)
    assert _told(spend) == ("token_transfer_from", token, account.address, TO, 6)
    assert _logged(spend, "Transfer(address,address,uint256)") == _told(spend)[1:]


async def _deployed(account: Account, bytecode: str) -> Mined:
    return await account.mine(to=None, gas=hex(2_000_000), data=bytecode)


def _told(mined: Mined) -> tuple[Any, ...]:
    action = mined.action
    other = action.get("spender") or action["to"]
    return (action["kind"], action["asset"], action["from_address"], other, int(action["amount"]))


def _logged(mined: Mined, event: str) -> tuple[Any, ...]:
    """The only log: contract, the two indexed addresses, and the amount."""
    (log,) = mined.receipt["logs"]
    assert log["topics"][0] == "0x" + event_signature_to_log_topic(event).hex()
    addresses = (log["address"], *(topic[-40:] for topic in log["topics"][1:]))
    return (*map(oracle.checksum, addresses), int(log["data"], 16))


async def test_chain_id_that_nobody_configured(service: Service) -> None:
    with Anvil(chain_id=424_242) as node:
        account = await Account.new(service, node, network="eip155:424242")
        mined = await account.mine(to=TO, value="0x1")
        assert mined.signed["network"] == "eip155:424242"
        foreign = account.form(to=TO) | {"chainId": hex(1)}
        assert await service.refusal("transactions.sign", **account.selector, unsigned_tx=foreign) == (
            "invalid_transaction"
        )


async def test_twenty_at_once_are_mined_in_order(account: Account) -> None:
    forms = [account.form(to=TO, value=hex(number)) | {"nonce": hex(number)} for number in range(20)]
    signed = await asyncio.gather(*map(account.sign, forms))
    receipts = [account.broadcast(each) for each in signed]
    blocks = [int(receipt["blockNumber"], 16) for receipt in receipts]
    assert blocks == sorted(blocks)
    assert account.node.nonce(account.address) == 20


async def test_replacement(account: Account) -> None:
    node = account.node
    node.call("evm_setAutomine", False)
    try:
        form = account.form(to=TO, value="0x1")
        first = await account.sign(form)
        node.broadcast(first["signed_tx"])
        dearer = form | {name: hex(2 * int(fee, 16)) for name, fee in FEES.items()}
        refused = await account.service.refusal("transactions.sign", **account.selector, unsigned_tx=dearer)
        assert refused == "already_signed"
        second = await account.sign(dearer, options={"replaces": first["tx_id"]})
        node.broadcast(second["signed_tx"])
        node.call("evm_mine")
    finally:
        node.call("evm_setAutomine", True)
    receipt = node.mined(second["tx_id"])
    assert (receipt["status"], receipt["from"]) == ("0x1", account.address.lower())
    assert node.receipt(first["tx_id"]) is None


async def test_one_bit_changed_is_not_ours(account: Account) -> None:
    draw = random.Random(1559)
    signed = await account.sign(account.form(to=TO, value="0x1"))
    for _ in range(20):
        changed = oracle.one_bit_changed(draw, signed["signed_tx"], within=slice(-31, None))
        with pytest.raises(Refused):
            account.node.broadcast(changed)
    assert account.node.nonce(account.address) == 0
    account.broadcast(signed)
