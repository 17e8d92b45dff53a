"""Certificate, key and client authorities, read from their files together and checked before use.

Whatever is refused here would be refused by one of the two TLS libraries (OpenSSL for REST, BoringSSL for gRPC), or by
every client. REST and gRPC use the same material.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from strongroom.config.settings import Settings
from strongroom.config.tls import TlsSettings
from strongroom.errors import ConfigurationError

_LONGEST: Final = 1 << 20
_FINGERPRINT: Final = 8
"""Bytes. With more, the scrubber of the log would take it for a key."""
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1)
_CIPHERS: Final = ":".join((
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
))  # fmt: skip
"""For TLS 1.2: forward secrecy and AEAD only. All three ciphers of TLS 1.3 are served too."""


@dataclass(frozen=True, slots=True)
class Material:
    """Files that were read and fit together. Only the certificate's fingerprint is ever shown."""

    certificate: bytes = field(repr=False)
    """The chain, as PEM."""
    key: bytes = field(repr=False)
    client_ca: bytes | None = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    """For REST. It requires a client certificate if client authorities are set."""
    probes: ssl.SSLContext = field(repr=False)
    """The same without that requirement."""
    fingerprint: str
    """The first 8 bytes of the certificate's SHA-256, in hex."""
    expires: Mapping[str, datetime]
    """By ``certificate`` and, if there are authorities, ``client_ca``, which is the last of them to expire."""

    @property
    def expires_at(self) -> datetime:
        """The first expiry."""
        return min(self.expires.values())


def read_material(settings: TlsSettings) -> Material:
    """Raises ConfigurationError, which says what is wrong without a path or any content of a file."""
    raw = _Files.read(settings)
    chain = _certificates(raw.certificate, "the file in tls.certificate")
    _check_key(raw.key, chain[0])
    expires = {"certificate": _valid(chain[:1], "the certificate in tls.certificate")}
    if raw.client_ca is not None:
        authorities = _certificates(raw.client_ca, "the file in tls.client_ca")
        expires["client_ca"] = _valid(authorities, "every certificate in tls.client_ca")
    context, probes = _context(settings, raw.client_ca), _context(settings, None)
    if _Files.read(settings) != raw:  # OpenSSL reads the files itself
        raise ConfigurationError("the TLS files changed while they were being read")
    fingerprint = chain[0].fingerprint(hashes.SHA256())[:_FINGERPRINT].hex()
    return Material(raw.certificate, raw.key, raw.client_ca, context, probes, fingerprint, expires)


def check_tls(settings: Settings) -> None:
    """Raises ConfigurationError for an unusable certificate, and for plaintext that was not explicitly allowed."""
    if settings.tls.certificate is not None:
        read_material(settings.tls)
    elif settings.exposes_plaintext:
        raise ConfigurationError(
            "the production profile must serve other machines over TLS: set tls.certificate and tls.key, or "
            "tls.allow_plaintext if something in front of the service encrypts"
        )


@dataclass(frozen=True, slots=True)
class _Files:
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    client_ca: bytes | None = field(repr=False)

    @classmethod
    def read(cls, settings: TlsSettings) -> _Files:
        assert settings.certificate is not None
        assert settings.key is not None
        return cls(
            _content(settings.certificate, "the file in tls.certificate"),
            _content(settings.key, "the file in tls.key"),
            None if settings.client_ca is None else _content(settings.client_ca, "the file in tls.client_ca"),
        )


def _content(path: Path, called: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError:
        raise ConfigurationError(f"{called} cannot be read") from None
    if len(content) > _LONGEST:
        raise ConfigurationError(f"{called} is too large")
    return content


def _certificates(content: bytes, called: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise ConfigurationError(f"{called} holds no certificates in PEM") from None


def _check_key(content: bytes, certificate: x509.Certificate) -> None:
    try:
        key = serialization.load_pem_private_key(content, None)
    except TypeError:
        raise ConfigurationError(
            "the key in tls.key has a passphrase: remove it, because nobody can type it when the service starts"
        ) from None
    except Exception:  # noqa: BLE001 - of any kind; its text may hold what it read
        raise ConfigurationError("the file in tls.key holds no private key in PEM") from None
    fits = (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES)
    )
    if not fits:
        raise ConfigurationError("the key in tls.key must be P-256, P-384, or RSA with at least 2048 bits")
    if key.public_key() != certificate.public_key():
        raise ConfigurationError("the key in tls.key does not belong to the certificate in tls.certificate")


def _valid(certificates: Sequence[x509.Certificate], called: str) -> datetime:
    """When the last of the valid certificates expires. Raises ConfigurationError if none is valid now."""
    now = datetime.now(UTC)
    begun = [each for each in certificates if each.not_valid_before_utc <= now]
    if not begun:
        raise ConfigurationError(f"{called} is not valid yet")
    expires_at = max(each.not_valid_after_utc for each in begun)
    if expires_at <= now:
        raise ConfigurationError(f"{called} has expired")
    return expires_at


def _context(settings: TlsSettings, client_ca: bytes | None) -> ssl.SSLContext:
    """Sessions are not resumed, because that would admit a client whom a full handshake would refuse by now."""
    assert settings.certificate is not None
    assert settings.key is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.set_ciphers(_CIPHERS)
        context.load_cert_chain(settings.certificate, settings.key, password=b"")
        if client_ca is not None:
            context.load_verify_locations(cadata=client_ca.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError):  # SSLError is an OSError
        raise ConfigurationError("OpenSSL refuses the files in tls.certificate, tls.key or tls.client_ca") from None
    return context
