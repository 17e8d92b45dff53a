"""Which transfers are refused, what summaries say, and what is signed only once."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.chains.ton import addresses, boc, payloads, schemes
from strongroom.chains.ton.cell import Builder, Cell
from strongroom.domain.signing import Policy
from strongroom.errors import (
    InvalidAddress,
    InvalidTransaction,
    LimitExceeded,
    OptionRequired,
    Refused,
    WrongKey,
)
from tests.unit.chains.ton.ton_cases import (
    BOUNCEABLE,
    MAINNET,
    MASTER,
    NOT_BOUNCEABLE,
    NOW,
    OFF,
    PUBLIC,
    RAW,
    SOON,
    TEST_ONLY,
    TESTNET,
    TON,
    allowing,
    checked,
    form,
    ours,
    pay,
    signed,
)


def codes(unsigned: Any, scheme: str = "raw-v5r1", **more: Any) -> set[str]:
    _, cautions = checked(unsigned, scheme, **more)
    return {caution.code for caution in cautions}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in form().items() if key != name}


@pytest.mark.parametrize(
    ("unsigned", "field"),
    [
        ("te6cckEBAQEAAgAAAEysuc0=", "unsigned_tx"),
        (without("seqno"), "unsigned_tx.seqno"),
        (without("valid_until"), "unsigned_tx.valid_until"),
        (without("messages"), "unsigned_tx.messages"),
        (form(seqno=-1), "unsigned_tx.seqno"),
        (form(seqno=2**32), "unsigned_tx.seqno"),
        (form(seqno="5"), "unsigned_tx.seqno"),
        (form(seqno=5.0), "unsigned_tx.seqno"),
        (form(seqno=True), "unsigned_tx.seqno"),
        (form(seqno=None), "unsigned_tx.seqno"),
        (form(valid_until=1795890000000), "unsigned_tx.valid_until"),
        (form(send_mode=256), "unsigned_tx.send_mode"),
        (form(send_mode=16 + 3), "unsigned_tx.send_mode"),
        (form(send_mode=4 + 3), "unsigned_tx.send_mode"),
        (form(send_mode=192 + 3), "unsigned_tx.send_mode"),
        (form(memo="x"), "unsigned_tx.memo"),
        (form(pay(memo="x")), "unsigned_tx.messages.0.memo"),
        (form("x"), "unsigned_tx.messages.0"),  # type: ignore[arg-type]
        (form(pay(amount=1)), "unsigned_tx.messages.0.amount"),  # type: ignore[arg-type]
        (form(pay(amount="1.5")), "unsigned_tx.messages.0.amount"),
        (form(pay(amount="01")), "unsigned_tx.messages.0.amount"),
        (form(pay(amount=" 1")), "unsigned_tx.messages.0.amount"),
        (form(pay(amount="0x1")), "unsigned_tx.messages.0.amount"),
        (form(pay(amount=str(2**120))), "unsigned_tx.messages.0.amount"),
        (form(pay(), pay(bounce="true")), "unsigned_tx.messages.1.bounce"),
        (form(pay(payload="")), "unsigned_tx.messages.0.payload"),
        (form(pay(payload=None)), "unsigned_tx.messages.0.payload"),
        (form(pay(payload={})), "unsigned_tx.messages.0.payload"),
        (form(pay(comment=1)), "unsigned_tx.messages.0.comment"),
        (form(pay(comment="\ud800")), "unsigned_tx.messages.0.comment"),
        (form(pay(comment="a", payload=boc.to_base64(Cell()))), "unsigned_tx.messages.0.comment"),
        (form(pay(state_init="te6cckEBAQEAAgAAAEysuc0=")), "unsigned_tx.messages.0.state_init"),
        (form(pay(state_init="a", stateInit="a")), "unsigned_tx.messages.0.state_init"),
        (form(network="-3"), "unsigned_tx.network"),
        (form(network=-239), "unsigned_tx.network"),
        (form(deploy="yes"), "unsigned_tx.deploy"),
        (form(deploy=True), "unsigned_tx.deploy"),
        (form(query_id=1), "unsigned_tx.query_id"),
    ],
)
def test_what_is_not_exactly_a_transfer_is_refused_by_its_field(unsigned: Any, field: str) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        checked(unsigned, policy=OFF)
    assert refusal.value.field == field
    assert "memo" not in refusal.value.message.replace("memo_", "")


@pytest.mark.parametrize(
    "address", [TEST_ONLY, "", 5, None, "ton://transfer/" + BOUNCEABLE, BOUNCEABLE + " ", "1:" + "00" * 32]
)
def test_addresses_are_read_strictly(address: Any) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        checked(form(pay(address)))
    assert refusal.value.field == "unsigned_tx.messages.0.address"


@pytest.mark.parametrize(
    "text",
    [
        BOUNCEABLE.replace("-", "+"),
        BOUNCEABLE[:-1],
        BOUNCEABLE.lower(),
        "00:" + "1" * 64,
        "-0:" + "1" * 64,
        "0:" + "1" * 62,
    ],
)
def test_forms_of_an_address_are_never_mixed(text: str) -> None:
    if "+" in text:
        text = text[:-1] + "_" if "-" not in text and "_" not in text else text
        mixed = "EQAN6Dr3vziti1Kp9D3aEFqJX4bBVfCaV57Z+9jwKTBXICv-"
        with pytest.raises(InvalidAddress):
            addresses.read(MAINNET, mixed)
        return
    with pytest.raises(InvalidAddress):
        addresses.read(MAINNET, text)


def test_both_networks_take_forms_for_all_networks() -> None:
    assert addresses.read(TESTNET, TEST_ONLY).canonical == addresses.read(TESTNET, BOUNCEABLE).canonical


@pytest.mark.parametrize(("scheme", "most"), [("raw-v3r2", 4), ("raw-v4r2", 4), ("raw-v5r1", 255)])
def test_as_many_messages_as_the_contract_takes(scheme: str, most: int) -> None:
    checked(form(*[pay()] * most), scheme)
    with pytest.raises(InvalidTransaction, match="messages"):
        checked(form(*[pay()] * (most + 1)), scheme)
    with pytest.raises(InvalidTransaction, match="messages"):
        checked({**form(), "messages": []}, scheme)


def test_from_must_be_the_wallet_that_signs() -> None:
    mine = addresses.raw(schemes.account("raw-v5r1").address(False, PUBLIC))
    checked(form(**{"from": mine}))
    with pytest.raises(WrongKey):
        checked(form(**{"from": mine}), "raw-v4r2")
    assert TON.decode(MAINNET, form(**{"from": mine})).key_hints[0].address == addresses.read(MAINNET, mine).canonical


def test_time_is_held_against_the_limits() -> None:
    for left, kind in ((0, InvalidTransaction), (-1, InvalidTransaction), (86_401, LimitExceeded)):
        with pytest.raises(kind):
            checked(form(valid_until=int(NOW.timestamp()) + left))
        checked(form(valid_until=int(NOW.timestamp()) + left), policy=OFF)
    checked(form(seqno=0, valid_until=2**32 - 1))
    with pytest.raises(LimitExceeded):
        checked(form(seqno=1, valid_until=2**32 - 1))


def test_valid_until_of_the_caller_is_what_is_signed() -> None:
    for seqno, valid_until in ((0, SOON), (0, 2**32 - 1), (7, SOON + 1)):
        details = signed(form(seqno=seqno, valid_until=valid_until)).details
        ids = TON.identify(MAINNET, signed(form(seqno=seqno, valid_until=valid_until)).raw)
        assert details["valid_until"] == valid_until
        assert ids.consumes[0].sequence == str(seqno)
        assert ids.expiry is None if valid_until == 2**32 - 1 else int(ids.expiry.timestamp()) == valid_until  # type: ignore[union-attr]


def test_amounts_are_held_against_the_limit() -> None:
    policy = Policy({**TON.limits, "max_amount": 10})
    checked(form(pay(amount="5"), pay(amount="5")), policy=policy)
    for unsigned in (form(pay(amount="5"), pay(amount="6")), form(pay(amount="0"), send_mode=130)):
        with pytest.raises(LimitExceeded):
            checked(unsigned, policy=policy)


@pytest.mark.parametrize("scheme", ["raw-v3r2", "raw-v4r2", "raw-v5r1"])
def test_all_balance_is_sent_by_one_message_that_names_no_amount(scheme: str) -> None:
    assert "sends_all_balance" in codes(form(pay(amount="0"), send_mode=130), scheme)
    for unsigned in (form(pay(amount="1"), send_mode=130), form(pay(amount="0"), pay(amount="0"), send_mode=130)):
        with pytest.raises(InvalidTransaction):
            checked(unsigned, scheme)


def token_to(operation: int, recipient: str) -> str:
    """A transfer of a jetton or an NFT, in base64."""
    body = Builder().uint(operation, 32).uint(0, 64)
    if operation == payloads.JETTON_TRANSFER:
        body.coins(5)
    body.address(b"\0" + bytes.fromhex(recipient.partition(":")[2])).address(None).bit(False).coins(0)
    return boc.to_base64(body.bit(False).cell())


@pytest.mark.parametrize(
    ("unsigned", "hazard"),
    [
        (form(pay(amount="0"), send_mode=162), "destroy_wallet"),
        (form(send_mode=34), "destroy_wallet"),
        (form(send_mode=67), "carry_inbound_value"),
        (form(pay(MASTER)), "masterchain_recipient"),
        (form(pay(RAW, payload=token_to(payloads.JETTON_TRANSFER, RAW))), "to_token_contract"),
        (form(pay(RAW, payload=token_to(payloads.NFT_TRANSFER, RAW))), "to_token_contract"),
    ],
)
def test_a_hazard_is_refused_unless_its_option_names_it(unsigned: Any, hazard: str) -> None:
    with pytest.raises(OptionRequired):
        checked(unsigned)
    assert hazard in codes(unsigned, policy=allowing(hazard))


@pytest.mark.parametrize("mode", [0, 1])
def test_modes_without_2_are_refused_where_the_contract_uses_the_seqno_up(mode: int) -> None:
    assert codes(form(send_mode=mode), "raw-v4r2") == {"repeatable_on_failure"}
    with pytest.raises(InvalidTransaction, match=r"\+2"):
        checked(form(send_mode=mode), "raw-v5r1")


@pytest.mark.parametrize(
    ("message", "bounce", "expected"),
    [
        (pay(BOUNCEABLE), True, set()),
        (pay(NOT_BOUNCEABLE), False, set()),
        (pay(RAW), True, set()),
        (pay(NOT_BOUNCEABLE, bounce=True), True, {"bounces"}),
        (pay(BOUNCEABLE, bounce=False), False, {"does_not_bounce"}),
        (pay(RAW, bounce=False), False, set()),
        (pay("0:" + "00" * 32, bounce=False), False, {"zero_address"}),
    ],
)
def test_bounce_follows_the_address_unless_it_is_said(message: Any, bounce: bool, expected: set[str]) -> None:
    prepared, cautions = checked(form(message))
    assert prepared.summary.actions[0].details["bounce"] is bounce
    assert {caution.code for caution in cautions} == expected


def test_a_state_must_be_that_of_the_address() -> None:
    state = schemes.account("raw-v4r2").state(False, PUBLIC)
    address = f"0:{state.hash.hex()}"
    for name in ("state_init", "stateInit"):
        prepared, _ = checked(form(pay(address, **{name: boc.to_base64(state)})))
        assert prepared.summary.actions[0].details["deploys"] is True
    with pytest.raises(InvalidTransaction, match="does not belong to the address"):
        checked(form(pay(RAW, state_init=boc.to_base64(state))))


def test_payloads_that_are_not_understood_are_shown_with_a_caution_or_refused_by_a_limit() -> None:
    unknown = form(pay(payload=boc.to_base64(Builder().uint(0xDEADBEEF, 32).uint(1, 5).cell())))
    prepared, cautions = checked(unknown)
    [action] = prepared.summary.actions
    assert (action.kind, action.method, action.data_size) == ("contract_call", "0xdeadbeef", 5)
    assert {caution.code for caution in cautions} == {"unknown_payload"}
    refusing = Policy({**TON.limits, "unknown_calls": 0})
    with pytest.raises(LimitExceeded):
        checked(unknown, policy=refusing)
    checked(form(pay(comment="fine")), policy=refusing)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_the_limit_says_how_many_payloads_may_be_unknown(most: int) -> None:
    """As on the other chains, an unknown payload inside another one counts like an unknown payload."""
    whole = pay(payload=boc.to_base64(Builder().uint(0xDEADBEEF, 32).cell()))
    inside = pay(payload=boc.to_base64(jetton(Builder().bit(False).uint(5, 9))))
    policy = Policy({**TON.limits, "unknown_calls": most})
    unknown = [whole, inside, whole]
    checked(form(pay(comment="fine"), *unknown[:most]), policy=policy)
    with pytest.raises(LimitExceeded, match=f"{most + 1} payloads are not understood.* allows {most}") as refused:
        checked(form(pay(comment="fine"), *unknown[: most + 1]), policy=policy)
    assert refused.value.field == f"unsigned_tx.messages.{most + 1}.payload"


def jetton(forward: Builder) -> Cell:
    body = Builder().uint(payloads.JETTON_TRANSFER, 32).uint(0, 64).coins(5).address(bytes(33)).address(None).bit(False)
    return body.coins(1).inline(forward.cell()).cell()


def comment_cell(text: str) -> Cell:
    return payloads.comment(text)


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (Builder(), payloads.Empty()),
        (Builder().bit(False), payloads.Empty()),
        (Builder().bit(False).inline(comment_cell("rent")), payloads.Comment("rent")),
        (Builder().bit(True).ref(comment_cell("rent")), payloads.Comment("rent")),
        (Builder().bit(False).raw(b"rent"), payloads.Unknown(0x72656E74, 32)),
        (Builder().bit(True).ref(Builder().uint(1, 64).cell()), payloads.Unknown(0, 64)),
        (Builder().bit(False).uint(5, 9), payloads.Unknown(None, 9)),
        (Builder().bit(True).ref(Builder().uint(payloads.ENCRYPTED_COMMENT, 32).cell()), payloads.EncryptedComment()),
    ],
)
def test_forward_payloads_come_in_every_shape(forward: Builder, expected: Any) -> None:
    found = payloads.read(jetton(forward))
    assert isinstance(found, payloads.JettonTransfer)
    if expected == payloads.Unknown(0, 64):
        assert isinstance(found.forward, payloads.Comment | payloads.Unknown)
    else:
        assert found.forward == expected


def test_transfers_within_transfers_are_not_followed() -> None:
    body = comment_cell("deep")
    for _ in range(400):
        body = jetton(Builder().bit(True).ref(body))
    found = payloads.read(body)
    assert isinstance(found, payloads.JettonTransfer)
    assert found.forward == payloads.Unknown(payloads.JETTON_TRANSFER, body.length)
    prepared, cautions = checked(form(pay(payload=boc.to_base64(body))))
    assert prepared.summary.actions[0].kind == "jetton_transfer"
    assert {caution.code for caution in cautions} == {"unknown_forward_payload"}


def test_bits_after_a_reference_that_holds_the_forward_payload_make_the_whole_unknown() -> None:
    body = jetton(Builder().bit(True).ref(comment_cell("rent")).uint(1, 8))
    assert isinstance(payloads.read(body), payloads.Unknown)


def test_a_comment_is_put_together_before_it_is_read() -> None:
    for text in ("🐢" * 45, "x" * 123, "x" * 124, "", "é" * 2000):
        assert payloads.read(payloads.comment(text)) == payloads.Comment(text)
    cut = Builder().uint(0, 32).raw("é".encode()[:1]).cell()
    assert isinstance(payloads.read(cut), payloads.Unknown)


def test_one_signature_a_seqno_of_a_wallet_on_a_network() -> None:
    prepared, _ = checked(form(seqno=9))
    [guard] = prepared.guards
    [key] = ours().values()
    assert (guard.keyspace, guard.chain_id, guard.address, guard.sequence) == (
        "ton",
        "tvm:-239",
        key.address.hex(),
        "9",
    )
    assert guard.payload_hash == prepared.to_sign[0].payload
    [other] = checked(form(seqno=9), "raw-v4r2")[0].guards
    assert other.address != guard.address


def test_what_is_valid_on_the_main_network_too_is_said() -> None:
    assert codes(form(), "raw-v4r2", testnet=True) == {"valid_on_main_network"}
    assert codes(form(), "raw-v5r1", testnet=True) == set()


def test_no_wallet_of_v5_has_the_address_of_another_on_the_other_network() -> None:
    last = schemes.account("raw-v5r1-sub127").contract.max_subwallet
    names = ["raw-v5r1", *(f"raw-v5r1-sub{number}" for number in range(1, last + 1))]
    found = [{schemes.account(name).wallet_id(testnet) for name in names} for testnet in (False, True)]
    assert not found[0] & found[1]
    for name in ("raw-v5r1", "raw-v5r1-sub127", "raw-v5r1-master-sub5"):
        for testnet in (False, True):
            raw = signed(form(), name, testnet=testnet).raw
            with pytest.raises(InvalidTransaction, match="another network"):
                TON.identify(MAINNET if testnet else TESTNET, raw)


def highload(**more: Any) -> dict[str, Any]:
    return {"query_id": 3, "created_at": int(NOW.timestamp()) - 5, "messages": [pay()], **more}


def test_highload_is_guarded_by_its_query_and_when_it_was_made() -> None:
    prepared, _ = checked(highload(), "raw-highload3")
    assert prepared.guards[0].sequence == f"3:{int(NOW.timestamp()) - 5}"
    ids = TON.identify(MAINNET, signed(highload(), "raw-highload3").raw)
    assert ids.consumes[0].sequence == prepared.guards[0].sequence
    assert int(ids.expiry.timestamp()) == int(NOW.timestamp()) - 5 + 3600  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("unsigned", "scheme"),
    [
        (highload(), "raw-v5r1"),
        (form(), "raw-highload3"),
        (highload(query_id=1023), "raw-highload3"),
        (highload(query_id=2**23), "raw-highload3"),
        (highload(created_at=int(NOW.timestamp()) - 3600), "raw-highload3"),
        (highload(created_at=int(NOW.timestamp()) + 61), "raw-highload3"),
        (highload(send_mode=1), "raw-highload3"),
        (highload(send_mode=130, messages=[pay(amount="0")]), "raw-highload3"),
        (highload(messages=[pay()] * 255), "raw-highload3"),
    ],
)
def test_what_a_highload_wallet_does_not_take(unsigned: Any, scheme: str) -> None:
    with pytest.raises(Refused):
        checked(unsigned, scheme)


def test_more_than_one_message_can_hold_is_refused() -> None:
    many = [pay(comment=f"{place:03}" * 100) for place in range(255)]
    with pytest.raises(InvalidTransaction):
        checked(form(*many))
    deep = Cell()
    for _ in range(300):
        deep = Builder().ref(deep).cell()
    with pytest.raises(InvalidTransaction, match="512"):
        checked(form(pay(payload=boc.to_base64(deep)), *[pay()] * 254), "raw-v5r1")


def test_wallets_of_the_same_key_have_different_addresses_and_ids() -> None:
    names = [
        "raw-v5r1",
        "raw-v4r2",
        "raw-v3r2",
        "raw-highload3",
        "raw-v5r1-sub1",
        "raw-v4r2-sub1",
        "raw-v4r2-master-sub1",
    ]
    found = {TON.render(MAINNET, TON.schemes("ton")[name], PUBLIC).forms["raw"] for name in names}
    assert len(found) == len(names)
    assert TON.schemes("ton")["ledger-v4r2-master"].template == "m/44'/607'/0'/255'/{index}'/0'"
    assert TON.schemes("ton-test")["ledger-v4r2"].template == "m/44'/607'/1'/0'/{index}'/0'"


@pytest.mark.parametrize(
    "name", ["raw-v6r1", "raw", "raw-v4r2-sub0", "raw-v4r2-sub01", "raw-v5r1-sub128", "raw-v4r2-sub1-master",
             "raw-highload3-master", "RAW-v4r2", "raw-v4r2\n", "raw-v4r2-sub1000000"],
)  # fmt: skip
def test_names_of_no_scheme(name: str) -> None:
    assert TON.schemes("ton").get(name) is None
