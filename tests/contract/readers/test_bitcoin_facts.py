"""Published responses and error texts of nodes, and what they mean."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Consumed, SignedIds
from strongroom.rpc.base import FeeQuality, Holder, NodeError, Rejection, Sent, Setup, State, Tracked, Verdict
from strongroom.rpc.bitcoin import core, electrum_calls, fees, refusals
from strongroom.rpc.bitcoin.core import Core
from strongroom.rpc.bitcoin.electrum import Electrum
from strongroom.rpc.bitcoin.esplora import Esplora
from strongroom.rpc.bitcoin.fees import Rate, rate
from strongroom.rpc.http import Http
from strongroom.rpc.jsonrpc import Fault, JsonRpc
from strongroom.rpc.lines import Lines
from tests.contract.readers.bitcoin_world import PATIENT
from tests.support.liar import lying_http, lying_lines

BITCOIN = Bitcoin()
MAINNET = BITCOIN.networks[0]
SETUP = Setup(MAINNET, coin_of(MAINNET), {}, MAINNET.caip2.partition(":")[2])

GENESIS = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51"
    "323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
"""Header of block 0 (Bitcoin Core, src/kernel/chainparams.cpp)."""
BLOCK_1 = (
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7"
    "b1cdb606e857233e0e61bc6649ffff001d01e36299"
)
HASH_1 = "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"
"""Of block 1, time 1231469665 (mempool.space/api/v1/blocks/1)."""
SATOSHI = BITCOIN.parse_address(MAINNET, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
SCRIPT_HASH = "8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161"
"""Of that address (Electrum protocol, protocol-basics)."""
FIRST_PAYMENT = (
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3"
    "a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff"
    "0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7"
    "303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a690"
    "9a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000"
)
FIRST_PAYMENT_ID = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
"""Of block 170: 10 BTC to another (mempool.space)."""


@asynccontextmanager
async def electrum(answers: Mapping[str, Any], version: str = "1.4") -> AsyncIterator[Electrum]:
    """A server that gives these responses, or computes them from the parameters."""
    said = {"server.version": ["a server", version], "blockchain.block.header": GENESIS, **answers}

    async def answer(line: bytes) -> bytes:
        asked = json.loads(line)
        method = asked["method"]
        found = said.get(method, Fault(-32601, f"unknown method {method}"))
        if callable(found):
            found = found(*asked["params"])
        fault = isinstance(found, Fault)
        told = {"error": {"code": found.code, "message": found.message}} if fault else {"result": found}
        return json.dumps({"jsonrpc": "2.0", "id": asked["id"], **told}).encode() + b"\n"

    async with lying_lines(answer) as liar:
        lines = Lines("127.0.0.1", liar.port, tls=False, classify=electrum_calls.classify, seconds=PATIENT)
        source = Electrum(SETUP, lines)
        try:
            yield source
        finally:
            await source.close()


@asynccontextmanager
async def over_http(kind: type[Core | Esplora], answers: Mapping[str, Any]) -> AsyncIterator[Core | Esplora]:
    """Responses by method for Core, and by method and path for Esplora.

    A response is a value, a text, a status and a text, or a function that makes it.
    """

    async def answer(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if kind is Esplora:
            told = answers.get(f"{method} {path}", (404, "endpoint does not exist"))
            status, text = told if isinstance(told, tuple) else (200, told)
            return status, (text if isinstance(text, str) else json.dumps(text)).encode()
        asked = json.loads(body)
        many = isinstance(asked, list)
        told = []
        for each in asked if many else [asked]:
            found = answers[each["method"]]
            told.append({"jsonrpc": "2.0", "id": each["id"], **(found() if callable(found) else found)})
        return 200, json.dumps(told if many else told[0]).encode()

    async with lying_http(answer) as liar:
        http = Http(Secret(liar.url), seconds=PATIENT)
        source = Esplora(SETUP, http) if kind is Esplora else Core(SETUP, JsonRpc(http, core.classify, batch=100))
        try:
            yield source
        finally:
            await source.close()


@pytest.mark.parametrize(
    ("written", "unit", "integer"),
    [
        ("87.882", Rate.SAT_PER_VB, 87_882),  # Esplora's own example (API.md, fee-estimates)
        ("1.027", Rate.SAT_PER_VB, 1_027),
        ("0.00001000", Rate.BTC_PER_KVB, 1_000),  # -minrelaytxfee of Bitcoin Core up to 29
        ("0.00000100", Rate.BTC_PER_KVB, 100),  # since 30
        ("0.00087882", Rate.BTC_PER_KVB, 87_882),
        ("0.000000001", Rate.BTC_PER_KVB, 1),
        ("0.1", Rate.BTC_PER_KVB, 10_000_000),  # maxfeerate of sendrawtransaction
        ("0", Rate.BTC_PER_KVB, 0),
    ],
)
def test_fee_rates(written: str, unit: Rate, integer: int) -> None:
    assert rate(Decimal(written), unit) == integer


@pytest.mark.parametrize("written", ["-1", "NaN", "Infinity", "1.00000001", "1e30", "1e999999"])
def test_what_no_fee_rate_is(written: str) -> None:
    with pytest.raises(NodeError) as caught:
        rate(Decimal(written), Rate.BTC_PER_KVB)
    assert caught.value.verdict is Verdict.LYING


@pytest.mark.parametrize(
    ("estimates", "expected"),
    [
        ([1_100, 5_000, 9_000], (1_100, 5_000, 9_000, FeeQuality.ESTIMATE)),
        ([100, 500, 9_000], (1_000, 1_000, 9_000, FeeQuality.ESTIMATE)),
        ([7_000, 6_000, 5_000], (5_000, 5_000, 5_000, FeeQuality.ESTIMATE)),
        ([None, None, 5_000], (5_000, 5_000, 5_000, FeeQuality.ESTIMATE)),
        ([2_000, 3_000, None], (2_000, 3_000, 3_000, FeeQuality.FLOOR)),
        ([None, None, None], (1_000, 1_000, 1_000, FeeQuality.FLOOR)),
    ],
)
def test_suggestions_are_in_order_and_over_the_floor(estimates: list[int | None], expected: Any) -> None:
    found = fees.suggest(estimates, 1_000)
    assert (found.slow, found.normal, found.fast, found.quality) == expected


async def test_fees_of_core() -> None:
    pool = {"result": {"mempoolminfee": 0.00001, "minrelaytxfee": 0.00002}}
    answers = {"estimatesmartfee": {"result": {"feerate": 0.00087882, "blocks": 2}}, "getmempoolinfo": pool}
    async with over_http(Core, answers) as source:
        found = await source.fees()
    assert (found.slow, found.fast, found.quality) == (87_882, 87_882, FeeQuality.ESTIMATE)
    nothing = {"errors": ["Insufficient data or no feerate found"], "blocks": 0}
    async with over_http(Core, {"estimatesmartfee": {"result": nothing}, "getmempoolinfo": pool}) as source:
        found = await source.fees()
    assert (found.slow, found.fast, found.quality) == (2_000, 2_000, FeeQuality.FLOOR)


async def test_fees_of_esplora() -> None:
    """The example of Blockstream/esplora, API.md."""
    told = '{"1": 87.882, "2": 87.882, "3": 87.882, "4": 87.882, "5": 81.129, "6": 68.285, "144": 1.027, "1008": 1.027}'
    async with over_http(Esplora, {"GET /fee-estimates": told}) as source:
        found = await source.fees()
    assert (found.slow, found.normal, found.fast) == (1_027, 68_285, 87_882)


@pytest.mark.parametrize(
    ("version", "floor"),
    [
        ("1.4.2", {"blockchain.relayfee": 0.00001}),
        ("1.6", {"mempool.get_info": {"mempoolminfee": 0.00001, "minrelaytxfee": 0.000001}}),
    ],
)
async def test_fees_of_electrum(version: str, floor: dict[str, Any]) -> None:
    """From protocol 1.6 on the fee floor is another method, even for the first request."""
    for estimate, expected in ((-1, (1_000, FeeQuality.FLOOR)), (0.00101079, (101_079, FeeQuality.ESTIMATE))):
        async with electrum({"blockchain.estimatefee": estimate, **floor}, version) as source:
            found = await source.fees()
            assert (found.fast, found.quality) == expected


async def test_first_block_of_electrum() -> None:
    async with electrum({"blockchain.headers.subscribe": {"height": 1, "hex": BLOCK_1}}) as source:
        await source.pin()
        head = await source.head()
    assert (head.height, head.hash, int(head.time.timestamp()), head.finalized) == (1, HASH_1, 1231469665, 0)


async def test_a_server_of_another_chain_is_never_asked() -> None:
    async with electrum({"blockchain.block.header": BLOCK_1}) as source:
        with pytest.raises(NodeError) as caught:
            await source.fees()
    assert (caught.value.verdict, caught.value.cause) == (Verdict.LYING, "wrong_chain")


async def test_balance_of_the_protocol_documents() -> None:
    """The example of get_balance and the script hash in the Electrum protocol."""
    assert electrum_calls.script_hash(SATOSHI.canonical) == SCRIPT_HASH
    answers = {
        "blockchain.headers.subscribe": {"height": 215_008, "hex": BLOCK_1},
        "blockchain.scripthash.get_balance": {"confirmed": 103873966, "unconfirmed": 23684400},
        "blockchain.scripthash.listunspent": [
            {"tx_pos": 0, "value": 103873966, "tx_hash": "9f" * 32, "height": 200004}
        ],
    }
    async with electrum(answers) as source:
        found = await source.balances([Holder(SATOSHI.canonical, SATOSHI.address)], [SETUP.coin])
    [balance] = found.found
    assert (balance.confirmed, balance.pending, balance.spendable) == (103873966, 23684400, 103873966)


async def test_scripts_without_a_history_cost_little() -> None:
    """ElectrumX charges a third of a balance for a status, and has 1,000 units for a client."""
    holders = [Holder(bytes([number]), str(number)) for number in range(200)]
    used = {electrum_calls.script_hash(each.canonical) for each in holders[::50]}
    asked: list[str] = []

    def balance(script_hash: str) -> dict[str, int]:
        asked.append(script_hash)
        return {"confirmed": 7, "unconfirmed": 0}

    answers = {
        "blockchain.headers.subscribe": {"height": 1, "hex": BLOCK_1},
        "blockchain.scripthash.subscribe": lambda script_hash: "ab" * 32 if script_hash in used else None,
        "blockchain.scripthash.get_balance": balance,
        "blockchain.scripthash.listunspent": [],
    }
    async with electrum(answers) as source:
        found = await source.balances(holders, [SETUP.coin])
    assert [each.confirmed for each in found.found] == [0 if number % 50 else 7 for number in range(200)]
    assert set(asked) == used


@pytest.mark.parametrize(
    ("verbose", "state"),
    [
        ({"hex": FIRST_PAYMENT}, State.PENDING),
        ({"hex": FIRST_PAYMENT, "blockhash": HASH_1, "confirmations": 0}, State.UNKNOWN),
        ({"hex": FIRST_PAYMENT, "blockhash": HASH_1, "confirmations": 1}, None),
    ],
)
async def test_what_the_node_knows_before_its_electrum_server(verbose: dict[str, Any], state: State | None) -> None:
    """A block that left the chain, a pending transaction, and a block that the server has not read yet."""
    answers = {
        "blockchain.transaction.get": lambda _, told=False: verbose if told else FIRST_PAYMENT,
        "blockchain.scripthash.get_history": [],
    }
    async with electrum(answers) as source:
        if state is None:
            with pytest.raises(NodeError, match="behind"):
                await source.status(Tracked(FIRST_PAYMENT_ID))
        else:
            assert (await source.status(Tracked(FIRST_PAYMENT_ID))).state is state


async def test_first_payment() -> None:
    for raw in (
        electrum({"blockchain.transaction.get": FIRST_PAYMENT}),
        over_http(Core, {"getrawtransaction": {"result": FIRST_PAYMENT}}),
        over_http(Esplora, {f"GET /tx/{FIRST_PAYMENT_ID}/hex": FIRST_PAYMENT}),
    ):
        async with raw as source:
            assert (await source.transaction(FIRST_PAYMENT_ID)).hex() == FIRST_PAYMENT


async def test_another_transaction_is_a_lie() -> None:
    other = "ab" * 32
    for made in (
        electrum({"blockchain.transaction.get": FIRST_PAYMENT}),
        over_http(Core, {"getrawtransaction": {"result": FIRST_PAYMENT}}),
        over_http(Esplora, {f"GET /tx/{other}/hex": FIRST_PAYMENT}),
    ):
        async with made as source:
            with pytest.raises(NodeError) as caught:
                await source.transaction(other)
            assert (caught.value.verdict, caught.value.cause) == (Verdict.LYING, "wrong_transaction")


async def test_the_id_of_a_transaction_is_not_that_of_its_witness() -> None:
    spent = TxIn(OutPoint(b"\1" * 32, 0), b"", 0, (b"\2" * 64,))
    made = Transaction(2, (spent,), (TxOut(1, b"\x51"),), 0)
    async with over_http(Core, {"getrawtransaction": {"result": made.serialize().hex()}}) as source:
        assert await source.transaction(made.txid) == made.serialize()
        with pytest.raises(NodeError):
            await source.transaction(made.wtxid)


async def test_genesis_coinbase() -> None:
    """Bitcoin Core's -5: "not considered an ordinary transaction"."""
    said = "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved"
    async with over_http(Core, {"getrawtransaction": {"error": {"code": -5, "message": said}}}) as source:
        with pytest.raises(NodeError) as caught:
            await source.transaction("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")
    assert caught.value.verdict is Verdict.ELSEWHERE


