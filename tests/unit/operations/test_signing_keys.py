"""Which keys of a wallet a transaction names, with a whole service."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from strongroom.access.scopes import SCOPES
from strongroom.chains.bitcoin import psbt, script
from strongroom.chains.bitcoin.psbt import Origin, Psbt, PsbtInput, PsbtOutput
from strongroom.chains.bitcoin.spending import spends
from strongroom.codecs.bip32 import parse_path
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut, parse
from strongroom.codecs.hash160 import hash160
from strongroom.domain.scheme import Position, Scheme
from strongroom.operations import signing_keys
from tests.oracles.bip32 import Node
from tests.support.service import OTHER_TENANT, Outcome, RunningService

WORDS = "abandon " * 11 + "about"
FINGERPRINT = "73c5da0a"
MASTER = Node.from_seed(hashlib.pbkdf2_hmac("sha512", WORDS.encode(), b"mnemonic", 2048))
FOREIGN = TxOut(50_000, script.p2wpkh(b"\7" * 20))
VALUE = 100_000


def key_at(path: str) -> bytes:
    return MASTER.below(path.removeprefix("m/")).public


def raw_key(path: str) -> dict[str, Any]:
    private = MASTER.below(path.removeprefix("m/")).private
    assert private is not None
    return {"kind": "raw_key", "keyspace": "bitcoin", "format": "hex", "key": private.to_bytes(32, "big").hex()}


def spending(paths: Sequence[str], paid: Sequence[TxOut] = (FOREIGN,), *, stated: Sequence[str] = (),
             fingerprint: str = FINGERPRINT, change: str | None = None, legacy: bool = False) -> str:  # fmt: skip
    """A PSBT of P2WPKH (``legacy``: P2PKH) outputs of these keys; it states that they stand at ``stated``, if that is
    given.
    """
    inputs, maps = [], []
    for number, path in enumerate(paths):
        key = key_at(path)
        output = TxOut(VALUE, (script.p2pkh if legacy else script.p2wpkh)(hash160(key)))
        # Of one key always the same output, wherever in the transaction it is spent.
        before = TxIn(OutPoint(hashlib.sha256(path.encode()).digest(), paths[:number].count(path)), b"", 0xFFFFFFFF)
        previous = Transaction(2, (before,), (output,), 0)
        inputs.append(TxIn(OutPoint(previous.hash, 0), b"", 0xFFFFFFFD))
        origin = Origin(bytes.fromhex(fingerprint), parse_path(stated[number] if stated else path))
        told = None if legacy else output
        maps.append(PsbtInput(non_witness_utxo=previous, witness_utxo=told, bip32_derivations={key: origin}))
    rest = TxOut(VALUE * len(paths) - sum(each.value for each in paid) - 1_000, script.p2wpkh(b"\x09" * 20))
    last = PsbtOutput()
    if change is not None:
        key = key_at(change)
        rest = TxOut(rest.value, script.p2wpkh(hash160(key)))
        last = PsbtOutput(bip32_derivations={key: Origin(bytes.fromhex(fingerprint), parse_path(change))})
    outputs = (*paid, rest)
    transaction = Transaction(2, tuple(inputs), outputs, 0)
    one = Psbt(transaction=transaction, inputs=tuple(maps), outputs=(*[PsbtOutput() for _ in paid], last))
    return psbt.to_base64(one)


class Caller:
    def __init__(self, service: RunningService, wallet: str) -> None:
        self.service = service
        self.wallet = wallet

    async def sign(self, text: str, *, key: str | None = None, **more: Any) -> Outcome:
        command = {"wallet_id": self.wallet, "network": "bitcoin", "unsigned_tx": text, **more}
        answers = [
            await face.call("transactions.sign", command, key=key or self.service.key) for face in self.service.faces
        ]
        first, second = answers
        assert first.shared == second.shared
        return first

    async def open(self, **place: Any) -> None:
        command = {"wallet_id": self.wallet, "network": "bitcoin", **place}
        assert (await self.service.http.call("addresses.derive", command, key=self.service.key)).code == "ok"


async def imported(service: RunningService, api_key: str | None = None, **material: Any) -> Caller:
    command = material or {"kind": "bip39", "mnemonic": WORDS}
    made = await service.http.call("wallets.import", command, key=api_key or service.key)
    assert made.code == "ok", made
    return Caller(service, made.result["id"])


async def openings(caller: Caller) -> list[dict[str, Any]]:
    """The audit records about accounts that transactions opened."""
    records = await caller.service.audit(operation="transactions.sign")
    asked = [record["details"] for record in records if record["outcome"] == "requested"]
    return [details for details in asked if "path" in details]


@pytest.fixture
async def caller(service: RunningService) -> Caller:
    return await imported(service)


def is_sound(signed: Outcome, text: str) -> bool:
    assert signed.code == "ok", signed
    given = psbt.parse_text(text)
    transaction = parse(bytes.fromhex(signed.result["signed_tx"]))
    spent = [each.witness_utxo for each in given.inputs]
    return all(spends(transaction, index, [one for one in spent if one]) for index in range(len(spent)))


async def test_many_keys_of_several_accounts(caller: Caller) -> None:
    await caller.open(account=3)
    text = spending(["m/84'/0'/0'/0/0", "m/84'/0'/0'/1/500", "m/84'/0'/3'/0/7"], change="m/84'/0'/3'/1/2147483647")
    signed = await caller.sign(text)
    assert is_sound(signed, text)
    assert signed.result["complete"] is True
    assert [action["kind"] for action in signed.result["summary"]["actions"]] == [*["spend"] * 3, "transfer", "change"]
    assert all(action["details"]["ours"] for action in signed.result["summary"]["actions"][:3])


async def test_accounts_that_are_not_open_are_opened_each_as_an_audited_step(caller: Caller) -> None:
    text = spending(["m/84'/0'/0'/0/0", "m/84'/0'/4'/0/0", "m/84'/0'/4'/1/7"])
    assert is_sound(await caller.sign(text), text)
    opened = [details["path"] for details in await openings(caller)]
    assert sorted(opened) == ["m/84'/0'/0'/0/0", "m/84'/0'/4'/0/0"]


async def test_a_transaction_opens_no_more_than_sixteen_accounts(caller: Caller) -> None:
    refused = await caller.sign(spending([f"m/84'/0'/{account}'/0/0" for account in range(17)]))
    assert (refused.code, refused.field) == ("address_not_derived", "unsigned_tx")
    assert await caller.service.audit(operation="transactions.sign") == []


@pytest.mark.parametrize(
    "stated",
    ["m/84'/0'/0'/0/1", "m/84'/0'/0'/1/0"],
)
async def test_a_path_with_another_key(caller: Caller, stated: str) -> None:
    refused = await caller.sign(spending(["m/84'/0'/0'/0/0"], stated=[stated]))
    assert (refused.code, refused.field) == ("wrong_key", "unsigned_tx")


@pytest.mark.parametrize("stated", ["m", "m/0", "m/84'/1'/0'/0/0", "m/84'/0'/0'/0", "m/84'/0'/0'/2/0", "m/1'/2'/3'"])
async def test_a_path_where_the_wallet_has_no_keys(caller: Caller, stated: str) -> None:
    """It may be of another tool's making; then there is nothing here to sign."""
    assert (await caller.sign(spending(["m/84'/0'/0'/0/0"], stated=[stated]))).code == "wrong_key"


