"""Authenticity of public rows. Write access to the database must not allow redirecting a deposit or granting a right.

Every key is derived from the 32-byte service secret by HKDF-SHA-256 (RFC 5869), with one label per purpose. A MAC
covers a list of values, each preceded by its length, so that no two lists give the same bytes.

Addresses, API keys, sealed nodes and stored results have MACs of their own, from before there was `row_mac`. Every
other row that decides something has a `row_mac` over all of its columns, under a key of its own table.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.codecs.mac import hmac_sha256
from strongroom.domain.principal import ApiKey
from strongroom.domain.restriction import write_restriction
from strongroom.domain.task import Progress
from strongroom.domain.wallet import Account, Address, PublicNode
from strongroom.errors import IntegrityError
from strongroom.telemetry.alarms import integrity_alarm

_MAC_SIZE = 32
_NONCE_SIZE = 12

_TABLES = ("wallets", "secrets", "accounts", "operations", "guards", "signatures", "service_secrets", "floors",
           "broadcasts", "discoveries", "revocations", "client_networks", "sightings", "alerts", "silences",
           "notifications")  # fmt: skip
"""Tables with a column `mac`, which is their last one."""
_LATER = {"wallets": 10}
"""Position of a column that a table got after its rows had MACs. While it is NULL, the MAC does not cover it."""
_CELLS = msgspec.msgpack.Encoder()

Value = None | bool | int | str | bytes | UUID | datetime


def canonical(*values: Value) -> bytes:
    """Each value as a letter for its type, its length in 4 bytes, and its bytes."""
    parts: list[bytes] = []
    for value in values:
        letter, body = _encode(value)
        parts += (letter, len(body).to_bytes(4, "big"), body)
    return b"".join(parts)


def _encode(value: Value) -> tuple[bytes, bytes]:
    if value is None:
        return b"n", b""
    if isinstance(value, bytes):
        return b"b", value
    if isinstance(value, str):
        return b"s", value.encode()
    if isinstance(value, int):
        return b"i", str(int(value)).encode()
    if isinstance(value, UUID):
        return b"u", value.bytes
    return b"t", value.astimezone(UTC).isoformat(timespec="microseconds").encode()


class Authenticity:
    """Seals, MACs and their keys. They are not shown by repr.

    ``strict`` is False only while not all rows of a database from before 1.1 have a MAC. Until then a row is believed
    as it is, as 1.0.8 did.
    """

    strict = True

    def __init__(self, service_secret: bytes) -> None:
        if len(service_secret) != _MAC_SIZE:
            raise ValueError("the service secret has 32 bytes")

        def derive(label: str) -> bytes:
            return HKDF(SHA256(), 32, salt=None, info=f"strongroom/{label}/v1".encode()).derive(service_secret)

        self.audit_key = derive("audit")
        self.fingerprint_key = derive("fingerprint")
        self.cache_key = derive("cache")
        self.cursor_key = derive("cursor")
        self._address_key = derive("address")
        self._api_key_secret_key = derive("api-key-secret")
        self._api_key_row_key = derive("api-key-row")
        self._result_key = derive("result")
        self._progress_key = derive("progress")
        self._nodes = AESGCM(derive("account-node"))
        self._row_keys = {table: derive(f"row-{table}") for table in _TABLES}

    def __repr__(self) -> str:
        return "Authenticity(…)"

    def row_mac(self, table: str, cells: Sequence[object]) -> bytes:
        """The MAC over every column of a row but the last, in the order of the table, with Python types.

        MessagePack puts type and length before each value, so no two rows give the same bytes.
        """
        later = _LATER.get(table)
        if later is not None and cells[later] is None:
            cells = [*cells[:later], *cells[later + 1 :]]
        return hmac_sha256(self._row_keys[table], _CELLS.encode(cells))

    def holds(self, table: str, row: Sequence[object]) -> bool:
        """Whether the last column of ``row`` is the MAC of the others."""
        *cells, mac = row
        try:
            return isinstance(mac, bytes) and hmac.compare_digest(self.row_mac(table, cells), mac)
        except (TypeError, ValueError, OverflowError):
            return False  # SQLite stores any type in any column, so we did not write this row

    def check_row(self, table: str, row: Sequence[object]) -> None:
        """Raises IntegrityError, and the alarm, if ``row`` was tampered with."""
        if self.strict and not self.holds(table, row):
            integrity_alarm(table.removesuffix("s"), row=_shown(row[0]))
            raise IntegrityError("a row was changed")

    def api_key_mac(self, secret: bytes) -> bytes:
        """What is stored of the secret part of an API key."""
        return hmac_sha256(self._api_key_secret_key, secret)

    def address_mac(self, row: Address) -> bytes:
        return hmac_sha256(
            self._address_key,
            canonical(
                row.tenant_id,
                row.wallet_id,
                row.account_id,
                row.keyspace,
                row.scheme,
                row.account,
                row.change,
                row.index,
                row.path,
                row.canonical,
                row.public_key,
                row.label,
                row.external_id,
                row.created_at,
                # The MAC of a row from before this column existed does not cover it.
                *(() if row.networks is None else (row.networks,)),
            ),
        )

    def check_address(self, row: Address, mac: bytes) -> None:
        if not hmac.compare_digest(self.address_mac(row), mac):
            integrity_alarm(
                "address", tenant_id=row.tenant_id, account_id=row.account_id, change=row.change, index=row.index
            )
            raise IntegrityError("an address row was changed")

    def api_key_row_mac(self, row: ApiKey) -> bytes:
        return hmac_sha256(
            self._api_key_row_key,
            canonical(
                row.tenant_id,
                row.id,
                row.name,
                row.secret_mac,
                len(row.scopes),
                *row.scopes,
                row.created_at,
                row.expires_at,
                row.revoked_at,
                # The MAC of a row from before these columns existed does not cover them.
                *(value for value in (row.made_by, write_restriction(row.restriction)) if value is not None),
            ),
        )

    def check_api_key(self, row: ApiKey, mac: bytes) -> None:
        if not hmac.compare_digest(self.api_key_row_mac(row), mac):
            integrity_alarm("api_key", tenant_id=row.tenant_id, id=row.id)
            raise IntegrityError("an API key row was changed")

    def progress_mac(self, row: Progress) -> bytes:
        """Without this MAC somebody could move the cursor of a verification past what they changed."""
        return hmac_sha256(
            self._progress_key,
            canonical(row.name, row.cursor, row.started_at, row.finished_at, row.checked, row.findings),
        )

    def check_progress(self, row: Progress, mac: bytes) -> None:
        if not hmac.compare_digest(self.progress_mac(row), mac):
            integrity_alarm("progress", name=row.name)
            raise IntegrityError("the progress of a background job was changed")

    def seal_node(self, account: Account) -> bytes:
        """nonce (12) ‖ ciphertext ‖ tag (16). That an account has no node is a fact too, so it is also sealed."""
        node = account.node
        plain = b"" if node is None else canonical(node.path, node.public_key, node.chain_code, node.parent_fingerprint)
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._nodes.encrypt(nonce, plain, _identity(account))

    def open_node(self, account: Account, sealed: bytes) -> PublicNode | None:
        """The node of ``account``. The attribute ``node`` of ``account`` is not looked at."""
        try:
            plain = self._nodes.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _identity(account))
        except (InvalidTag, ValueError):
            integrity_alarm("account", tenant_id=account.tenant_id, id=account.id)
            raise IntegrityError("an account row was changed") from None
        return _decode_node(plain) if plain else None

    def tag_result(self, operation_id: UUID, result: bytes) -> bytes:
        """mac (32) ‖ result. A stored result is returned again, so it must be the one that was stored."""
        return hmac_sha256(self._result_key, operation_id.bytes + result) + result

    def open_result(self, operation_id: UUID, tagged: bytes) -> bytes:
        result = tagged[_MAC_SIZE:]
        if not hmac.compare_digest(self.tag_result(operation_id, result), tagged):
            integrity_alarm("operation", id=operation_id)
            raise IntegrityError("a stored result was changed")
        return result


def _shown(value: object) -> object:
    """The first column of the key, for the alarm. Only an id is shown."""
    return value if isinstance(value, UUID) else type(value).__name__


def _identity(account: Account) -> bytes:
    return canonical(
        account.tenant_id,
        account.id,
        account.wallet_id,
        account.keyspace,
        account.scheme,
        account.number,
        account.path,
    )


def _decode_node(plain: bytes) -> PublicNode:
    """The inverse of `canonical` for a node. The seal has proved that we wrote it."""
    parts: list[bytes | None] = []
    while plain:
        end = 5 + int.from_bytes(plain[1:5], "big")
        parts.append(None if plain[:1] == b"n" else plain[5:end])
        plain = plain[end:]
    path, public_key, chain_code, parent = parts
    assert path is not None
    assert public_key is not None
    assert parent is not None
    return PublicNode(path.decode(), public_key, chain_code, parent)