@pytest.mark.parametrize(
    ("code", "words", "meaning"),
    [
        (-27, "Transaction outputs already in utxo set", refusals.KNOWN),
        (-27, "Transaction already in block chain", refusals.KNOWN),
        (-26, "txn-already-in-mempool", refusals.KNOWN),
        (-26, "txn-same-nonwitness-data-in-mempool", refusals.KNOWN),
        (-25, "bad-txns-inputs-missingorspent", refusals.INPUTS_GONE),
        (-25, "Missing inputs", refusals.INPUTS_GONE),
        (-26, "insufficient fee, rejecting replacement 8d36; new feerate 0.0001 BTC/kvB", Rejection.FEE_TOO_LOW),
        (-26, "min relay fee not met, 0 < 110", Rejection.FEE_TOO_LOW),
        (-26, "mempool min fee not met, 110 < 500", Rejection.FEE_TOO_LOW),
        (-26, "txn-mempool-conflict", Rejection.ALREADY_SPENT),
        (-26, "mandatory-script-verify-flag-failed (Signature must be zero)", Rejection.INVALID),
        (-26, "mempool-script-verify-flag-failed (Invalid Schnorr signature)", Rejection.INVALID),
        (-26, "non-mandatory-script-verify-flag (Non-canonical signature)", Rejection.POLICY),
        (-26, "bad-txns-in-belowout, value in (1) < value out (2)", Rejection.INVALID),
        (-26, "bad-txns-premature-spend-of-coinbase, tried to spend at depth 1", Rejection.POLICY),
        (-26, "bad-txns-nonstandard-inputs", Rejection.POLICY),
        (-26, "non-final", Rejection.POLICY),
        (-26, "dust", Rejection.POLICY),
        (-26, "a reason of tomorrow", Rejection.POLICY),
        (-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)", Rejection.POLICY),
        (-25, "Unspendable output exceeds maximum configured by user (maxburnamount)", Rejection.POLICY),
        (-22, "TX decode failed. Make sure the tx has at least one input.", Rejection.INVALID),
    ],
)
def test_refusals(code: int, words: str, meaning: str) -> None:
    """The error texts of Bitcoin Core, which ElectrumX, Fulcrum and both electrs repeat."""
    raw = "0200" + "ab" * 5_000
    for told in (
        core.classify(Fault(code, words)),
        electrum_calls.classify(Fault(1, f"the transaction was rejected by network rules.\n\n{words}\n[{raw}]")),
        electrum_calls.classify(Fault(2, f"daemon error: RpcError {{ code: {code}, message: {words!r} }}")),
        electrum_calls.classify(Fault(0, f'sendrawtransaction RPC error: {{"code":{code},"message":"{words}"}}')),
        refusals.of(f'sendrawtransaction RPC error: {{"code":{code},"message":"{words}"}}'),
    ):
        assert told is not None
        assert told.verdict is Verdict.NO
        if meaning is refusals.KNOWN:
            assert told.cause == meaning
        elif meaning is refusals.INPUTS_GONE:
            assert (told.cause, told.rejection) == (meaning, Rejection.ALREADY_SPENT)
        else:
            assert told.rejection == meaning