async def test_another_fingerprint(caller: Caller) -> None:
    assert (await caller.sign(spending(["m/84'/0'/0'/0/0"], fingerprint="00000001"))).code == "wrong_key"


class TestWithoutFingerprint:
    """As wallets write a PSBT that were given an extended key without its origin."""

    async def test_a_key_at_its_path_is_ours_and_change_is_change(self, caller: Caller) -> None:
        await caller.open()
        signed = await caller.sign(spending(["m/84'/0'/0'/0/0"], change="m/84'/0'/0'/1/0", fingerprint="00000000"))
        assert signed.result["complete"] is True
        kinds = [action["kind"] for action in signed.result["summary"]["actions"]]
        assert kinds == ["spend", "transfer", "change"]

    async def test_another_key_at_that_path_is_of_another_wallet(self, caller: Caller) -> None:
        one = psbt.parse_text(spending(["m/84'/0'/0'/0/0"], change="m/84'/0'/0'/1/0"))
        nameless = {key_at("m/84'/0'/9'/0/1"): Origin(bytes(4), parse_path("m/84'/0'/0'/0/1"))}
        cosigned = replace(one, outputs=(PsbtOutput(bip32_derivations=nameless), one.outputs[1]))
        assert (await caller.sign(psbt.to_base64(cosigned))).result["complete"] is True
        stated = spending(["m/84'/0'/0'/0/0"], stated=["m/84'/0'/0'/0/1"], fingerprint="00000000")
        assert (await caller.sign(stated)).code == "wrong_key"

    async def test_an_account_that_is_not_open(self, caller: Caller) -> None:
        text = spending(["m/84'/0'/4'/0/0"], fingerprint="00000000")
        assert (await caller.sign(text)).code == "address_not_derived"
        await caller.open(account=4)
        assert is_sound(await caller.sign(text), text)


