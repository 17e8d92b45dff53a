"""Blocks of an EVM chain: which chain it is, its head, and single blocks."""

from __future__ import annotations

import msgspec

from strongroom.rpc.base import Block, Head, NodeError, Setup, Verdict
from strongroom.rpc.evm import values
from strongroom.rpc.evm.verdicts import UNKNOWN_BLOCK
from strongroom.rpc.jsonrpc import JsonRpc, Question


class _Header(msgspec.Struct, frozen=True, rename="camel"):
    number: str
    hash: str
    timestamp: str


async def pin(rpc: JsonRpc, setup: Setup) -> None:
    """Checks ``eth_chainId``. A pin of 0x and 64 digits is compared with the hash of the genesis block as well."""
    genesis = setup.pin.startswith("0x")
    said = values.quantity(await rpc.call("eth_chainId", [], str))
    if said != (setup.network.chain_id if genesis else int(setup.pin)):
        raise NodeError(Verdict.LYING, "another_chain")
    if genesis and (await block(rpc, "0x0")).hash != setup.pin.lower():
        raise NodeError(Verdict.LYING, "another_chain")


async def block(rpc: JsonRpc, name: str) -> Block:
    """The block at a tag or height. Raises NodeError with `ELSEWHERE` if the node does not have it."""
    found = await rpc.call("eth_getBlockByNumber", [name, False], _Header | None)  # type: ignore[arg-type]
    return _block(found)


async def head(rpc: JsonRpc, finality: int | str | None) -> Head:
    """The head. ``finality``: a depth, or ``tag`` or None for the block that the node calls finalized.

    If the node names no finalized block, nothing is final.
    """
    latest, said = await _latest_and_finalized(rpc, tag=not isinstance(finality, int))
    newest = _block(latest)
    assert newest.time is not None
    finalized = newest.height - finality if isinstance(finality, int) else 0 if said is None else _block(said).height
    if finalized > newest.height:
        raise NodeError(Verdict.ELSEWHERE, "contradicts_itself")
    return Head(newest.height, newest.hash, newest.time, max(0, finalized))


async def _latest_and_finalized(rpc: JsonRpc, *, tag: bool) -> tuple[_Header | None, _Header | None]:
    """Both blocks in one request, if the provider accepts two questions at once. Not every node knows the second."""
    questions = [Question("eth_getBlockByNumber", [name, False]) for name in ("latest", "finalized")]
    if tag:
        try:
            latest, said = await rpc.batch(questions, _Header | None)  # type: ignore[arg-type]
        except NodeError as error:
            if error.verdict is not Verdict.OURS and error.cause != "error":
                raise
        else:
            if isinstance(latest, NodeError):
                raise latest
            if isinstance(said, NodeError) and said.verdict is Verdict.BUSY:
                raise said
            return latest, None if isinstance(said, NodeError) else said
    return await rpc.call(questions[0].method, questions[0].params, _Header | None), None  # type: ignore[arg-type]


def _block(found: _Header | None) -> Block:
    if found is None:
        raise NodeError(Verdict.ELSEWHERE, UNKNOWN_BLOCK)
    height = values.quantity(found.number, values.MOST_HEIGHT)
    return Block(height, values.hash32(found.hash), values.time(values.quantity(found.timestamp)))