@pytest.mark.parametrize(
    ("code", "words", "verdict"),
    [
        (-102, "server busy - request timed out", Verdict.BUSY),
        (-101, "excessive resource usage", Verdict.BUSY),
        (1, "history too large", Verdict.ELSEWHERE),
        (10_001, "history too large", Verdict.ELSEWHERE),
        (1, "still catching up with daemon", Verdict.ELSEWHERE),
        (1, "height 1,234 out of range", Verdict.ELSEWHERE),
        (2, "daemon error: DaemonError({'code': -5, 'message': 'No such mempool or blockchain transaction.'})",
         Verdict.ELSEWHERE),
        (-32600, "missing transaction", Verdict.ELSEWHERE),
        (1, "zz is not a valid script hash", Verdict.OURS),
        (2, "daemon error: DaemonError({'code': -28, 'message': 'Loading block index'})", None),
        (0, "on 2026-11-25 the sky fell", None),
        (0, "daemon timed out, id -25", None),
        (0, "shard-26 is being moved", None),
    ],
)  # fmt: skip
def test_faults_of_electrum_servers(code: int, words: str, verdict: Verdict | None) -> None:
    found = electrum_calls.classify(Fault(code, words))
    assert (None if found is None else found.verdict) is verdict


@pytest.mark.parametrize(
    ("code", "words", "verdict"),
    [
        (-28, "Loading block index…", Verdict.BUSY),
        (-8, 'Scan already in progress, use action "abort" or "status"', Verdict.BUSY),
        (-8, "parameter 1 must be of length 64", Verdict.OURS),
        (-5, "No such mempool or blockchain transaction.", Verdict.ELSEWHERE),
        (-1, "std::exception", None),
    ],
)
def test_faults_of_core(code: int, words: str, verdict: Verdict | None) -> None:
    found = core.classify(Fault(code, words))
    assert (None if found is None else found.verdict) is verdict


