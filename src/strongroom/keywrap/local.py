"""A key wrap for one machine, whose wrapping key comes from a passphrase or from a file on this machine.

Anyone who can read this machine can open every wallet. Use it for development, or on a single host if you accept this.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.keywrap.base import KeyWrapStatus, WrapFailure, WrapFailureReason, Wrapped

_FORMAT: Final = 1
_HEADER_SIZE: Final = 5
"""Format (1 byte) ‖ version of the wrapping key (4 bytes)."""
_NONCE_SIZE: Final = 12
_KEY_SIZE: Final = 32
_SCRYPT_N: Final = 2**17
_SCRYPT_R: Final = 8
_SCRYPT_MEMORY: Final = 2 * 128 * _SCRYPT_N * _SCRYPT_R
_SALT_SIZE: Final = 16
_CHECK_LABEL: Final = b"strongroom/keywrap/local/check/v1"
_KEY_LINE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

_log = structlog.get_logger(__name__)


def warn() -> None:
    """Call this once per service, not in each of its processes."""
    _log.warning(
        "keywrap.local",
        warning="LOCAL KEY WRAP: anyone who can read this computer can open every wallet; use Vault or OpenBao",
    )


class LocalKeyWrap:
    """AES-256-GCM with the context as additional data.

    ``keys`` are 32 bytes each, in the order of their versions, which count from 1. The last one wraps.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {version: AESGCM(key) for version, key in enumerate(keys, 1)}
        self._newest = len(keys)

    @classmethod
    def from_passphrase(cls, passphrase: Secret, salt_file: Path, *, create: bool = False) -> Self:
        """Derive the key from the passphrase and the salt in ``salt_file`` by scrypt, in half a second and 128 MiB.

        Raises ConfigurationError if the passphrase is wrong, or if the file is missing (unless ``create``), unreadable
        or accessible to others.
        """
        if create and not salt_file.exists():
            salt = secrets.token_bytes(_SALT_SIZE)
            check = _check_value(_scrypt(passphrase, salt))
            _write_new(salt_file, json.dumps({"format": _FORMAT, "salt": salt.hex(), "check": check.hex()}))
        salt, check = _read_salt(salt_file)
        key = _scrypt(passphrase, salt)
        if not hmac.compare_digest(_check_value(key), check):
            raise ConfigurationError(
                "the passphrase of the local key wrap is not the one that its salt file was created with"
            )
        return cls([key])

    @classmethod
    def from_key_file(cls, key_file: Path, *, create: bool = False) -> Self:
        """Read keys from a file of 64 lower-case hex digits per line, the newest last. Add a line to rotate.

        Raises ConfigurationError if the file is missing (unless ``create``), unreadable or accessible to others.
        """
        if create and not key_file.exists():
            _write_new(key_file, secrets.token_hex(_KEY_SIZE) + "\n")
        lines = _read_private(key_file).splitlines()
        if not lines or not all(_KEY_LINE.fullmatch(line) for line in lines):
            raise ConfigurationError("every line of the local key wrap's key file must be 64 lower-case hex digits")
        return cls([bytes.fromhex(line) for line in lines])

    @property
    def name(self) -> str:
        return "local"

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        return [self._wrap(plaintext, context) for plaintext, context in items]

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        return [self._unwrap(wrapped, context) for wrapped, context in items]

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        answers: list[Wrapped | WrapFailure] = []
        for wrapped, context in items:
            plaintext = self._unwrap(wrapped, context)
            answers.append(plaintext if isinstance(plaintext, WrapFailure) else self._wrap(plaintext, context))
        return answers

    async def newest_version(self) -> int:
        return self._newest

    async def check(self) -> KeyWrapStatus:
        return KeyWrapStatus(ok=True, state="ok", latency_ms=0.0)

    async def close(self) -> None:
        self._ciphers.clear()

    def _wrap(self, plaintext: bytes, context: bytes) -> Wrapped:
        header, nonce = _header(self._newest), secrets.token_bytes(_NONCE_SIZE)
        sealed = self._ciphers[self._newest].encrypt(nonce, plaintext, header + context)
        return Wrapped(self.name, self._newest, header + nonce + sealed)

    def _unwrap(self, wrapped: Wrapped, context: bytes) -> bytes | WrapFailure:
        cipher = self._ciphers.get(wrapped.version)
        header, rest = wrapped.ciphertext[:_HEADER_SIZE], wrapped.ciphertext[_HEADER_SIZE:]
        if cipher is None or wrapped.kek != self.name or header != _header(wrapped.version):
            return WrapFailure(WrapFailureReason.REFUSED)
        try:
            return cipher.decrypt(rest[:_NONCE_SIZE], rest[_NONCE_SIZE:], header + context)
        except (InvalidTag, ValueError):  # ValueError if the nonce is cut short
            return WrapFailure(WrapFailureReason.REFUSED)


def _header(version: int) -> bytes:
    return bytes([_FORMAT]) + version.to_bytes(4, "big")


def _scrypt(passphrase: Secret, salt: bytes) -> bytes:
    text = passphrase.reveal().encode(errors="surrogateescape")  # the environment may hold bytes that are not UTF-8
    return hashlib.scrypt(text, salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=1, maxmem=_SCRYPT_MEMORY, dklen=_KEY_SIZE)


def _check_value(key: bytes) -> bytes:
    """A value that shows whether a key is the right one and reveals nothing else about it."""
    return hmac.digest(key, _CHECK_LABEL, "sha256")


def _read_salt(path: Path) -> tuple[bytes, bytes]:
    try:
        stored = json.loads(_read_private(path))
        if stored["format"] != _FORMAT:
            raise ConfigurationError("the salt file of the local key wrap has an unknown format")
        return bytes.fromhex(stored["salt"]), bytes.fromhex(stored["check"])
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError("the salt file of the local key wrap cannot be read") from None


def _read_private(path: Path) -> str:
    """The text of a regular file that only its owner may access."""
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise ConfigurationError(f"{path} must be a regular file with mode 0600")
            return file.read()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} does not exist: restore it, since existing wallets cannot be opened without it"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} cannot be read") from None


def _write_new(path: Path, text: str) -> None:
    """Write the whole file or nothing. If another process was first, its file stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    except OSError:
        raise ConfigurationError(f"{path} is not writable") from None
    finally:
        draft.unlink(missing_ok=True)
