"""TLS to PostgreSQL, with libpq's parameters in the URL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from strongroom.errors import StorageUnavailable
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from tests.support import postgres
from tests.support.postgres import Postgres

pytestmark = pytest.mark.needs("postgresql")

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def authority() -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of our own")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    made = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return made.add_extension(usage, critical=True).add_extension(own, critical=False).sign(key, hashes.SHA256()), key


def certificate(by: Pair, name: x509.GeneralName) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a database")])
    made = _builder(subject, by[0].subject, key).add_extension(x509.SubjectAlternativeName([name]), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by[1].public_key())  # Python 3.13 requires it
    return made.add_extension(signer, critical=False).sign(by[1], hashes.SHA256()), key


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(hours=1),
        now + timedelta(days=1),
    )


@pytest.fixture(scope="module")
def ours() -> Pair:
    return authority()


@pytest.fixture(scope="module")
def server(ours: Pair) -> Iterator[Postgres]:
    """Its certificate is for 127.0.0.1, not for localhost."""
    found = postgres.programs()
    assert found is not None
    server = Postgres(found, ("ssl=on",))
    made, key = certificate(ours, x509.IPAddress(ip_address("127.0.0.1")))
    unencrypted = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    for name, content in (("server.crt", made.public_bytes(serialization.Encoding.PEM)), ("server.key", pem)):
        file = server.folder / "data" / name
        file.write_bytes(content)
        file.chmod(0o600)
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def ca(ours: Pair, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(ours[0].public_bytes(serialization.Encoding.PEM))
    return str(file)


async def encrypted(url: str) -> bool:
    database = open_database(url, Limits(timeout=0.5))
    try:
        return bool(
            await database.read(
                lambda connection: connection.execute(
                    text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                ).scalar()
            )
        )
    finally:
        await database.close()


async def test_the_server_s_certificate_is_verified(server: Postgres, ca: str) -> None:
    assert await encrypted(server.url(sslmode="verify-full", sslrootcert=ca))


async def test_a_certificate_for_another_name_is_refused(server: Postgres, ca: str) -> None:
    url = server.url(sslmode="verify-full", sslrootcert=ca).replace("127.0.0.1", "localhost")
    with pytest.raises(StorageUnavailable):
        await encrypted(url)
    assert await encrypted(url.replace("verify-full", "verify-ca"))


async def test_a_certificate_by_another_authority_is_refused(server: Postgres, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(authority()[0].public_bytes(serialization.Encoding.PEM))
    for mode in ("verify-full", "verify-ca"):
        with pytest.raises(StorageUnavailable):
            await encrypted(server.url(sslmode=mode, sslrootcert=str(other)))


async def test_a_server_without_tls_is_refused(postgres_server: Postgres, ca: str) -> None:
    with pytest.raises(StorageUnavailable):
        await encrypted(postgres_server.url(sslmode="verify-full", sslrootcert=ca))
    assert not await encrypted(postgres_server.url(sslmode="prefer"))
