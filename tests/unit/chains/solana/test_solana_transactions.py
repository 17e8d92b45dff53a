"""Which bytes are a transaction. Bytes that no validator accepts are refused, and others are never rewritten."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from strongroom.chains.solana import message, messages, transaction
from strongroom.chains.solana.message import Compiled, Header, Lookup, Message
from strongroom.chains.solana.wire import Reader, compact_u16
from strongroom.codecs import base58
from strongroom.domain.signing import Message as TextMessage
from strongroom.domain.signing import OurKey, Policy
from strongroom.errors import InvalidMessage, InvalidTransaction, LimitExceeded, Refused
from tests.oracles import solana as oracle
from tests.vectors.direct_solana import DEFAULT, NETWORK, PERMISSIVE, SOLANA, sign_with

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = tuple(bytes((number,)) * 32 for number in range(1, 6))
PLAIN = Message(message.LEGACY, Header(1, 0, 1), KEYS[:3], KEYS[4], (Compiled(2, b"\0\1", b"data"),))
V0 = replace(PLAIN, version=message.V0)
PAYER, OTHER = base58.encode(KEYS[0]), base58.encode(KEYS[1])
FORM: dict[str, Any] = {
    "fee_payer": PAYER, "recent_blockhash": OTHER, "transfers": [{"to": base58.encode(bytes(32)), "amount": "1"}],
}  # fmt: skip


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 16383, 16384, 65535])
def test_a_compact_length_has_one_spelling(value: int) -> None:
    assert Reader(compact_u16(value)).compact_u16() == value


@pytest.mark.parametrize("raw", ["8000", "808000", "ff8000", "ffff04", "80808000", "80", "ffffff"])
def test_other_spellings_of_a_length_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"shortest|end too early"):
        Reader(bytes.fromhex(raw)).compact_u16()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(PLAIN, header=Header(0, 0, 1)), "no signer"),
        (replace(PLAIN, header=Header(1, 1, 1)), "read-only"),
        (replace(PLAIN, header=Header(2, 0, 2)), "more accounts"),
        (replace(PLAIN, keys=(KEYS[0], KEYS[1], KEYS[1])), "twice"),
        (replace(PLAIN, instructions=(Compiled(0, b"", b""),)), "fee payer"),
        (replace(PLAIN, instructions=(Compiled(3, b"", b""),)), "static"),
        (replace(PLAIN, instructions=(Compiled(2, b"\3", b""),)), "does not exist"),
        (replace(V0, lookups=(Lookup(KEYS[3], b"", b""),)), "none of its entries is loaded"),
        (replace(V0, lookups=(Lookup(KEYS[3], b"\7", b"\7"),)), "loaded twice"),
        (replace(V0, lookups=(Lookup(KEYS[3], b"\7", b""), Lookup(KEYS[3], b"", b"\7"))), "loaded twice"),
        (replace(V0, lookups=(Lookup(KEYS[3], bytes(range(254)), b""),)), "256"),
        (replace(V0, lookups=(Lookup(KEYS[3], b"\7", b""),), instructions=(Compiled(3, b"", b""),)), "static"),
    ],
)
def test_what_no_validator_runs_is_refused(changed: Message, reason: str) -> None:
    assert message.parse(PLAIN.serialize()) == PLAIN
    assert message.parse(V0.serialize()) == V0
    with pytest.raises(ValueError, match=reason):
        message.parse(changed.serialize())


def test_every_cut_and_every_byte_too_many_is_refused() -> None:
    raw = transaction.unsigned(V0.serialize()).serialize()
    assert transaction.parse(raw).serialize() == raw
    for size in range(len(raw)):
        with pytest.raises(ValueError, match=r"\w"):
            transaction.parse(raw[:size])
    with pytest.raises(ValueError, match="follow its end"):
        transaction.parse(raw + b"\0")


def test_a_version_that_the_network_does_not_have_is_refused_by_name() -> None:
    sample = oracle.v1(Random(1))
    policy = Policy({**SOLANA.limits, "max_version": 0, "max_fee": None})
    with pytest.raises(LimitExceeded, match="version 1 is not supported"):
        sign_with([sample.seed.hex()], sample.unsigned, policy)


@pytest.mark.parametrize("make", [oracle.legacy, oracle.v0, oracle.v1])
def test_a_signature_that_does_not_hold_is_never_handed_on(make: Any) -> None:
    sample = make(Random(3))
    raw = bytearray(base64.b64decode(sample.signed))
    place = len(raw) - 1 if make is oracle.v1 else 5
    raw[place] ^= 1
    broken = base64.b64encode(raw).decode()
    with pytest.raises(InvalidTransaction, match="is not valid"):
        sign_with([sample.seed.hex()], broken, Policy(dict.fromkeys(SOLANA.limits)))
    with pytest.raises(InvalidTransaction, match="not every signer"):
        SOLANA.identify(NETWORK, broken)
    assert SOLANA.identify(NETWORK, sample.signed).tx_ids == (sample.tx_id,)


def test_1000_mutated_transactions_are_refused_or_read() -> None:
    """The bytes that are read are the bytes that would be signed."""
    random, read = Random(5), 0
    for number in range(1000):
        sample = random.choice([oracle.legacy, oracle.v0, oracle.v1])(Random(number))
        raw = bytearray(base64.b64decode(sample.unsigned))
        for _ in range(random.randrange(1, 4)):
            raw[random.randrange(len(raw))] = random.randrange(256)
        text = base64.b64encode(raw).decode()
        try:
            decoded = SOLANA.decode(NETWORK, text)
            SOLANA.check(decoded, None, DEFAULT, NOW)
        except Refused:
            continue
        read += 1
        assert decoded.message.serialize() == decoded.transaction.signed_bytes
        assert decoded.transaction.serialize() == raw
        SOLANA.summarise(decoded, None)
    assert read


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fee_payer": "x"}, "fee_payer"),
        ({"recent_blockhash": None}, "recent_blockhash"),
        ({"durable_nonce": {}}, "recent_blockhash"),
        ({"transfers": []}, "transfers"),
        ({"transfers": FORM["transfers"] * 33}, "transfers"),
        ({"transfers": [{"to": PAYER, "amount": -1}]}, "transfers[0].amount"),
        ({"transfers": [{"to": PAYER, "amount": 1.5}]}, "transfers[0].amount"),
        ({"transfers": [{"to": PAYER, "amount": "01"}]}, "transfers[0].amount"),
        ({"transfers": [{"to": PAYER, "amount": str(2**64)}]}, "transfers[0].amount"),
        ({"transfers": [{"to": PAYER, "amount": True}]}, "transfers[0].amount"),
        ({"transfers": [{"to": PAYER, "amount": 1, "memo": "a"}]}, "transfers[0].memo"),
        ({"transfers": [{"to": PAYER, "amount": 1, "mint": OTHER}]}, "transfers[0].decimals"),
        ({"transfers": ["a"]}, "transfers[0]"),
        ({"memo": ""}, "memo"),
        ({"memo": 1}, "memo"),
        ({"memo": "\ud800"}, "memo"),
        ({"compute_unit_price": "1e3"}, "compute_unit_price"),
        ({"compute_unit_limit": 2**32}, "compute_unit_limit"),
        ({"version": 1}, "version"),
        ({"version": False}, "version"),
        ({"last_valid_block_height": -1}, "last_valid_block_height"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_bad_structured_form_names_the_field(changes: dict[str, Any], field: str) -> None:
    SOLANA.decode(NETWORK, FORM)
    with pytest.raises(InvalidTransaction) as refusal:
        SOLANA.decode(NETWORK, {**FORM, **changes})
    assert refusal.value.field == f"unsigned_tx.{field}".rstrip(".")


PAYMENTS = [{"to": base58.encode(bytes((number,)) * 32), "amount": 1} for number in range(32)]


@pytest.mark.parametrize("changes", [{"memo": "m" * 1_300}, {"transfers": PAYMENTS}])
def test_what_does_not_fit_into_a_transaction_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction, match="at most 1232 bytes"):
        SOLANA.decode(NETWORK, {**FORM, **changes})


def test_a_durable_nonce_is_guarded_on_all_clusters() -> None:
    """A message does not name its cluster, so whichever network is named, it is valid where the nonce is."""
    nonce = {"account": OTHER, "authority": PAYER, "value": base58.encode(KEYS[4])}
    form = {name: value for name, value in FORM.items() if name != "recent_blockhash"} | {"durable_nonce": nonce}
    held = {}
    for network in SOLANA.networks:
        decoded = SOLANA.decode(network, form)
        prepared = SOLANA.prepare(decoded, {KEYS[0]: OurKey(KEYS[0], "m", "raw", KEYS[0])})
        held[network.name] = {(guard.chain_id, guard.address, guard.sequence) for guard in prepared.guards}
    [shared] = held["solana"] & held["solana-devnet"] & held["solana-testnet"]
    assert shared[1:] == (KEYS[1].hex(), nonce["value"])
    assert (SOLANA.networks[0].caip2, *shared[1:]) in held["solana"]  # by which a broadcast finds its summary


def test_the_height_that_the_caller_gives_is_shown() -> None:
    decoded = SOLANA.decode(NETWORK, {**FORM, "last_valid_block_height": 7})
    assert SOLANA.summarise(decoded, None).details["last_valid_block_height"] == "7"


def test_bytes_of_a_transaction_are_no_message() -> None:
    for make in (oracle.legacy, oracle.v0, oracle.v1):
        sample = make(Random(2))
        for data in (sample.message, sample.message + b"\0", base64.b64decode(sample.signed)):
            with pytest.raises(InvalidMessage):
                SOLANA.verify_message(NETWORK, TextMessage("solana", data), sample.tx_id, sample.address)


def test_a_sign_in_message_that_is_the_message_of_a_transaction_is_refused() -> None:
    key = b"A" * 32
    rest = f" wants you to sign in with your Solana account:\n{base58.encode(key)}".encode()
    spelt = Message(message.LEGACY, Header(1, 0, 1), (key, b"B" * 32), b"C" * 32, (Compiled(1, b"", rest),)).serialize()
    with pytest.raises(InvalidMessage, match="message of a transaction"):
        messages.payload(TextMessage("siws", spelt), base58.encode(key))


def test_a_sign_in_message_names_the_key_that_signs() -> None:
    text = f"example.com wants you to sign in with your Solana account:\n{PAYER}\n\nHello"
    shown = TextMessage("siws", text.encode())
    assert SOLANA.verify_message(NETWORK, shown, base58.encode(bytes(64)), PAYER) is False
    for wrong in (text.replace(PAYER, OTHER), text.replace("Solana", "Ethereum"), "Hello"):
        with pytest.raises(InvalidMessage):
            SOLANA.verify_message(NETWORK, TextMessage("siws", wrong.encode()), base58.encode(bytes(64)), PAYER)


def test_the_fee_of_a_version_1_message_shows_the_limit_that_it_states() -> None:
    """Its compute budget instructions are ignored (SIMD-0385)."""
    budget_program = base58.decode("ComputeBudget111111111111111111111111111111")
    asks = (Compiled(1, b"", b"\2" + (7).to_bytes(4, "little")), Compiled(1, b"", b"\3" + (9).to_bytes(8, "little")))
    stated = {None: message.Config(), "0": message.Config(compute_unit_limit=0), "60000": message.Config(11, 60_000)}
    for units, config in stated.items():
        made = Message(message.V1, Header(1, 0, 1), (KEYS[0], budget_program), KEYS[4], asks, config=config)
        unsigned = base64.b64encode(made.serialize()).decode()
        fee = SOLANA.summarise(SOLANA.decode(NETWORK, {"message": unsigned}), None).fee
        assert fee is not None
        assert (fee.limit, fee.rate, fee.amount) == (units, None, str(5_000 + (config.priority_fee or 0)))
    made = Message(message.LEGACY, Header(1, 0, 1), (KEYS[0], budget_program), KEYS[4], asks)
    fee = SOLANA.summarise(SOLANA.decode(NETWORK, {"message": base64.b64encode(made.serialize()).decode()}), None).fee
    assert fee is not None
    assert (fee.limit, fee.rate) == ("7", "9")


def test_a_version_1_message_may_state_that_it_asks_for_nothing() -> None:
    """A zero differs from a missing field, and the bytes are signed as they were received."""
    values = ((0b11, 8), (0b100, 4), (0b1000, 4), (0b10000, 4))
    sample = oracle.v1(Random(5))
    read = message.parse(sample.message)
    for chosen in range(2 ** len(values)):
        stated = [each for place, each in enumerate(values) if chosen >> place & 1]
        plain = replace(read, config=message.Config()).serialize()
        mask, keys_end = sum(bits for bits, _ in stated).to_bytes(4, "little"), 42 + 32 * len(read.keys)
        zeros = bytes(sum(size for _, size in stated))
        raw = plain[:4] + mask + plain[8:keys_end] + zeros + plain[keys_end:]
        assert message.parse(raw).serialize() == raw
        unsigned = base64.b64encode(transaction.unsigned(raw).serialize()).decode()
        signed = sign_with([sample.seed.hex()], unsigned, PERMISSIVE)
        assert base64.b64decode(signed.raw)[: len(raw)] == raw
