"""Calldata of the functions that are called most on mainnet, by viem. Bytes after the arguments do not change the
summary.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from strongroom.codecs import abi
from strongroom.domain.summary import Summary
from tests.support import node
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, OURS, PERMISSIVE, TOKEN, check
from tests.unit.chains.evm.test_evm_summaries import CALL

pytestmark = pytest.mark.needs("viem")

SAMPLES = 500
FUNCTIONS = {
    "transfer(address to, uint256 amount)": "a9059cbb",
    "approve(address spender, uint256 amount)": "095ea7b3",
    "transferFrom(address from, address to, uint256 amount)": "23b872dd",
    "increaseAllowance(address spender, uint256 amount)": "39509351",
    "decreaseAllowance(address spender, uint256 amount)": "a457c2d7",
    "setApprovalForAll(address operator, bool approved)": "a22cb465",
    "safeTransferFrom(address from, address to, uint256 id)": "42842e0e",
    "safeTransferFrom(address from, address to, uint256 id, bytes data)": "b88d4fde",
    "safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)": "f242432a",
    "safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)": "2eb2c2d6",
    "deposit()": "d0e30db0",
    "withdraw(uint256 amount)": "2e1a7d4d",
    "permit(address owner, address spender, uint256 value, uint256 time, uint8 v, bytes32 r, bytes32 s)": "d505accf",
    "transferAndCall(address to, uint256 amount, bytes data)": "4000aea0",
    "approveAndCall(address spender, uint256 amount, bytes data)": "cae9ca51",
    "mint(address to, uint256 amount)": "40c10f19",
    "burn(uint256 amount)": "42966c68",
    "swapExactTokensForTokens(uint256 a, uint256 b, address[] path, address to, uint256 deadline)": "38ed1739",
    "swapExactETHForTokens(uint256 b, address[] path, address to, uint256 deadline)": "7ff36ab5",
    "swapExactTokensForETH(uint256 a, uint256 b, address[] path, address to, uint256 deadline)": "18cbafe5",
    "swapTokensForExactTokens(uint256 a, uint256 b, address[] path, address to, uint256 deadline)": "8803dbee",
    "swapETHForExactTokens(uint256 b, address[] path, address to, uint256 deadline)": "fb3bdb41",
    "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256 b, address[] path, address to, uint256 t)": "b6f9de95",
    "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256 a, uint256 b, address[] p, address to, uint256 t)": (
        "791ac947"
    ),
    "exactInputSingle((address a, address b, uint24 f, address to, uint256 t, uint256 x, uint256 y, uint160 z) p)": (
        "414bf389"
    ),
    "execute(bytes commands, bytes[] inputs, uint256 deadline)": "3593564c",
    "execute(bytes commands, bytes[] inputs)": "24856bc3",
    "multicall(bytes[] data)": "ac9650d8",
    "multicall(uint256 deadline, bytes[] data)": "5ae401dc",
    "aggregate3((address target, bool allowFailure, bytes callData)[] calls)": "82ad56cb",
    "tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls)": "bce38bd7",
    "execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 a, uint256 b, uint256 c,"
    " address token, address receiver, bytes signatures)": "6a761202",
    "execute(address target, uint256 value, bytes data)": "b61d27f6",
    "executeBatch((address target, uint256 value, bytes data)[] calls)": "34fcd5be",
    "approve(address token, address spender, uint160 amount, uint48 expiration)": "87517c45",
    "transferFrom(address from, address to, uint160 amount, address token)": "36c78516",
    "supply(address asset, uint256 amount, address to, uint16 referral)": "617ba037",
    "submit(address referral)": "a1903eab",
    "delegate(address delegatee)": "5c19a95c",
    "transferOwnership(address owner)": "f2fde38b",
}


def read(data: bytes) -> tuple[Summary, list[str]]:
    form = CALL | {"to": TOKEN, "data": "0x" + data.hex(), "gas": hex(2**24)}
    decoded = EVM.decode(ETHEREUM, form)
    said = [caution.code for caution in check(form, PERMISSIVE)]
    return replace(EVM.summarise(decoded, OURS), payload_hash=None), said


def test_a_suffix_changes_nothing_but_one_caution() -> None:
    draw = random.Random(40)
    assert len(FUNCTIONS) == 40
    questions = [{"signature": each, "seed": seed} for seed in range(SAMPLES // 40 + 1) for each in FUNCTIONS]
    questions = questions[:SAMPLES]
    unknown = 0
    for question, text in zip(questions, node.run("calldata.mjs", questions), strict=True):
        data = bytes.fromhex(text[2:])
        assert data[:4].hex() == FUNCTIONS[str(question["signature"])]
        summary, said = read(data)
        assert "noncanonical_call" not in said, question
        assert summary.actions[0].method != text[:10], question
        for size in (0, 1, draw.randint(2, 64)):
            longer, more = read(data + draw.randbytes(size))
            assert longer == summary, question
            assert sorted(more) == sorted([*said, *(["noncanonical_call"] if size else [])]), question
        unknown += "unknown_call" in said
    assert 0 < unknown < SAMPLES // 2  # random bytes are meaningless calls inside meaningful ones
    assert abi.selector("claim()").hex() not in FUNCTIONS.values()
