"""Whether issuers, receivers of alerts and traces, and files can be used. No alert is sent."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from strongroom.bootstrap.connecting.reaching import Fault, Target, reach, trust
from strongroom.config.access import JwtSettings
from strongroom.config.tls import TlsSettings
from strongroom.config.watching import TracingSettings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

if TYPE_CHECKING:
    from strongroom.alerts.by_apprise import AppriseChannel

_PORTS: Final = {"https": 443, "http": 80}
_OTLP_PORTS: Final = {"grpc": 4317, "http": 80}
_SECONDS: Final = 5.0


async def check_issuer(given: JwtSettings) -> str:
    """Read the issuer's keys. Raises Fault."""
    from strongroom.access.tokens.keysets import read_keys  # noqa: PLC0415 - imports PyJWT

    raw = await _keys_from_file(given.keys_file) if given.keys_file is not None else await _keys_from_url(given)
    try:
        found = read_keys(raw)
    except (ValueError, RecursionError):
        raise Fault("bad_answer", "it holds no usable key: it must be a JWKS, or one key in PEM") from None
    return f"{len(found.by_id) or 1} keys"


async def _keys_from_file(path: Path) -> bytes:
    from strongroom.access.tokens.sources import from_file  # noqa: PLC0415

    try:
        return await from_file(path)()
    except OSError:
        raise Fault("file", "its keys_file cannot be read") from None


async def _keys_from_url(given: JwtSettings) -> bytes:
    import httpx  # noqa: PLC0415

    from strongroom.access.tokens.sources import Url  # noqa: PLC0415

    assert given.jwks_url is not None
    parts = urlsplit(given.jwks_url)
    tls = trust(given.ca_file, "its ca_file") if parts.scheme == "https" else None
    port = parts.port or _PORTS[parts.scheme]
    await reach(Target("its jwks_url", parts.hostname or "", port, tls, "its ca_file"))
    url = Url(given.jwks_url, ca_file=given.ca_file, token_file=given.token_file)
    try:
        async with asyncio.timeout(_SECONDS):
            return await url()
    except (TimeoutError, httpx.TimeoutException):
        raise Fault("timeout", "the server at its jwks_url accepts connections but does not respond in time") from None
    except ValueError:
        raise Fault(
            "bad_answer", "its jwks_url does not respond with status 200, or its response is too large"
        ) from None
    except httpx.HTTPError:
        raise Fault("bad_answer", "the server at its jwks_url does not speak HTTP, or hangs up") from None
    except OSError:
        raise Fault("file", "its token_file cannot be read") from None
    finally:
        await url.close()


async def check_tracing(settings: TracingSettings) -> str:
    """Send an export without spans. Raises Fault."""
    parts = urlsplit(settings.endpoint)
    tls = trust(settings.ca_file, "tracing.ca_file") if parts.scheme == "https" else None
    usual = _OTLP_PORTS["grpc"] if settings.protocol == "grpc" else _PORTS[parts.scheme]
    await reach(Target("tracing.endpoint", parts.hostname or "", parts.port or usual, tls, "tracing.ca_file"))
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    from strongroom.bootstrap.tracing import receiver  # noqa: PLC0415
    from strongroom.telemetry.exporting import NotTaken  # noqa: PLC0415

    try:
        send = receiver(settings)
        await asyncio.to_thread(send, ExportTraceServiceRequest())
    except ConfigurationError as error:
        raise Fault("configuration", error.message) from None
    except NotTaken as failure:
        raise _of_otlp(str(failure)) from None
    return ""


def _of_otlp(cause: str) -> Fault:
    if cause in {"unauthenticated", "permission_denied", "status_401", "status_403"}:
        return Fault("auth", "the receiver refuses the login: check tracing.headers_file")
    if cause in {"unimplemented", "status_404", "status_405", "RemoteProtocolError", "ReadError", "internal"}:
        return Fault(
            "wrong_protocol", "the server at tracing.endpoint does not accept traces this way: check tracing.protocol"
        )
    if cause in {"deadline_exceeded", "ReadTimeout"}:
        return Fault("timeout", "the receiver at tracing.endpoint accepts connections but does not respond in time")
    return Fault("unavailable", f"the receiver at tracing.endpoint refuses the export ({cause})")


async def check_channel(name: str, url: Secret) -> str:
    """Connect to the receiver, and for e-mail and Telegram try the login too. Raises Fault."""
    from strongroom.alerts.by_apprise import AppriseChannel  # noqa: PLC0415 - imports Apprise

    try:
        channel = AppriseChannel(name, url)
    except ConfigurationError as error:
        raise Fault("configuration", error.message) from None
    try:
        return await _reach_channel(channel, urlsplit(url.reveal()).scheme.lower())
    finally:
        channel.close()


