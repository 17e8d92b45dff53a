"""The material in use. When its files change, they are read again. If they cannot be used, the old material stays."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from strongroom.config.tls import TlsSettings
from strongroom.entrypoints.tls.material import Material, read_material
from strongroom.errors import ConfigurationError
from strongroom.telemetry.metrics import TLS_EXPIRY_TIMESTAMP, TLS_REFUSED, TLS_RELOADS_TOTAL

log = structlog.get_logger(__name__)

INTERVAL: Final = 2.0
"""Seconds between two checks of the files."""

_Signature = tuple[tuple[int, int, int, int] | None, ...]


class WatchedMaterial:
    """``current`` is replaced as a whole, so a handshake sees the old or the new material and never a mixture."""

    def __init__(self, settings: TlsSettings) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        self._seen = self._signature()
        self._watching: asyncio.Task[None] | None = None
        self.refused: str | None = None
        """Why the current files are not in use."""
        self.current: Material = read_material(settings)
        self._announce()

    @property
    def expires_at(self) -> datetime:
        return self.current.expires_at

    def watch(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="tls-files")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def look(self) -> None:
        """Read the files if they have changed. Refused files are read every time, since they may become valid."""
        signature = self._signature()
        if signature == self._seen and self.refused is None:
            return
        self._seen = signature
        try:
            found = read_material(self._settings)
        except ConfigurationError as error:
            self._refuse(error.message)
            return
        self.refused = None
        TLS_REFUSED.set(0)
        if (found.certificate, found.key, found.client_ca) == _files(self.current):
            return
        self.current = found
        TLS_RELOADS_TOTAL.labels("ok").inc()
        self._announce()

    def _refuse(self, reason: str) -> None:
        if reason == self.refused:
            return
        self.refused = reason
        TLS_REFUSED.set(1)
        TLS_RELOADS_TOTAL.labels("refused").inc()
        log.error("tls.refused", reason=reason, in_use=self.current.fingerprint)

    def _announce(self) -> None:
        TLS_REFUSED.set(0)
        for name, at in self.current.expires.items():
            TLS_EXPIRY_TIMESTAMP.labels(name).set(at.timestamp())
        log.info(
            "tls.loaded", fingerprint=self.current.fingerprint, expires_at=self.current.expires_at.isoformat(),
            client_certificates=self.current.client_ca is not None,
        )  # fmt: skip

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await asyncio.to_thread(self.look)

    def _signature(self) -> _Signature:
        """Changes whenever a file does, also if a symbolic link is switched, as Kubernetes does."""
        return tuple(_stat(path) for path in (self._settings.certificate, self._settings.key, self._settings.client_ca))


def _stat(path: Path | None) -> tuple[int, int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _files(material: Material) -> tuple[bytes, bytes, bytes | None]:
    return material.certificate, material.key, material.client_ca