IDS = SignedIds(("ab" * 32, "cd" * 32))


async def test_a_broadcast_that_answers_another_id_is_a_lie() -> None:
    for made in (
        electrum({"blockchain.transaction.broadcast": "ee" * 32}),
        over_http(Core, {"sendrawtransaction": {"result": "ee" * 32}}),
        over_http(Esplora, {"POST /tx": "ee" * 32}),
    ):
        async with made as source:
            with pytest.raises(NodeError) as caught:
                await source.broadcast("00", IDS)
            assert caught.value.verdict is Verdict.LYING


async def test_known_to_esplora() -> None:
    said = 'sendrawtransaction RPC error: {"code":-27,"message":"Transaction outputs already in utxo set"}'
    async with over_http(Esplora, {"POST /tx": (400, said)}) as source:
        assert await source.broadcast("00", IDS) == Sent(IDS.tx_ids[0], known=True)


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_the_page_of_a_proxy_is_no_refusal(status: int) -> None:
    page = "<!DOCTYPE html><title>error -26</title>Buy coinbase shares, nonstandard and already in mempool"
    async with over_http(Esplora, {"POST /tx": (status, page)}) as source:
        with pytest.raises(NodeError) as caught:
            await source.broadcast("00", IDS)
    assert caught.value.verdict is not Verdict.NO


