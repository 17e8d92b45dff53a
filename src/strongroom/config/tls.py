"""The settings of TLS, and the bindings of client certificates to principals."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from strongroom.config.fields import Port, Section


class TlsSettings(Section):
    """One certificate for REST and gRPC."""

    certificate: Path | None = Field(
        default=None, description="File with the certificate and its intermediate certificates, PEM. Turns TLS on"
    )
    key: Path | None = Field(default=None, description="File with its private key, PEM without a passphrase")
    client_ca: Path | None = Field(
        default=None,
        description=(
            "File with the certificates of client authorities, PEM. Every client must then present a certificate "
            "that one of them signed"
        ),
    )
    probe_port: Port | None = Field(
        default=None,
        description=(
            "Another port with TLS and without client certificates, for probes that have none. It serves only "
            "/health and /metrics"
        ),
    )
    allow_plaintext: bool = Field(
        default=False,
        description=(
            "Allow the production profile to serve without TLS on addresses other than loopback. Set it if "
            "something in front of the service encrypts"
        ),
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("set both certificate and key, or neither")
        if self.certificate is None:
            for name in ("client_ca", "probe_port"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} needs certificate and key")
        return self


class CertificateSettings(Section):
    """One ``[[access.certificates]]`` in the TOML file: a client certificate and the principal that it stands for."""

    name: str = Field(min_length=1, max_length=128)
    spiffe: Annotated[str, Field(pattern=r"^spiffe://[a-z0-9._-]{1,255}/[A-Za-z0-9._/-]{1,1024}$")] | None = None
    """The URI in its subject alternative name."""
    subject: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Its subject in the notation of RFC 4514, such as ``CN=payments,O=Example``."""
    tenant: UUID
    scopes: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.spiffe is None) == (self.subject is None):
            raise ValueError("must have either spiffe or subject")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a listener at that host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