class TestFarChange:
    @pytest.mark.parametrize(("index", "far"), [(0, False), (21, False), (22, True), (10_001, True), (2**31 - 1, True)])
    async def test_beyond_the_next_index_and_the_gap(self, caller: Caller, index: int, far: bool) -> None:
        """A new account has handed out index 0."""
        for branch in (0, 1):
            change = f"m/84'/0'/0'/{branch}/{index or branch}"
            signed = await caller.sign(spending(["m/84'/0'/0'/0/0"], change=change), options={"allow_resign": True})
            codes = [warning["code"] for warning in signed.result.get("warnings", ())]
            assert codes == (["far_change"] if far else []), change

    async def test_addresses_that_were_handed_out_move_it(self, caller: Caller) -> None:
        text = spending(["m/84'/0'/0'/0/0"], change="m/84'/0'/0'/1/23")
        assert [each["code"] for each in (await caller.sign(text)).result["warnings"]] == ["far_change"]
        command = {"wallet_id": caller.wallet, "network": "bitcoin"}
        for _ in range(2):
            assert (await caller.service.http.call("addresses.next", command, key=caller.service.key)).code == "ok"
        assert "warnings" not in (await caller.sign(text)).result

    async def test_change_that_is_spent_moves_it(self, caller: Caller) -> None:
        text = spending(["m/84'/0'/0'/1/40"], change="m/84'/0'/0'/1/61")
        assert "warnings" not in (await caller.sign(text)).result
        text = spending(["m/84'/0'/0'/1/41"], change="m/84'/0'/0'/1/63")
        assert [each["code"] for each in (await caller.sign(text)).result["warnings"]] == ["far_change"]
        text = spending(["m/84'/0'/0'/1/10020"], change="m/84'/0'/0'/1/10021")
        assert [each["code"] for each in (await caller.sign(text)).result["warnings"]] == ["far_change"]


@pytest.mark.parametrize(
    "selector",
    [{"index": 0}, {"account": 0}, {"change": 0}, {"scheme": "bip84"}, {"path": "m/84'/0'/0'/0/0"}, {"address": "x"}],
    ids=lambda selector: next(iter(selector)),
)
async def test_no_key_is_named_beside_it(caller: Caller, selector: dict[str, Any]) -> None:
    refused = await caller.sign(spending(["m/84'/0'/0'/0/0"]), **selector)
    assert (refused.code, refused.field) == ("invalid_field", *selector)
    assert await openings(caller) == []