@pytest.mark.parametrize(("waiting", "cannot_see"), [(49, ()), (50, ("pending",))])
async def test_esplora_shows_fifty_that_are_pending(waiting: int, cannot_see: tuple[str, ...]) -> None:
    holder = Holder(SATOSHI.canonical, SATOSHI.address)
    paid = {"scriptpubkey": SATOSHI.canonical.hex(), "value": 1}
    rows = [
        {"txid": f"{number:064x}", "vin": [], "vout": [paid], "fee": 1, "status": {"confirmed": False}}
        for number in range(waiting)
    ]
    path = f"/scripthash/{sha256(SATOSHI.canonical).hexdigest()}"
    async with over_http(Esplora, {"GET /blocks/tip/height": "9", f"GET {path}/txs": rows}) as source:
        page = await source.history(holder, begin=None, most=100)
    assert (len(page.entries), page.cannot_see) == (waiting, cannot_see)


async def test_what_others_sent_an_address_is_no_fault_of_the_server() -> None:
    path = f"/scripthash/{sha256(SATOSHI.canonical).hexdigest()}"
    answers = {"GET /blocks/tip/height": "9", f"GET {path}/txs": "[" + " " * (9 << 20) + "]"}
    async with over_http(Esplora, answers) as source:
        with pytest.raises(NodeError) as caught:
            await source.history(Holder(SATOSHI.canonical, SATOSHI.address), begin=None, most=10)
    assert (caught.value.verdict, caught.value.cause) == (Verdict.ELSEWHERE, "history_too_large")


MISSING = {"error": {"code": -5, "message": "No such mempool or blockchain transaction."}}
SPENT = SignedIds(IDS.tx_ids, consumes=(Consumed("", f"{FIRST_PAYMENT_ID}:0"),))
INDEXED = {"getindexinfo": {"result": {"txindex": {"synced": True}}}}