async def _reach_channel(channel: AppriseChannel, scheme: str) -> str:
    plugin = channel.plugin
    if scheme.startswith("mailto"):
        await _reach_mail(plugin)
        return "the login works; nothing was sent"
    if scheme == "slack":
        host = "slack.com" if plugin.access_token else "hooks.slack.com"
        await _reach_web("its URL", "https", host, 443)
        return "Slack responds; only `strongroom alerts test` can try the token"
    if scheme == "tgram":
        await _reach_web("its URL", "https", "api.telegram.org", 443)
        await _ask_telegram(plugin.bot_token)
        return "Telegram knows the bot; nothing was sent"
    kind = "https" if plugin.secure else "http"
    await _reach_web("its URL", kind, plugin.host, plugin.port or _PORTS[kind])
    return "it responds; nothing was sent"


async def check_heartbeat(url: Secret) -> str:
    """Raises Fault."""
    parts = urlsplit(url.reveal())
    port = parts.port or _PORTS[parts.scheme]
    await _reach_web("alerts.heartbeat_url", parts.scheme, parts.hostname or "", port)
    return "it responds; nothing was sent"


async def _reach_web(setting: str, scheme: str, host: str, port: int) -> None:
    """Connect through the environment's proxy if it names one, and then only to the proxy. Raises Fault."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH  # noqa: PLC0415 - the authorities that the alert clients trust

    proxy = getproxies().get(scheme)
    if proxy and not proxy_bypass(host):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        await reach(Target("the proxy in the environment", parts.hostname or "", parts.port or 80))
        return
    tls = trust(Path(DEFAULT_CA_BUNDLE_PATH), setting) if scheme == "https" else None
    await reach(Target(setting, host, port, tls))


async def _ask_telegram(token: str) -> None:
    import httpx  # noqa: PLC0415

    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            answer = await client.get(f"https://api.telegram.org/bot{token}/getMe")
    except httpx.HTTPError:
        raise Fault("unavailable", "Telegram does not respond") from None
    if answer.status_code in (401, 404):
        raise Fault("auth", "Telegram does not know the bot token")


async def _reach_mail(plugin: Any) -> None:
    tls = trust(None, "its URL") if plugin.secure_mode == "ssl" else None
    await reach(Target("its URL", plugin.smtp_host, plugin.port, tls))
    await asyncio.to_thread(_log_in_to_mail, plugin)


def _log_in_to_mail(plugin: Any) -> None:
    import smtplib  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    from strongroom.alerts.mail import Smtp, SmtpOverTls  # noqa: PLC0415 - imports Apprise

    try:
        made = SmtpOverTls if plugin.secure_mode == "ssl" else Smtp
        with made(plugin.smtp_host, plugin.port, local_hostname=socket.gethostname(), timeout=_SECONDS) as mail:
            if plugin.secure_mode == "starttls":
                mail.starttls(context=ssl.create_default_context())
            if plugin.user and plugin.password:
                mail.login(plugin.user, plugin.password)
    except smtplib.SMTPAuthenticationError:
        raise Fault("auth", "the mail server refuses the user or password in its URL") from None
    except smtplib.SMTPNotSupportedError:
        raise Fault("tls", "the mail server does not offer STARTTLS or login: check the port") from None
    except ssl.SSLError:
        raise Fault(
            "tls", "TLS with the mail server fails: check its certificate, and that it names this host"
        ) from None
    except TimeoutError:
        raise Fault("timeout", "the mail server accepts connections but does not respond in time") from None
    except (smtplib.SMTPException, OSError):
        raise Fault("bad_answer", "the server is not a mail server, or hangs up") from None


def check_files_of_tls(settings: TlsSettings, read: Callable[[TlsSettings], datetime]) -> str:
    """``read`` returns when the certificate expires, or raises ConfigurationError. Raises Fault."""
    try:
        left = read(settings) - datetime.now(UTC)
    except ConfigurationError as error:
        raise Fault("file", error.message) from None
    return f"valid for {left.days} more days"


def check_heads(path: Path) -> str:
    """Raises Fault."""
    folder = next(each for each in (path, *path.absolute().parents) if each.exists())
    if path.is_symlink() or not os.access(folder, os.W_OK):
        raise Fault("file", "the file in audit.heads is not writable, or is a symbolic link")
    return ""
