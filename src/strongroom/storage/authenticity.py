"""Authenticity of public rows: who can write the database must not be able to redirect a deposit or grant a right.

Every key is derived from the one 32-byte service secret by HKDF-SHA-256 (RFC 5869), one label a purpose. What is
MACed is a list of values, each under its length, so that no two lists give the same bytes.

Addresses, API keys, sealed nodes and stored results had a MAC of their own first. Every other row that decides
something has one over all of its columns (`row_mac`), under a key of its own table.
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

from strongroom.domain.principal import ApiKey
from strongroom.domain.task import Progress
from strongroom.domain.wallet import Account, Address, PublicNode
from strongroom.errors import IntegrityError
from strongroom.telemetry.alarms import integrity_alarm

_MAC_SIZE = 32
_NONCE_SIZE = 12

_TABLES = ("wallets", "secrets", "accounts", "operations", "guards", "signatures", "service_secrets", "floors",
           "broadcasts", "discoveries")  # fmt: skip
"""Those with a column `mac`, which is their last one."""
_CELLS = msgspec.msgpack.Encoder()

Value = None | bool | int | str | bytes | UUID | datetime


def canonical(*values: Value) -> bytes:
    """Each value as one letter for its type, its length in 4 bytes and its bytes."""
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
    """Seals, MACs and their keys. Does not print.

    ``strict`` is False only while the rows of a database from before 1.1 are not all under a MAC yet: until then a row
    is believed as it stands, as 1.0.8 believed it.
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
        """Over every column of a row but the last one, in the order of the table. Types are those of Python.

        MessagePack puts each value under its type and length, so no two rows give the same bytes.
        """
        return hmac.digest(self._row_keys[table], _CELLS.encode(cells), "sha256")

    def holds(self, table: str, row: Sequence[object]) -> bool:
        """Whether the last column of ``row`` is the MAC of the others."""
        *cells, mac = row
        try:
            return isinstance(mac, bytes) and hmac.compare_digest(self.row_mac(table, cells), mac)
        except (TypeError, ValueError, OverflowError):
            return False  # SQLite keeps any type in any column: this is none that we would have written

    def check_row(self, table: str, row: Sequence[object]) -> None:
        """Raises IntegrityError and gives the alarm if somebody else wrote ``row``."""
        if self.strict and not self.holds(table, row):
            integrity_alarm(table.removesuffix("s"), row=_shown(row[0]))
            raise IntegrityError("a row was changed")

    def api_key_mac(self, secret: bytes) -> bytes:
        """What is stored of an API key's secret part."""
        return hmac.digest(self._api_key_secret_key, secret, "sha256")

    def address_mac(self, row: Address) -> bytes:
        return hmac.digest(
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
            ),
            "sha256",
        )

    def check_address(self, row: Address, mac: bytes) -> None:
        if not hmac.compare_digest(self.address_mac(row), mac):
            integrity_alarm(
                "address", tenant_id=row.tenant_id, account_id=row.account_id, change=row.change, index=row.index
            )
            raise IntegrityError("an address row was changed")

    def api_key_row_mac(self, row: ApiKey) -> bytes:
        return hmac.digest(
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
                *(() if row.made_by is None else (row.made_by,)),  # rows from before there were makers still hold
            ),
            "sha256",
        )

    def check_api_key(self, row: ApiKey, mac: bytes) -> None:
        if not hmac.compare_digest(self.api_key_row_mac(row), mac):
            integrity_alarm("api_key", tenant_id=row.tenant_id, id=row.id)
            raise IntegrityError("an API key row was changed")

    def progress_mac(self, row: Progress) -> bytes:
        """Whoever moves the cursor of a verification keeps it from seeing what he did."""
        return hmac.digest(
            self._progress_key,
            canonical(row.name, row.cursor, row.started_at, row.finished_at, row.checked, row.findings),
            "sha256",
        )

    def check_progress(self, row: Progress, mac: bytes) -> None:
        if not hmac.compare_digest(self.progress_mac(row), mac):
            integrity_alarm("progress", name=row.name)
            raise IntegrityError("the progress of a background job was changed")

    def seal_node(self, account: Account) -> bytes:
        """nonce (12) ‖ ciphertext ‖ tag (16). An account without a node is sealed too: that it has none is a fact."""
        node = account.node
        plain = b"" if node is None else canonical(node.path, node.public_key, node.chain_code, node.parent_fingerprint)
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._nodes.encrypt(nonce, plain, _identity(account))

    def open_node(self, account: Account, sealed: bytes) -> PublicNode | None:
        """The node of ``account``, whose own ``node`` is not looked at."""
        try:
            plain = self._nodes.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _identity(account))
        except (InvalidTag, ValueError):
            integrity_alarm("account", tenant_id=account.tenant_id, id=account.id)
            raise IntegrityError("an account row was changed") from None
        return _decode_node(plain) if plain else None

    def tag_result(self, operation_id: UUID, result: bytes) -> bytes:
        """mac (32) ‖ result: a stored answer is given out again, so it must be the one that was stored."""
        return hmac.digest(self._result_key, operation_id.bytes + result, "sha256") + result

    def open_result(self, operation_id: UUID, tagged: bytes) -> bytes:
        result = tagged[_MAC_SIZE:]
        if not hmac.compare_digest(self.tag_result(operation_id, result), tagged):
            integrity_alarm("operation", id=operation_id)
            raise IntegrityError("a stored result was changed")
        return result


def _shown(value: object) -> object:
    """The first column of a key, for the alarm: an id, or the name of a keyspace."""
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
    """The inverse of `canonical` for a node; the seal has shown that we wrote it."""
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
