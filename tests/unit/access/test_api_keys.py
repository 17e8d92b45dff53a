from __future__ import annotations

import binascii
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from strongroom.access.api_keys import Authenticator, NewKey, new_key, parse_key
from strongroom.domain.principal import ApiKey
from strongroom.errors import IntegrityError, StorageUnavailable, Unauthenticated
from tests.support.clock import Clock
from tests.support.rows import NOW, TENANT


def secret_mac(secret: bytes) -> bytes:
    return hmac.digest(b"service", secret, "sha256")


def made(**changes: Any) -> NewKey:
    key = new_key(TENANT, "till", ("wallets:read",), None, secret_mac, NOW)
    return replace(key, row=replace(key.row, **changes))


class Rows:
    """The one table that an authenticator reads."""

    def __init__(self, *keys: NewKey) -> None:
        self.rows = {key.row.id: key.row for key in keys}
        self.reads = 0
        self.error: Exception | None = None

    async def api_key(self, key_id: UUID) -> ApiKey | None:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.rows.get(key_id)


def authenticator(rows: Rows, **options: Any) -> Authenticator:
    storage: Any = rows
    return Authenticator(storage, secret_mac, **options)


def test_key_is_read_as_it_was_written() -> None:
    key = made()
    text = key.text.reveal()
    key_id, secret = parse_key(text) or (None, b"")
    assert key_id == key.row.id
    assert secret_mac(secret) == key.row.secret_mac
    prefix, id_text, secret_text, crc = text.split("_")
    assert (prefix, UUID(id_text), len(secret_text)) == ("sr", key.row.id, 64)
    assert crc == f"{binascii.crc32(f'sr_{id_text}_{secret_text}'.encode()):08x}"


def test_row_does_not_hold_the_secret() -> None:
    key = made()
    secret = key.text.reveal().split("_")[2]
    assert secret not in repr(key)
    assert bytes.fromhex(secret) not in key.row.secret_mac
    assert key.text.reveal() not in repr(key)


def test_no_two_keys_are_alike() -> None:
    assert len({made().text.reveal() for _ in range(50)}) == 50


def test_every_mistyped_character_shows() -> None:
    text = made().text.reveal()
    for place, right in enumerate(text):
        wrong = "0" if right != "0" else "1"
        assert parse_key(text[:place] + wrong + text[place + 1 :]) is None, place


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda text: f" {text}", lambda text: f"{text}\n", lambda text: text[:-1], lambda text: f"{text}0",
     lambda text: text.replace("_", "-"), lambda text: text[3:], lambda _: "", lambda text: text.replace("s", "ſ", 1),
     lambda text: f"{text}_{text}"],
)  # fmt: skip
def test_text_of_another_form_is_no_key(change: Any) -> None:
    text = made().text.reveal()
    assert parse_key(text) is not None
    assert parse_key(change(text)) is None


async def test_principal_is_the_row() -> None:
    key = made()
    principal = await authenticator(Rows(key)).authenticate(key.text.reveal(), NOW)
    assert (principal.id, principal.tenant_id, principal.name) == (key.row.id, TENANT, "till")
    assert principal.scopes == {"wallets:read"}


async def refusal(rows: Rows, text: str | None) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator(rows).authenticate(text, NOW)
    return caught.value.message


async def test_all_refusals_are_in_the_same_words() -> None:
    key, unknown = made(), made()
    stolen_id = made()
    stolen_id = replace(stolen_id, row=replace(stolen_id.row, id=key.row.id))
    _, id_text, _, _ = key.text.reveal().split("_")
    body = f"sr_{id_text}_{'00' * 32}"
    tampered = Rows(key)
    tampered.error = IntegrityError("the row's MAC does not hold")
    revoked = made(revoked_at=NOW - timedelta(days=1))
    expired = made(expires_at=NOW)
    words = {
        await refusal(Rows(key), None),
        await refusal(Rows(key), "sr_"),
        await refusal(Rows(key), unknown.text.reveal()),
        await refusal(Rows(key), f"{body}_{binascii.crc32(body.encode()):08x}"),
        await refusal(Rows(revoked), revoked.text.reveal()),
        await refusal(Rows(expired), expired.text.reveal()),
        await refusal(tampered, key.text.reveal()),
    }
    assert len(words) == 1


async def test_key_holds_until_the_moment_it_expires() -> None:
    key = made(expires_at=NOW)
    just_before = await authenticator(Rows(key)).authenticate(key.text.reveal(), NOW - timedelta(microseconds=1))
    assert just_before.id == key.row.id


async def test_row_is_remembered_for_the_ttl_and_no_longer() -> None:
    key, clock = made(), Clock(100.0)
    rows = Rows(key)
    doors = authenticator(rows, ttl=2.0, clock=clock)
    await doors.authenticate(key.text.reveal(), NOW)
    rows.rows[key.row.id] = replace(key.row, revoked_at=NOW)
    clock.now += 1.9
    await doors.authenticate(key.text.reveal(), NOW)
    assert rows.reads == 1
    clock.now += 0.1
    with pytest.raises(Unauthenticated):
        await doors.authenticate(key.text.reveal(), NOW)
    assert rows.reads == 2


async def test_what_is_remembered_expires_all_the_same() -> None:
    key = made(expires_at=NOW + timedelta(seconds=1))
    doors = authenticator(Rows(key), ttl=60.0)
    await doors.authenticate(key.text.reveal(), NOW)
    with pytest.raises(Unauthenticated):
        await doors.authenticate(key.text.reveal(), NOW + timedelta(seconds=1))


async def test_forgotten_key_is_read_again() -> None:
    key = made()
    rows = Rows(key)
    doors = authenticator(rows, ttl=60.0)
    await doors.authenticate(key.text.reveal(), NOW)
    rows.rows[key.row.id] = replace(key.row, revoked_at=NOW)
    doors.forget(key.row.id)
    with pytest.raises(Unauthenticated):
        await doors.authenticate(key.text.reveal(), NOW)


async def test_wrong_secret_is_refused_for_a_key_that_is_remembered() -> None:
    key = made()
    doors = authenticator(Rows(key), ttl=60.0)
    await doors.authenticate(key.text.reveal(), NOW)
    _, id_text, _, _ = key.text.reveal().split("_")
    body = f"sr_{id_text}_{'11' * 32}"
    with pytest.raises(Unauthenticated):
        await doors.authenticate(f"{body}_{binascii.crc32(body.encode()):08x}", NOW)


async def test_memory_is_bounded_and_holds_no_strangers() -> None:
    keys = [made() for _ in range(4)]
    rows = Rows(*keys[:3])
    doors = authenticator(rows, ttl=60.0, size=2)
    for key in keys[:3]:
        await doors.authenticate(key.text.reveal(), NOW)
    await doors.authenticate(keys[2].text.reveal(), NOW)
    assert rows.reads == 3
    await doors.authenticate(keys[0].text.reveal(), NOW)
    assert rows.reads == 4
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await doors.authenticate(keys[3].text.reveal(), NOW)
    assert rows.reads == 5  # and strangers have a memory of their own


async def test_database_that_is_away_is_no_refusal() -> None:
    key = made()
    rows = Rows(key)
    rows.error = StorageUnavailable("the database does not respond")
    with pytest.raises(StorageUnavailable):
        await authenticator(rows).authenticate(key.text.reveal(), NOW)
