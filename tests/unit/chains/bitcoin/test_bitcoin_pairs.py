"""Requests about the same coins, in any order and with any lies, and what their signatures can do together.

Bitcoin's own script engine verifies each signature against the real coins, not against those that a request states.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.chains.bitcoin import psbt, script
from strongroom.chains.bitcoin.psbt import Psbt, PsbtInput, PsbtOutput
from strongroom.chains.bitcoin.signing import Template
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.domain.signing import Guard, Policy
from strongroom.errors import StrongroomError
from tests.oracles import bitcoin as oracle
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    FOREIGN,
    SHARED,
    claims,
    ours,
    output_script,
    prepare,
    previous,
    public_key,
    scripts,
    signature,
)

pytestmark = pytest.mark.needs("libbitcoinkernel")

VALUE = 1_000_000
KINDS = ("p2wpkh", "p2sh-p2wpkh", "p2tr", "p2wsh", "p2sh-p2wsh", "p2pkh")
UNLIMITED = Policy(dict.fromkeys(BITCOIN.limits))


@dataclass(frozen=True)
class Coin:
    """A coin as it is on the chain. ``number`` is that of its key, or of the first of three."""

    kind: str
    number: int

    @property
    def output(self) -> TxOut:
        return TxOut(VALUE, output_script(self.kind, self.number))

    @property
    def before(self) -> Transaction:
        return previous(self.output, self.number)

    @property
    def outpoint(self) -> OutPoint:
        return OutPoint(self.before.hash, 1)


@dataclass(frozen=True)
class Claim:
    """What a request states about one coin."""

    kind: str
    value: int
    proven: bool
    """With the previous transaction."""
    named: bool
    """Whether the request says that the wallet's key signs it."""


@dataclass(frozen=True)
class Request:
    coins: tuple[Coin, ...]
    claims: tuple[Claim, ...]
    paid: int

    @property
    def transaction(self) -> Transaction:
        return Transaction(
            2, tuple(TxIn(coin.outpoint, b"", 0xFFFFFFFD) for coin in self.coins), (TxOut(self.paid, FOREIGN),), 0
        )

    @property
    def fee(self) -> int:
        """The real one."""
        return VALUE * len(self.coins) - self.paid

    def psbt(self) -> Psbt:
        inputs = tuple(map(_told, self.coins, self.claims))
        return Psbt(transaction=self.transaction, inputs=inputs, outputs=(PsbtOutput(),))


def _told(coin: Coin, claim: Claim) -> PsbtInput:
    told: dict[str, Any] = dict(scripts(claim.kind, coin.number))
    if claim.named:
        told |= claims(claim.kind, coin.number)
    return PsbtInput(
        non_witness_utxo=coin.before if claim.proven else None,
        witness_utxo=TxOut(claim.value, output_script(claim.kind, coin.number)),
        **told,
    )


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    """A few requests about one set of coins. A transaction may be requested again with different statements."""
    coins = [Coin(draw(st.sampled_from(KINDS)), 10 * place) for place in range(3)]
    chosen = tuple(draw(st.lists(st.sampled_from(coins), min_size=1, max_size=3, unique=True)))
    others = tuple(draw(st.lists(st.sampled_from(coins), min_size=1, max_size=2, unique=True)))
    paid = [VALUE * len(chosen) - 1_000, VALUE - 1_000]
    unsigned = st.sampled_from([*((chosen, each) for each in paid), (chosen, paid[0] - 1_000), (others, paid[1])])
    found = []
    for _ in range(draw(st.integers(2, 5))):
        spent, amount = draw(unsigned)
        found.append(Request(spent, tuple(draw(_claims(coin)) for coin in spent), amount))
    return found


def _claims(coin: Coin) -> st.SearchStrategy[Claim]:
    """The truth, the other name of the same witness program, or any lie."""
    twins = {"p2wpkh": "p2sh-p2wpkh", "p2sh-p2wpkh": "p2wpkh", "p2wsh": "p2sh-p2wsh", "p2sh-p2wsh": "p2wsh"}
    twin = twins.get(coin.kind, coin.kind)
    return st.one_of(
        st.builds(Claim, st.just(coin.kind), st.just(VALUE), st.booleans(), st.booleans()),
        st.builds(Claim, st.just(twin), st.just(VALUE), st.just(False), st.just(True)),
        st.builds(
            Claim,
            st.sampled_from((coin.kind, twin, "p2tr")),
            st.sampled_from((VALUE, 2_000, 5 * VALUE)),
            st.booleans(),
            st.booleans(),
        ),
    )


@dataclass(frozen=True)
class Made:
    """One signature of the wallet, and the fee in the summary of its request."""

    key: bytes
    data: bytes
    shown: int


