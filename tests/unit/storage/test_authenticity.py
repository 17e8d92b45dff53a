"""Threat T16. Rows that somebody else wrote are refused, and an alert is raised."""

from __future__ import annotations

import hmac
from dataclasses import fields, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.domain.rate import Rate
from strongroom.domain.record import OperationState
from strongroom.domain.restriction import Restriction, read_restriction, write_restriction
from strongroom.errors import IntegrityError
from strongroom.storage.authenticity import Authenticity, canonical
from strongroom.storage.base import AddressFilter, Change, Unit
from strongroom.storage.sql import SqlStorage
from strongroom.telemetry.metrics import ALARMS_TOTAL
from tests.support import rows
from tests.support.rows import NOW, TENANT
from tests.unit.storage.conftest import Tamper

AUTHENTICITY = Authenticity(b"s" * 32)


def alarms(kind: str) -> float:
    return float(ALARMS_TOTAL.labels(kind)._value.get())


def other(value: Any) -> Any:
    if isinstance(value, UUID):
        return UUID(int=value.int + 1)
    if isinstance(value, bytes | str):
        return value * 2
    if isinstance(value, datetime):
        return value.replace(microsecond=1)
    if isinstance(value, tuple):
        return (*value, "admin")
    if isinstance(value, Restriction):
        return replace(value, wallets=frozenset())
    return value + 1 if isinstance(value, int) else NOW


def test_every_column_of_an_address_is_under_its_mac() -> None:
    address = rows.address(rows.account(rows.wallet()), label="l", external_id="e")
    macs = {AUTHENTICITY.address_mac(address)}
    for field in fields(address):
        macs.add(AUTHENTICITY.address_mac(replace(address, **{field.name: other(getattr(address, field.name))})))
    assert len(macs) == len(fields(address)) + 1


def test_every_column_of_an_api_key_is_under_its_mac() -> None:
    key = rows.api_key()
    macs = {AUTHENTICITY.api_key_row_mac(key)}
    for field in fields(key):
        macs.add(AUTHENTICITY.api_key_row_mac(replace(key, **{field.name: other(getattr(key, field.name))})))
    assert len(macs) == len(fields(key)) + 1


@pytest.mark.parametrize(
    "restriction",
    [
        Restriction(),
        Restriction(
            networks=frozenset({"eip155:1", "eip155:5"}),
            wallets=frozenset({UUID(int=7), UUID(int=8)}),
            clients=(ip_network("10.0.0.0/8"),),
            rates={"sign": Rate.parse("5/10 minute"), "read": None},
            refuses_unknown_calls=True,
            max_values={"eip155:1/slip44:60": 2**255},
        ),
        Restriction(wallets=frozenset()),
    ],
)
def test_restriction_is_read_as_it_was_written_and_every_part_of_it_is_under_the_mac(restriction: Restriction) -> None:
    assert read_restriction(write_restriction(restriction)) == restriction
    key = rows.api_key()
    macs = {AUTHENTICITY.api_key_row_mac(replace(key, restriction=restriction))}
    others: dict[str, Any] = {
        "networks": frozenset({"eip155:1"}),
        "wallets": frozenset({UUID(int=7)}),
        "clients": (ip_network("10.0.0.0/9"),),
        "rates": {"sign": Rate.parse("6/10 minute")},
        "refuses_unknown_calls": not restriction.refuses_unknown_calls,
        "max_values": {"eip155:1/slip44:60": 1},
    }
    assert others.keys() == {field.name for field in fields(restriction)}
    for name, value in others.items():
        macs.add(AUTHENTICITY.api_key_row_mac(replace(key, restriction=replace(restriction, **{name: value}))))
    assert len(macs) == len(others) + 1


@pytest.mark.parametrize("stored", ['{"later":1}', '{"unknown_calls":"ask"}', '{"unknown_calls":null}'])
def test_restriction_of_a_later_version_is_refused_and_not_read_as_none(stored: str) -> None:
    with pytest.raises(ValueError, match="unknown to this version"):
        read_restriction(stored)


def test_wallet_without_rates_of_its_own_has_the_mac_that_it_had_before_there_were_any() -> None:
    cells = [UUID(int=1), UUID(int=2), "bip39", None, None, "active", 1, None, None, NOW]
    bare = hmac.digest(AUTHENTICITY._row_keys["wallets"], msgspec.msgpack.encode(cells), "sha256")
    assert AUTHENTICITY.row_mac("wallets", [*cells, None]) == bare
    assert AUTHENTICITY.row_mac("wallets", [*cells, "{}"]) != bare


def test_canonical_bytes_tell_every_list_of_values_apart() -> None:
    lists: list[tuple[int | str | bytes | UUID | datetime | None, ...]] = [
        (), (None,), (None, None), ("",), ("", ""), (b"",), ("a", "b"), ("ab",), ("ab", ""), ("", "ab"), (b"ab",),
        (1,), ("1",), (-1,), (UUID(int=1),), (UUID(int=1).bytes,), (datetime(2026, 1, 1, tzinfo=UTC),),
    ]  # fmt: skip
    assert len({canonical(*values) for values in lists}) == len(lists)


def test_canonical_bytes_by_hand() -> None:
    assert canonical("é", None, 258).hex() == "7300000002c3a9" + "6e00000000" + "6900000003323538"


