"""The kinds of sources: their classes, transports, and default rates."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from strongroom.bootstrap.header_files import HeaderFile
from strongroom.config.chains import SourceSettings
from strongroom.config.secret_files import FileSecret, Word
from strongroom.domain.rate import Rate
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.rpc.base import Setup, Source
from strongroom.rpc.bitcoin import core, electrum_calls
from strongroom.rpc.bitcoin.core import Core
from strongroom.rpc.bitcoin.electrum import Electrum
from strongroom.rpc.bitcoin.esplora import Esplora
from strongroom.rpc.bucket import Bucket
from strongroom.rpc.evm import verdicts
from strongroom.rpc.evm.etherscan import Etherscan
from strongroom.rpc.evm.logs import Logs
from strongroom.rpc.evm.node import Node as EvmNode
from strongroom.rpc.evm.otterscan import Otterscan
from strongroom.rpc.http import Headers, Http
from strongroom.rpc.jsonrpc import Classify, JsonRpc
from strongroom.rpc.lines import Lines
from strongroom.rpc.solana import verdicts as solana_verdicts
from strongroom.rpc.solana.node import Node as SolanaNode
from strongroom.rpc.ton.toncenter2 import Toncenter2
from strongroom.rpc.ton.toncenter3 import Toncenter3
from strongroom.rpc.tron.node import Node as TronNode
from strongroom.rpc.tron.trongrid import TronGrid

_BATCH: Final = {"evm": 100, "evm-logs": 100, "otterscan": 100, "bitcoin-core": 100}
_USUAL: Final = {
    "etherscan": "3/second", "esplora": "1/second", "trongrid": "8/second", "tron": "8/second",
    "toncenter-v3": "1/second", "toncenter-v2": "1/second",
}  # fmt: skip
"""What public services of a kind accept from a caller without a key."""
_PUBLIC: Final = {
    "etherscan": re.compile(r"(^|\.)etherscan\.io$"),
    "esplora": re.compile(r"(^|\.)(blockstream\.info|mempool\.space)$"),
    "trongrid": re.compile(r"(^|\.)trongrid\.io$"),
    "tron": re.compile(r"(^|\.)trongrid\.io$"),
    "toncenter-v3": re.compile(r"(^|\.)toncenter\.com$"),
    "toncenter-v2": re.compile(r"(^|\.)toncenter\.com$"),
}
"""Hosts to which these rates apply. A private server has none."""


def open_source(given: SourceSettings, setup: Setup) -> Source:
    """Does no I/O yet. Raises ConfigurationError."""
    return _KINDS[given.kind](setup, given)


def _tron(setup: Setup, given: SourceSettings) -> Source:
    return TronNode(setup, _http(given), None if given.solid_url is None else _http(given, given.solid_url))


_KINDS: Final[dict[str, Callable[[Setup, SourceSettings], Source]]] = {
    "electrum": lambda setup, given: Electrum(setup, _lines(given)),
    "bitcoin-core": lambda setup, given: Core(setup, _jsonrpc(given, core.classify)),
    "esplora": lambda setup, given: Esplora(setup, _http(given)),
    "evm": lambda setup, given: EvmNode(setup, _jsonrpc(given, verdicts.classify)),
    "etherscan": lambda setup, given: Etherscan(setup, _http(given)),
    "otterscan": lambda setup, given: Otterscan(setup, _jsonrpc(given, verdicts.classify)),
    "evm-logs": lambda setup, given: Logs(setup, _jsonrpc(given, verdicts.classify)),
    "tron": _tron,
    "trongrid": lambda setup, given: TronGrid(setup, _http(given)),
    "solana": lambda setup, given: SolanaNode(setup, _jsonrpc(given, solana_verdicts.classify)),
    "toncenter-v3": lambda setup, given: Toncenter3(setup, _http(given)),
    "toncenter-v2": lambda setup, given: Toncenter2(setup, _http(given)),
}


def _jsonrpc(given: SourceSettings, classify: Classify) -> JsonRpc:
    return JsonRpc(_http(given), classify, batch=given.batch or _BATCH.get(given.kind, 1))


def _http(given: SourceSettings, other: Secret | None = None) -> Http:
    """``other`` is a second URL of the same source."""
    url = other or source_url(given)
    try:
        parts = urlsplit(url.reveal())
        usable = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _fault(given, "url")
    public = _PUBLIC.get(given.kind)
    is_public = public is not None and public.search(parts.hostname or "") is not None
    return Http(
        url,
        headers=_headers(given),
        bucket=_bucket(given, _USUAL.get(given.kind) if is_public else None),
        traced=given.traceparent,
    )


def _lines(given: SourceSettings) -> Lines:
    """For ``tcp://host:port`` or ``ssl://host:port``, which Electrum uses too."""
    try:
        parts = urlsplit(source_url(given).reveal())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _fault(given, "url") from None
    if parts.scheme not in ("tcp", "ssl") or not host or not port or parts.path.strip("/") or parts.query:
        raise _fault(given, "url")
    return Lines(
        host,
        port,
        tls=parts.scheme == "ssl",
        fingerprint=None if given.fingerprint is None else bytes.fromhex(given.fingerprint),
        ca_file=given.ca_file,
        classify=electrum_calls.classify,
        bucket=_bucket(given, None),
    )


def _bucket(given: SourceSettings, usual: str | None) -> Bucket | None:
    rate = given.rate or usual
    if rate is None:
        return None
    found = Rate.parse(rate)
    return Bucket(found.quota / found.window, given.burst)


def source_url(given: SourceSettings) -> Secret:
    """Raises ConfigurationError."""
    if given.url is not None:
        return given.url
    assert given.url_file is not None
    try:
        return Word(FileSecret(given.url_file), 0)
    except (OSError, UnicodeDecodeError, IndexError):
        raise _fault(given, "url_file") from None


def _headers(given: SourceSettings) -> Headers:
    if given.headers_file is None:
        return dict
    try:
        return HeaderFile(given.headers_file)
    except ValueError:
        raise _fault(given, "headers_file") from None


def _fault(given: SourceSettings, field: str) -> ConfigurationError:
    return ConfigurationError(f"source {given.name} of {given.network}: its {field} is not valid")
