"""Client certificates that stand for principals.

The TLS handshake has already verified the certificate. Here it is only looked up, by its SPIFFE ID (SPIFFE X.509-SVID
section 2: the only URI in the subject alternative name) or else by its subject (RFC 4514).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar
from uuid import UUID, uuid5

from cryptography import x509

from strongroom.access.scopes import SCOPES
from strongroom.domain.principal import Principal
from strongroom.errors import ConfigurationError

T = TypeVar("T")

_NAMESPACE: Final = UUID("b2a3b9b9-6b94-4104-881a-133c05b58c2f")
_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Binding:
    """``identity`` is a SPIFFE ID, or a subject in the notation of RFC 4514."""

    identity: str
    name: str
    tenant_id: UUID
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a certificate says about its holder."""

    spiffe: str | None
    subject: x509.Name
    begins_at: datetime
    expires_at: datetime


class Certificates:
    """Finds the principal of a certificate. Its id is derived from the identity, so it survives a renewal.

    Raises ConfigurationError for a binding that cannot be read, and for two bindings of one identity.
    """

    def __init__(self, bindings: Iterable[Binding]) -> None:
        self._by_spiffe: dict[str, Binding] = {}
        self._by_subject: dict[x509.Name, Binding] = {}
        for each in bindings:
            if unknown := each.scopes - set(SCOPES):
                raise ConfigurationError(f"access.certificates: {each.name} names {len(unknown)} unknown scopes")
            if each.identity.startswith("spiffe://"):
                _add(self._by_spiffe, each.identity, each)
            else:
                subject = _name(each)
                _add(self._by_subject, subject, replace(each, identity=subject.rfc4514_string()))

    def principal(self, certificate: bytes, now: datetime) -> Principal | None:
        """``certificate`` is verified DER. None if it stands for no principal, or is not valid now."""
        if not (self._by_spiffe or self._by_subject):
            return None
        shown = read_certificate(certificate)
        if shown is None or not shown.begins_at <= now < shown.expires_at:
            return None
        found = self._by_spiffe.get(shown.spiffe) if shown.spiffe is not None else None
        found = found or self._by_subject.get(shown.subject)
        if found is None:
            return None
        return Principal(uuid5(_NAMESPACE, found.identity), found.tenant_id, found.name, found.scopes)


@lru_cache(maxsize=_REMEMBERED)
def read_certificate(certificate: bytes) -> Shown | None:
    """None if this library cannot read it, although the TLS library could."""
    try:
        read = x509.load_der_x509_certificate(certificate)
        return Shown(_spiffe(read), read.subject, read.not_valid_before_utc, read.not_valid_after_utc)
    except ValueError:
        return None


def _spiffe(certificate: x509.Certificate) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if len(uris) == 1 and uris[0].startswith("spiffe://") else None


def _name(binding: Binding) -> x509.Name:
    try:
        return x509.Name.from_rfc4514_string(binding.identity)
    except ValueError:
        raise ConfigurationError(
            f"access.certificates: the subject of {binding.name} must be written as in RFC 4514"
        ) from None


def _add(known: dict[T, Binding], identity: T, binding: Binding) -> None:
    if identity in known:
        raise ConfigurationError(f"access.certificates: {binding.name} is bound twice")
    known[identity] = binding