def test_keys_are_hkdf_of_the_service_secret() -> None:
    expected = HKDF(SHA256(), 32, salt=None, info=b"strongroom/audit/v1").derive(b"s" * 32)
    assert AUTHENTICITY.audit_key == expected
    assert AUTHENTICITY.audit_key != AUTHENTICITY.fingerprint_key


def test_it_does_not_print() -> None:
    assert repr(AUTHENTICITY) == str(AUTHENTICITY) == "Authenticity(…)"
    with pytest.raises(ValueError, match="32 bytes"):
        Authenticity(b"short")


@pytest.mark.parametrize(
    ("column", "value"),
    [("canonical", b"\xff" * 20), ("public_key", b"\x03" * 33), ("path", "m/0"), ("tenant_id", UUID(int=9).bytes),
     ("external_id", "mine"), ("mac", bytes(32)), ("change", 1), ("index", 1)],
)  # fmt: skip
async def test_an_edited_address_row_is_refused(
    storage: SqlStorage, tamper: Tamper, column: str, value: object
) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    await storage.apply([Unit(rows=[wallet, account, rows.address(account)])])
    before = alarms("address")
    tamper(f'UPDATE addresses SET "{column}" = ?', value)
    tenant = UUID(int=9) if column == "tenant_id" else TENANT
    with pytest.raises(IntegrityError):
        await storage.addresses(tenant, wallet.id, AddressFilter(), None, 10)
    assert alarms("address") == before + 1


async def test_a_deposit_address_that_was_inserted_is_refused(storage: SqlStorage, tamper: Tamper) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    await storage.apply([Unit(rows=[wallet, account, rows.address(account)])])
    tamper('INSERT INTO addresses SELECT account_id, change, 7, tenant_id, wallet_id, keyspace, scheme, account, path,'
           ' canonical, public_key, label, external_id, created_at, mac, networks FROM addresses')  # fmt: skip
    with pytest.raises(IntegrityError):
        await storage.address(TENANT, account.id, 0, 7)


async def test_account_nodes_of_two_rows_cannot_be_swapped(storage: SqlStorage, tamper: Tamper) -> None:
    wallet = rows.wallet()
    one, two = rows.account(wallet), rows.account(wallet, number=1)
    await storage.apply([Unit(rows=[wallet, one, two])])
    tamper("CREATE TABLE old AS SELECT id, public_sealed FROM accounts")
    tamper("UPDATE accounts SET public_sealed = (SELECT old.public_sealed FROM old WHERE old.id != accounts.id)")
    before = alarms("account")
    for number in (0, 1):
        with pytest.raises(IntegrityError):
            await storage.account(TENANT, wallet.id, "evm", "bip44", number)
    assert alarms("account") == before + 2


@pytest.mark.parametrize("column", ["path", "scheme", "keyspace"])
async def test_an_account_row_cannot_be_renamed(storage: SqlStorage, tamper: Tamper, column: str) -> None:
    wallet = rows.wallet()
    await storage.apply([Unit(rows=[wallet, rows.account(wallet, node=None)])])
    tamper(f"UPDATE accounts SET {column} = 'm/1'")
    names = {"keyspace": "evm", "scheme": "bip44"}
    names |= {column: "m/1"} if column in names else {}
    with pytest.raises(IntegrityError):
        await storage.account(TENANT, wallet.id, **names, number=0)


@pytest.mark.parametrize(
    ("column", "value"),
    [("scopes", '["api-keys:manage"]'), ("revoked_at", None), ("expires_at", None), ("secret_mac", bytes(32)),
     ("tenant_id", UUID(int=9).bytes), ("row_mac", bytes(32)), ("scopes", "not json")],
)  # fmt: skip
async def test_an_edited_api_key_row_is_refused(
    storage: SqlStorage, tamper: Tamper, column: str, value: object
) -> None:
    key = rows.api_key(revoked_at=NOW, expires_at=NOW)
    await storage.apply([Unit(rows=[key])])
    tamper(f"UPDATE api_keys SET {column} = ?", value)
    with pytest.raises(IntegrityError):
        await storage.api_key(key.id)


async def test_an_edited_api_key_is_not_blessed_by_a_change_of_ours(storage: SqlStorage, tamper: Tamper) -> None:
    key = rows.api_key()
    await storage.apply([Unit(rows=[key])])
    tamper("UPDATE api_keys SET scopes = ?", '["api-keys:manage"]')
    with pytest.raises(IntegrityError):
        await storage.apply([Unit(changes=[Change(type(key), key.id, {"revoked_at": None}, {"revoked_at": NOW})])])


async def test_a_stored_answer_that_was_changed_is_not_given_out(storage: SqlStorage, tamper: Tamper) -> None:
    operation = rows.operation(idempotency_key="k", state=OperationState.DONE, result=b'{"address":"0x01"}')
    await storage.apply([Unit(rows=[operation])])
    tamper("UPDATE operations SET result = substr(result, 1, 32) || ?", b'{"address":"0x02"}')
    with pytest.raises(IntegrityError):
        await storage.operation_by_key(TENANT, operation.principal_id, "k")


async def test_a_row_that_cannot_be_read_is_an_integrity_error(storage: SqlStorage, tamper: Tamper) -> None:
    wallet = rows.wallet()
    await storage.apply([Unit(rows=[wallet])])
    tamper("UPDATE wallets SET created_at = 'yesterday'")
    with pytest.raises(IntegrityError):
        await storage.wallet(TENANT, wallet.id)
