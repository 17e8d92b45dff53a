"""Certificates for tests: authorities, and what they sign for servers and clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    certificate: bytes
    """PEM."""
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        replace(certificate, self.certificate)
        replace(key, self.key)
        return certificate, key

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate).fingerprint(hashes.SHA256()).hex()


class Authority:
    def __init__(self, name: str = "an authority", *, days: int = 30, begins: timedelta = -_DAY) -> None:
        self._name = _common_name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key, begins, days * _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), True
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False)
        self.certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def server(
        self, *hosts: str, begins: timedelta = -_DAY, ends: timedelta = 20 * _DAY, key: PrivateKey | None = None
    ) -> Issued:
        """For `localhost` and 127.0.0.1 if no host is named."""
        names = [_general_name(host) for host in hosts or ("localhost", "127.0.0.1")]
        return self._issue(_common_name("strongroom"), names, ExtendedKeyUsageOID.SERVER_AUTH, begins, ends, key)

    def client(
        self,
        subject: str = "CN=a client",
        *uris: str,
        begins: timedelta = -_DAY,
        ends: timedelta = 20 * _DAY,
    ) -> Issued:
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        name = x509.Name.from_rfc4514_string(subject)
        return self._issue(name, names, ExtendedKeyUsageOID.CLIENT_AUTH, begins, ends, None)

    def _issue(
        self,
        subject: x509.Name,
        names: list[x509.GeneralName],
        purpose: x509.ObjectIdentifier,
        begins: timedelta,
        ends: timedelta,
        key: PrivateKey | None,
    ) -> Issued:
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key, begins, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return Issued(signed.public_bytes(serialization.Encoding.PEM), as_pem(key))


def as_pem(key: PrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def replace(path: Path, content: bytes) -> None:
    """Write atomically, so that no reader sees half of it."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, begins: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now + begins,
        not_valid_after=now + ends,
    )
