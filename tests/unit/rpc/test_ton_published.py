"""TON: facts that others have published, each with its source, and the right answer to them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from strongroom.domain.asset import coin_of
from strongroom.domain.network import Network
from strongroom.domain.signing import Consumed, SignedIds
from strongroom.rpc.base import Direction, Entry, EntryKind, Holder, NodeError, Rejection, Setup, State, Verdict
from strongroom.rpc.http import Answer
from strongroom.rpc.ton import cells, entries, history, outcome, refusals, values
from strongroom.rpc.ton.outcome import Outcome
from strongroom.rpc.ton.rows import Transaction

MAINNET = Network("ton", "ton", "ton", "tvm:-239", None, "TON", 9, testnet=False)
TESTNET = Network("ton-testnet", "ton", "ton-test", "tvm:-3", None, "TON", 9, testnet=True)
WALLET = "0:5B6A643CF4E32FF0391C476456FED5BDB17EF10A55CBB7C2980C76D4AAD07875"
FRIEND = "0:835767AEB969C3845872D4633FBBAFDF20F92F7CED1FAE0F79804AC09F332A19"

# testnet.toncenter.com, transaction Jv81SPUJ…, as its adjacentTransactions showed it (30 July 2024)
SENT: dict[str, Any] = {
    "account": WALLET, "hash": "Jv81SPUJbodVgsHB+lo0/jEJDaidYQYivJDg+rz+ITA=", "lt": "24264044000001",
    "now": 1722422624, "mc_block_seqno": 21586062, "total_fees": "2123803",
    "description": {
        "type": "ord", "aborted": False, "compute_ph": {"skipped": False, "success": True, "exit_code": 0},
        "action": {"success": True, "valid": True, "result_code": 0, "tot_actions": 1, "skipped_actions": 0,
                   "msgs_created": 1},
    },
    "in_msg": {"hash": "RhrVTJxVy89oSoONtxcjAemKpyWyYva5L7XmXPPdn20=", "source": None, "destination": WALLET,
               "value": None, "fwd_fee": None, "opcode": "0x9c7b4878", "bounce": None, "bounced": None},
    "out_msgs": [{"hash": "UOCirTmzfXVxvp2+H6lyCTJZjXTMNNLGye+c/w2TskQ=", "source": WALLET, "destination": FRIEND,
                  "value": "30000000", "fwd_fee": "266669", "opcode": "0x00000000", "bounce": False,
                  "bounced": False}],
}  # fmt: skip
BEFORE, AFTER = 17301017743, 17268627271

# toncenter.com, transaction hvl6VoIc…: the first deposit of an account, which has no code then
CAME: dict[str, Any] = {
    "account": "0:D8CA6DD04573304609A70EE5104A8D29090E1FC631B29A8E0411172AAA52885A",
    "hash": "hvl6VoIc42KavTxZiEuH68rqGTPrlryE6RZG4wQENyk=", "lt": "93307000000009", "now": 1785330571,
    "mc_block_seqno": 82744100, "total_fees": "0", "emulated": False, "finality": "finalized",
    "description": {"type": "ord", "aborted": True, "compute_ph": {"skipped": True, "reason": "no_state"}},
    "in_msg": {"hash": "JA+LIuKFc9zra5+7ZNtetb3USdTSkzmJhENnZH/LJZY=",
               "source": "0:21D6615A74625CA8BEB3C7A5777978A1239EE8148B1DF18C7B8A8A3215523DA0",
               "destination": "0:D8CA6DD04573304609A70EE5104A8D29090E1FC631B29A8E0411172AAA52885A",
               "value": "1000000000", "fwd_fee": "44446", "opcode": None, "bounce": False, "bounced": False},
    "out_msgs": [],
}  # fmt: skip


def row(told: dict[str, Any], **changes: Any) -> Transaction:
    return msgspec.json.decode(json.dumps(told | changes).encode(), type=Transaction)


def entries_of(network: Network, told: Transaction) -> list[Entry]:
    setup = Setup(network, coin_of(network), {}, network.caip2.partition(":")[2])
    address = values.canonical(told.account)
    return entries.of_transaction(setup, Holder(address, values.shown(network, address)), told, 10**8)


def test_what_a_transfer_cost_is_what_the_balance_lost() -> None:
    [entry] = entries_of(TESTNET, row(SENT))
    assert (entry.direction, entry.amount, entry.status) == (Direction.OUT, 30000000, State.FINAL)
    assert entry.kind is EntryKind.TRANSFER
    assert entry.fee == BEFORE - AFTER - 30000000
    assert entry.counterparty == "0QCDV2euuWnDhFhy1GM_u6_fIPkvfO0frg95gErAnzMqGea9"
    assert entry.address == "0QBbamQ89OMv8DkcR2RW_tW9sX7xClXLt8KYDHbUqtB4dQd_"
    assert entry.block is not None
    assert (entry.block.height, entry.block.time) == (21586062, datetime(2024, 7, 31, 10, 43, 44, tzinfo=UTC))


def test_the_first_deposit_aborts_and_stays() -> None:
    [entry] = entries_of(MAINNET, row(CAME))
    assert (entry.direction, entry.amount, entry.status, entry.fee) == (Direction.IN, 10**9, State.FINAL, None)
    assert entry.tx_id == base64.b64decode(CAME["hash"]).hex()


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"finality": "pending"}, State.PENDING),
        ({"finality": "confirmed"}, State.CONFIRMED),
        ({"finality": "a new word"}, State.CONFIRMED),
        ({"emulated": True}, State.PENDING),
        ({"mc_block_seqno": None}, State.PENDING),
        ({"mc_block_seqno": 10**8 + 1}, State.CONFIRMED),
    ],
)
def test_only_what_is_in_a_masterchain_block_is_final(changes: dict[str, Any], state: State) -> None:
    [entry] = entries_of(MAINNET, row(CAME, **changes))
    assert entry.status is state


def test_addresses_of_both_work_chains() -> None:
    """The elector and a sender of fees, in trace CFl6PQXQ… of toncenter/ton-indexer (indexer/tests); USDT's master
    (docs.ton.org).
    """
    assert values.canonical("-1:" + "33" * 32) == b"\xff" + b"\x33" * 32
    assert values.raw(values.canonical("-1:" + "00" * 32)) == "-1:" + "00" * 32
    usdt = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
    assert values.master_shown(values.master(usdt)) == usdt
    for text in ("1:" + "33" * 32, "0:33", usdt, ""):
        with pytest.raises(NodeError):
            values.canonical(text)


def test_an_address_in_a_cell() -> None:
    address = values.canonical(WALLET)
    text = cells.of_address(address)
    assert cells.address_of(text) == address
    for other in (None, 7, "", "te6cckEBAQEAAgAAAEysuc0=", text[:-4], text + "AAAA", text.replace("Q4", "Q5", 1)[::-1]):
        assert cells.address_of(other) is None


IDS = SignedIds(("ab" * 32,), None, (Consumed("00" + "35" * 32, "7"),))
QUERY = SignedIds(("ab" * 32,), datetime(2020, 1, 1, tzinfo=UTC), (Consumed("00" + "35" * 32, "7:1600000000"),))
STATE = "LITE_SERVER_UNKNOWN: cannot apply external message to current state"
EARLY = "External message was not accepted: cannot run message on account: rejected before smart-contract execution"
WORDS = (
    "LITE_SERVER_UNKNOWN: cannot apply external message to current state : External message was not accepted\n"
    "Cannot run message on account: inbound external message rejected by transaction 4C6F:\nexitcode={}, steps=49\n"
)


@pytest.mark.parametrize(
    ("status", "words", "ids", "rejection"),
    [
        (500, WORDS.format(133), IDS, Rejection.NONCE_USED),  # toncenter/ton-http-api#144
        (500, WORDS.format(33), IDS, Rejection.NONCE_USED),
        (500, WORDS.format(136), IDS, Rejection.EXPIRED),
        (500, WORDS.format(135), IDS, Rejection.INVALID),
        (500, WORDS.format(-13), IDS, Rejection.INSUFFICIENT_FUNDS),  # docs.ton.org, troubleshooting of nodes
        (500, WORDS.format(36), QUERY, Rejection.NONCE_USED),
        (500, WORDS.format(35), QUERY, Rejection.EXPIRED),
        (500, WORDS.format(33), QUERY, Rejection.INVALID),
        (500, f"{STATE} : Failed to unpack account state", IDS, Rejection.INSUFFICIENT_FUNDS),
        (400, f"{STATE} : {EARLY}", IDS, Rejection.INSUFFICIENT_FUNDS),
        (500, f"{STATE} : cannot deserialize bag-of-cells: invalid header, error 0", IDS, Rejection.INVALID),
    ],
)  # fmt: skip
def test_the_words_of_a_refusal(status: int, words: str, ids: SignedIds, rejection: Rejection) -> None:
    body = json.dumps({"ok": False, "error": words, "code": status}).encode()
    error = refusals.of(Answer(status, bytearray(body)), ids)
    assert (error.verdict, error.rejection) == (Verdict.NO, rejection)


@pytest.mark.parametrize(
    ("status", "words", "verdict"),
    [
        (500, "LITE_SERVER_NOTREADY: block is not applied", Verdict.BROKEN),
        (500, "ton-http-api endpoint is not specified", Verdict.BROKEN),
        (504, "Liteserver timeout", Verdict.BROKEN),
        (429, "Ratelimit exceed", Verdict.BUSY),
        (500, "cannot apply external message to current state : too many external messages to address", Verdict.BUSY),
    ],
)
def test_what_is_no_refusal(status: int, words: str, verdict: Verdict) -> None:
    error = refusals.of(Answer(status, bytearray(json.dumps({"error": words}).encode())), IDS)
    assert (error.verdict, error.rejection) == (verdict, None)


MOVE = SENT | {"out_msgs": [SENT["out_msgs"][0] | {"opcode": "0x178d4519", "bounce": True}]}
ARRIVED = "50e0a2ad39b37d7571be9dbe1fa97209325" + "98d74cc34d2c6c9ef9cff0d93b244"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.FINAL),
        ({"description": CAME["description"]}, State.FAILED),
        ({"mc_block_seqno": None}, State.CONFIRMED),
    ],
)
def test_jettons_count_when_the_recipients_wallet_took_them(changes: dict[str, Any], state: State) -> None:
    began = row(MOVE)
    assert history.passed_on(began) == [ARRIVED]
    assert history.arrival(began, {ARRIVED: row(SENT, **changes)}, 10**8) is state
    assert history.arrival(began, {}, 10**8) is State.CONFIRMED
    failed = row(MOVE, description=CAME["description"])
    assert history.arrival(failed, {}, 10**8) is State.FAILED
    assert outcome.of(failed) is Outcome.FAILED