async def test_what_a_transaction_names_is_matched_once(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    matched: list[str] = []
    match = Scheme.match

    def watched(scheme: Scheme, path: str) -> Position | None:
        if scheme.name == "bip84":
            matched.append(path)
        return match(scheme, path)

    monkeypatch.setattr(Scheme, "match", watched)
    text = spending(["m/84'/0'/0'/0/0", "m/84'/0'/0'/1/7"])
    assert is_sound(await caller.sign(text), text)
    assert matched == ["m/84'/0'/0'/0/0", "m/84'/0'/0'/1/7"] * len(caller.service.faces)


async def test_too_many_keys(caller: Caller) -> None:
    one = psbt.parse_text(spending(["m/84'/0'/0'/0/0"]))
    key = key_at("m/84'/0'/0'/0/0")
    outputs = [
        PsbtOutput(bip32_derivations={key: Origin(bytes.fromhex(FINGERPRINT), parse_path(f"m/84'/0'/0'/1/{index}"))})
        for index in range(2_001)
    ]
    paid = (TxOut(1, b"\x6a"),) * len(outputs)
    flood = Psbt(
        transaction=Transaction(2, one.transaction.inputs, paid, 0),
        inputs=one.inputs,
        outputs=tuple(outputs),
    )
    refused = await caller.sign(psbt.to_base64(flood))
    assert (refused.code, refused.field) == ("invalid_transaction", "unsigned_tx")
    assert refused.message is not None
    assert "2000 keys" in refused.message


async def test_a_single_key_signs_whatever_it_can(service: RunningService) -> None:
    alone = await imported(service, **raw_key("m/84'/0'/0'/0/0"))
    text = spending(["m/84'/0'/0'/0/0"])
    assert is_sound(await alone.sign(text), text)
    silent = psbt.parse_text(text)
    silent = Psbt(
        transaction=silent.transaction,
        inputs=(PsbtInput(witness_utxo=silent.inputs[0].witness_utxo),),
        outputs=silent.outputs,
    )
    assert is_sound(await alone.sign(psbt.to_base64(silent)), text)
    half = await alone.sign(spending(["m/84'/0'/0'/0/0", "m/84'/0'/0'/0/1"]), options={"allow_resign": True})
    assert half.result["complete"] is False
    assert half.result["signed_tx"] == half.result["details"]["psbt"]
    assert (await alone.sign(spending(["m/84'/0'/0'/0/1"]))).code == "wrong_key"


class TestCosigners:
    """Which script a multisig has is settled by others; a PSBT says it by the path."""

    PATHS = ("m/48'/0'/0'/2'/0/4", "m/48'/0'/0'/1'/1/4", "m/45'/1/4", "m/45'/0/1/4")

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("opened", ["bip48", "bip45"])
    async def test_accounts_of_one_number_open_together(self, caller: Caller, path: str, opened: str) -> None:
        text = shared(path)
        service, place = caller.service, {"wallet_id": caller.wallet, "network": "bitcoin", "scheme": opened}
        account = await service.http.call("accounts.get", place, key=service.key)
        assert account.result["scheme"] == opened
        signed = await caller.sign(text)
        assert (signed.code, signed.result["complete"]) == ("ok", False)
        assert key_at(path) in psbt.parse_text(signed.result["signed_tx"]).inputs[0].partial_sigs
        opening = [each for each in await service.audit() if each["operation"] == "accounts.get"]
        assert opening[0]["details"]["also"].count("bip4") == 3

    @pytest.mark.parametrize("path", PATHS)
    async def test_a_psbt_opens_them_together_at_first_use(self, caller: Caller, path: str) -> None:
        assert (await caller.sign(shared(path))).code == "ok"
        [opening] = await openings(caller)
        assert opening["also"].count("bip4") == 3
        for other in self.PATHS:
            assert (await caller.sign(shared(other), options={"allow_resign": True})).code == "ok"
        assert await openings(caller) == [opening]

    async def test_each_number_is_opened_by_itself(self, caller: Caller) -> None:
        service, place = caller.service, {"wallet_id": caller.wallet, "network": "bitcoin", "account": 5}
        for scheme in ("bip48-p2sh-p2wsh", "bip48", "bip45-cosigner"):
            account = await service.http.call("accounts.get", {**place, "scheme": scheme}, key=service.key)
            assert account.code == "ok", account
        assert (await caller.sign(shared("m/45'/5/0/0"))).code == "ok"
        assert await openings(caller) == []
        assert (await caller.sign(shared("m/45'/0/0"))).code == "ok"
        assert len(await openings(caller)) == 1


def shared(path: str) -> str:
    """A PSBT that spends two of two in P2SH: the key at the path, and a stranger's."""
    key = key_at(path)
    code = script.multisig(2, sorted([key, key_at("m/0")]))
    output = TxOut(VALUE, script.p2sh(hash160(code)))
    before = Transaction(2, (TxIn(OutPoint(bytes(31) + b"\1", 0), b"", 0xFFFFFFFF),), (output,), 0)
    one = Psbt(
        transaction=Transaction(2, (TxIn(OutPoint(before.hash, 0), b"", 0xFFFFFFFD),), (FOREIGN,), 0),
        inputs=(
            PsbtInput(
                non_witness_utxo=before,
                redeem_script=code,
                bip32_derivations={key: Origin(bytes.fromhex(FINGERPRINT), parse_path(path))},
            ),
        ),
        outputs=(PsbtOutput(),),
    )
    return psbt.to_base64(one)


async def test_amounts_are_taken_on_trust_only_with_the_scope_for_it(caller: Caller) -> None:
    one = psbt.parse_text(spending(["m/84'/0'/0'/0/0", "m/84'/0'/0'/0/1"]))
    text = psbt.to_base64(replace(one, inputs=tuple(replace(each, non_witness_utxo=None) for each in one.inputs)))
    refused = await caller.sign(text)
    assert (refused.code, refused.field) == ("option_required", "unsigned_tx")
    option = {"allow": ["unverified_amounts"]}
    plain = await caller.service.new_key(frozenset(SCOPES) - {"sign:unverified-amounts"})
    assert (await caller.sign(text, key=plain, options=option)).code == "forbidden"
    signed = await caller.sign(text, options=option)
    assert [warning["code"] for warning in signed.result["warnings"]] == ["unverified_amounts"]
    for face in caller.service.faces:
        command = {"network": "bitcoin", "unsigned_tx": text}
        decoded = await face.call("transactions.decode", command, key=caller.service.key)
        assert [warning["code"] for warning in decoded.result["warnings"]] == ["unverified_amounts"]


class TestGuards:
    async def test_an_output_is_spent_once(self, caller: Caller) -> None:
        first = await caller.sign(spending(["m/84'/0'/0'/0/0"]))
        again = await caller.sign(spending(["m/84'/0'/0'/0/0"]))
        assert again.result["signed_tx"] == first.result["signed_tx"]
        other = spending(["m/84'/0'/0'/0/0"], [TxOut(40_000, FOREIGN.script)])
        refused = await caller.sign(other)
        assert (refused.code, refused.field) == ("already_signed", "options.replaces")
        assert (await caller.sign(other, options={"replaces": "00" * 32})).code == "already_signed"
        bumped = await caller.sign(other, options={"replaces": first.result["tx_id"]})
        assert is_sound(bumped, other)

    async def test_each_output_of_a_transaction_is_guarded(self, caller: Caller) -> None:
        assert (await caller.sign(spending(["m/84'/0'/0'/0/0", "m/84'/0'/0'/0/1"]))).code == "ok"
        overlapping = spending(["m/84'/0'/0'/0/2", "m/84'/0'/0'/0/1"])
        assert (await caller.sign(overlapping)).code == "already_signed"
        assert (await caller.sign(overlapping, options={"allow_resign": True})).code == "ok"

    async def test_nobody_else_can_guard_it(self, caller: Caller) -> None:
        """Another tenant makes up that our output pays a key of his."""
        text = spending(["m/84'/0'/0'/0/0"])
        one = psbt.parse_text(text)
        path = "m/84'/0'/0'/0/5"
        lie = Psbt(
            transaction=one.transaction,
            inputs=(PsbtInput(witness_utxo=TxOut(VALUE, script.p2wpkh(hash160(key_at(path))))),),
            outputs=one.outputs,
        )
        service = caller.service
        theirs = await service.new_key(tenant=OTHER_TENANT)
        stranger = await imported(service, theirs, **raw_key(path))
        assert (await stranger.sign(psbt.to_base64(lie), key=theirs)).code == "ok"
        assert is_sound(await caller.sign(text), text)


async def test_sighashes_need_their_scope(caller: Caller) -> None:
    one = psbt.parse_text(spending(["m/84'/0'/0'/0/0"]))
    given = one.inputs[0]
    loose = Psbt(
        transaction=one.transaction,
        inputs=(
            PsbtInput(witness_utxo=given.witness_utxo, bip32_derivations=given.bip32_derivations, sighash_type=0x83),
        ),
        outputs=one.outputs,
    )
    text, option = psbt.to_base64(loose), {"allowed_sighashes": ["SINGLE|ANYONECANPAY"]}
    assert (await caller.sign(text)).code == "option_required"
    plain = await caller.service.new_key(frozenset(SCOPES) - {"sign:sighash"})
    assert (await caller.sign(text, key=plain, options=option)).code == "forbidden"
    signed = await caller.sign(text, options=option)
    assert [warning["code"] for warning in signed.result["warnings"]] == ["partial_sighash"]
    unknown = await caller.sign(text, options={"allowed_sighashes": ["ALL"]})
    assert unknown.code == "invalid_field"


async def test_others_do_not_wait_for_the_keys_of_a_large_transaction(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may name thousands of keys, and pay as many."""
    await caller.open(index=0)
    read, stored = signing_keys._each_claim, signing_keys.SigningKeys.addresses
    loop, threads = threading.get_ident(), []

    def noting(work: Any) -> Any:
        def noted(*args: Any) -> Any:
            threads.append(threading.get_ident())
            return work(*args)

        return noted

    monkeypatch.setattr(signing_keys, "_each_claim", noting(read))
    monkeypatch.setattr(signing_keys.SigningKeys, "addresses", noting(stored))
    one = psbt.parse_text(spending(["m/84'/0'/0'/0/0"], change="m/84'/0'/0'/1/0"))
    for size, is_large in ((10, False), (20_000, True)):
        threads.clear()
        signed = await caller.sign(psbt.to_base64(replace(one, unknown={b"\xfc": bytes(size)})))
        assert signed.code == "ok"
        assert len(threads) == 4, "each is done once per request"
        assert (loop not in threads) is is_large