@pytest.mark.parametrize(("spender", "state"), [(IDS.tx_ids[0], State.PENDING), ("ee" * 32, State.REPLACED)])
async def test_core_names_nobody_his_own_replacement(spender: str, state: State) -> None:
    """It arrives between the two questions, for the transaction and for the spenders of its inputs."""
    spending = {"result": [{"txid": FIRST_PAYMENT_ID, "vout": 0, "spendingtxid": spender}]}
    async with over_http(Core, {"getrawtransaction": MISSING, "gettxspendingprevout": spending, **INDEXED}) as source:
        found = await source.status(Tracked(IDS.tx_ids[0], SPENT))
    assert (found.state, found.replaced_by) == (state, None if state is State.PENDING else spender)


async def test_core_looks_again_before_it_says_that_a_block_has_another() -> None:
    """It was mined between the two questions, so the spender of its input is the transaction itself."""
    header = {"hash": HASH_1, "height": 9, "time": 1231469665, "confirmations": 1}
    mined = {"txid": IDS.tx_ids[0], "blockhash": HASH_1, "confirmations": 1}
    parent = {"result": mined | {"txid": FIRST_PAYMENT_ID}}
    for last, state in ((MISSING, State.REPLACED), ({"result": mined}, None)):
        said = iter([MISSING, parent, last])
        answers = {
            "getrawtransaction": lambda said=said: next(said),
            "gettxspendingprevout": {"result": [{"txid": FIRST_PAYMENT_ID, "vout": 0}]},
            "gettxout": {"result": None},
            "getblockheader": {"result": header},
            **INDEXED,
        }
        async with over_http(Core, answers) as source:
            if state is None:
                with pytest.raises(NodeError, match="moving"):
                    await source.status(Tracked(IDS.tx_ids[0], SPENT))
            else:
                found = await source.status(Tracked(IDS.tx_ids[0], SPENT))
                assert (found.state, found.final) == (state, False)


async def test_an_electrum_server_names_nobody_his_own_replacement() -> None:
    parent = bytes.fromhex(FIRST_PAYMENT)
    spent = TxIn(OutPoint(bytes.fromhex(FIRST_PAYMENT_ID)[::-1], 0), b"", 0)
    ours = Transaction(2, (spent,), (TxOut(1, b"\x51"),), 0)
    said = iter([Fault(2, "daemon error: No such mempool or blockchain transaction."), ours.serialize().hex()])
    answers = {
        "blockchain.transaction.get": lambda tx_id, *_: (
            parent.hex() if tx_id == FIRST_PAYMENT_ID else next(said, ours.serialize().hex())
        ),
        "blockchain.scripthash.get_history": [{"tx_hash": ours.txid, "height": 0, "fee": 7}],
    }
    ids = SignedIds((ours.txid,), consumes=SPENT.consumes)
    async with electrum(answers) as source:
        found = await source.status(Tracked(ours.txid, ids))
    assert (found.state, found.fee, found.replaced_by) == (State.PENDING, 7, None)


async def test_without_an_index_core_does_not_guess() -> None:
    missing = {"error": {"code": -5, "message": "No such mempool transaction. Use -txindex or provide a block hash."}}
    answers = {"getrawtransaction": missing, "getindexinfo": {"result": {}}, "gettxout": {"result": None}}
    async with over_http(Core, answers) as source:
        with pytest.raises(NodeError) as caught:
            await source.status(Tracked(IDS.tx_ids[0], IDS))
    assert (caught.value.verdict, caught.value.cause) == (Verdict.ELSEWHERE, "no_index")


async def test_without_an_index_core_finds_unspent_outputs() -> None:
    header = {"hash": HASH_1, "height": 9, "time": 1231469665, "confirmations": 1}
    answers = {
        "getrawtransaction": {"error": {"code": -5, "message": "No such mempool transaction."}},
        "getindexinfo": {"result": {}},
        "gettxout": {"result": {"bestblock": HASH_1, "confirmations": 7}},
        "getblockheader": {"result": header},
        "getblockhash": {"result": HASH_1},
    }
    async with over_http(Core, answers) as source:
        found = await source.status(Tracked(IDS.tx_ids[0], IDS))
    assert (found.state, found.final) == (State.CONFIRMED, False), "the header that was told is the best one"