class Signer:
    """The chain, with the guards of the journal."""

    def __init__(self) -> None:
        self.made: dict[tuple[Transaction, int], list[Made]] = {}
        self.coins: dict[Transaction, tuple[Coin, ...]] = {}
        self.refused = 0
        self._held: dict[tuple[str, str], bytes] = {}

    def ask(self, request: Request) -> None:
        named = [coin.number for coin, claim in zip(request.coins, request.claims, strict=True) if claim.named]
        held = ours(*(number + more for number in named for more in (0, 1, 2)))
        try:
            prepared = prepare(psbt.to_base64(request.psbt()), held, UNLIMITED)
        except StrongroomError:
            self.refused += 1
            return
        if any(self._held.get(_place(guard), guard.payload_hash) != guard.payload_hash for guard in prepared.guards):
            self.refused += 1
            return
        self._held |= {_place(guard): guard.payload_hash for guard in prepared.guards}
        assert prepared.summary.fee is not None
        assert isinstance(prepared.template, Template)
        self.coins[request.transaction] = request.coins
        for share, item in zip(prepared.template.shares, prepared.to_sign, strict=True):
            raw = signature(item)
            data = raw if share.taproot_root is not None else _der(raw) + b"\1"
            one = Made(item.public_key, data, int(prepared.summary.fee.amount))
            self.made.setdefault((request.transaction, share.index), []).append(one)


def _place(guard: Guard) -> tuple[str, str]:
    return guard.address, guard.sequence


def _der(raw: bytes) -> bytes:
    numbers = [number.lstrip(b"\0") for number in (raw[:32], raw[32:64])]
    parts = [b"\0" * (number[0] >> 7) + number for number in numbers]
    body = b"".join(b"\2" + bytes([len(part)]) + part for part in parts)
    return b"\x30" + bytes([len(body)]) + body


def _ways(coin: Coin, made: Sequence[Made]) -> Iterator[tuple[tuple[Made, ...], bytes, tuple[bytes, ...]]]:
    """Every way to spend the real coin, as signatures, scriptSig and witness."""
    given = scripts(coin.kind, coin.number)
    redeem = b"" if "redeem_script" not in given else script.push(given["redeem_script"])
    if coin.kind in SHARED:
        code = given["witness_script"]
        for pair in itertools.permutations(made, 2):
            yield pair, redeem, (b"", *(each.data for each in pair), code)
        return
    for each in made:
        if coin.kind == "p2pkh":
            yield (each,), script.push(each.data) + script.push(each.key), ()
        elif coin.kind == "p2tr":
            yield (each,), b"", (each.data,)
        else:
            yield (each,), redeem, (each.data, public_key(coin.number))


def _valid(signer: Signer) -> Iterator[tuple[Transaction, int, tuple[Made, ...]]]:
    """The signatures that spend an input on the real chain."""
    for (transaction, index), made in signer.made.items():
        coins = signer.coins[transaction]
        spent = [oracle.Output(coin.output.value, coin.output.script) for coin in coins]
        for used, script_sig, witness in _ways(coins[index], made):
            inputs = list(transaction.inputs)
            inputs[index] = replace(inputs[index], script_sig=script_sig, witness=witness)
            if oracle.is_spent(replace(transaction, inputs=tuple(inputs)).serialize(), index, spent):
                yield transaction, index, used


def judge(asked: Sequence[Request]) -> tuple[Signer, set[OutPoint]]:
    """What is spent.

    Raises AssertionError on a fee that was not the one shown, and on an output that is spent by two transactions.
    """
    signer = Signer()
    for request in asked:
        signer.ask(request)
    spenders: dict[OutPoint, Transaction] = {}
    for transaction, index, used in _valid(signer):
        fee = VALUE * len(transaction.inputs) - sum(output.value for output in transaction.outputs)
        assert {made.shown for made in used} == {fee}, "a fee was shown that is not the real one"
        outpoint = transaction.inputs[index].outpoint
        assert spenders.setdefault(outpoint, transaction) == transaction, "an output was signed away twice"
    return signer, set(spenders)


@settings(max_examples=60, deadline=None)
@given(requests())
def test_no_two_requests_make_a_fee_that_was_not_shown_or_spend_an_output_twice(asked: list[Request]) -> None:
    judge(asked)


@pytest.mark.parametrize(("native", "nested"), [("p2wpkh", "p2sh-p2wpkh"), ("p2wsh", "p2sh-p2wsh")])
@pytest.mark.parametrize("real", [0, 1])
def test_an_output_told_in_two_forms_is_signed_away_once(native: str, nested: str, real: int) -> None:
    coin = Coin((native, nested)[real], 0)
    for first, second in ((native, nested), (nested, native)):
        told = [Claim(kind, VALUE, proven=False, named=True) for kind in (first, second)]
        signer, _ = judge([Request((coin,), (claim,), VALUE - 1_000 * fee) for fee, claim in enumerate(told, 1)])
        assert signer.refused == 1


def test_an_amount_told_falsely_in_turns_makes_no_fee() -> None:
    coins = (Coin("p2wpkh", 0), Coin("p2wpkh", 10))
    true, false = Claim("p2wpkh", VALUE, False, True), Claim("p2wpkh", 2_000, False, False)
    signer, spent = judge([Request(coins, told, VALUE) for told in ((true, false), (false, true))])
    assert (signer.refused, spent) == (2, set())


def test_honest_requests_are_served() -> None:
    for kinds in itertools.product(KINDS, repeat=2):
        coins = tuple(Coin(kind, 10 * place) for place, kind in enumerate(kinds))
        told = tuple(Claim(coin.kind, VALUE, proven=True, named=True) for coin in coins)
        signer, spent = judge([Request(coins, told, VALUE)])
        assert (signer.refused, spent) == (0, {coin.outpoint for coin in coins})
