"""The TLS credentials of gRPC, which looks for a new certificate before each handshake."""

from __future__ import annotations

import grpc

from strongroom.entrypoints.tls.material import Material
from strongroom.entrypoints.tls.watched import WatchedMaterial


def grpc_credentials(material: WatchedMaterial) -> grpc.ServerCredentials:
    """Server credentials that always use the current material."""
    configured = material.current

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal configured
        if material.current is configured:
            return None
        configured = material.current
        return _configuration(configured)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(configured),
        changed,  # type: ignore[arg-type] # None means no change, which grpcio documents
        require_client_authentication=configured.client_ca is not None,
    )


def _configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], root_certificates=material.client_ca
    )
