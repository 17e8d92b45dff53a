"""Why the command line could not reach the service: each cause against a server that has it, named with its setting."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from strongroom.config.client import ClientSettings
from strongroom.entrypoints.cli import client, unreached
from strongroom.entrypoints.cli.main import app
from tests.support.authority import Authority
from tests.support.server import free_port
from tests.support.tls import Estate

KEY = "sr_the-key-of-this-test"
RESPONSE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
PAIR = "STRONGROOM_CLIENT_CERTIFICATE and STRONGROOM_CLIENT_KEY"


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each connection is given to ``talk``, and then closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):  # the listener was shut down
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        talk(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def says(raw: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)

    return talk


def over_tls(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            says(RESPONSE)(secured)

    return talk


def tls_server(
    estate: Estate, *, asks: bool = False, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(estate.certificate, estate.key)
    context.maximum_version = version
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(estate.client_ca)
    return context


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


def run(url: str, **variables: str) -> Result:
    env = {"STRONGROOM_URL": url, "STRONGROOM_API_KEY": KEY, **variables}
    result = CliRunner().invoke(app, ["wallet", "list"], env=env)
    assert KEY not in result.output
    return result


def ends(result: Result, message: str, code: int = 3) -> None:
    assert (result.exit_code, result.stderr) == (code, f"{message}\n")


def test_nothing_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ends(
        run(url),
        f"nothing listens at {url}: check the port in STRONGROOM_URL, and that the service is running",
    )


def test_an_unknown_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "a name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    url = "http://strongrom.example:3000"
    code = socket.EAI_NONAME
    ends(run(url), f"the host name in STRONGROOM_URL is not known: check its spelling: {url}")
    code = socket.EAI_AGAIN
    ends(run(url), f"the resolver (DNS) does not respond for the host name in STRONGROOM_URL: {url}")


def test_an_authority_that_is_not_trusted(estate: Estate) -> None:
    other = estate.folder / "other.pem"
    other.write_bytes(Authority().certificate)
    with serving(over_tls(tls_server(estate))) as port:
        ends(
            run(f"https://127.0.0.1:{port}", STRONGROOM_CA_FILE=str(other)),
            f"the certificate of https://127.0.0.1:{port} is signed by an authority that is not trusted: "
            "name the file with its certificate in STRONGROOM_CA_FILE",
        )


def test_a_certificate_for_another_name(estate: Estate) -> None:
    estate.serve(estate.servers.server("strongroom.example"))
    with serving(over_tls(tls_server(estate))) as port:
        ends(
            run(f"https://127.0.0.1:{port}", STRONGROOM_CA_FILE=str(estate.ca)),
            f"the certificate of https://127.0.0.1:{port} is for another host name: "
            "use a name in the certificate, or get one for this name",
        )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate(estate: Estate, version: ssl.TLSVersion) -> None:
    """With TLS 1.2 the alert does not say so, and with 1.3 the end of the connection may overtake it."""
    with serving(over_tls(tls_server(estate, asks=True, version=version))) as port:
        found = run(f"https://127.0.0.1:{port}", STRONGROOM_CA_FILE=str(estate.ca))
    assert found.exit_code == 3
    assert "requires a client certificate" in found.stderr
    assert found.stderr.endswith(f"set {PAIR}\n")


def test_a_client_certificate_that_is_refused(estate: Estate) -> None:
    certificate, key = Authority().client().write(estate.folder, "other")
    shown = {"STRONGROOM_CLIENT_CERTIFICATE": str(certificate), "STRONGROOM_CLIENT_KEY": str(key)}
    server = tls_server(estate, asks=True, version=ssl.TLSVersion.TLSv1_2)
    with serving(over_tls(server)) as port:
        ends(
            run(f"https://127.0.0.1:{port}", STRONGROOM_CA_FILE=str(estate.ca), **shown),
            f"the server at https://127.0.0.1:{port} refuses the client certificate: check {PAIR}",
        )


def test_http_to_a_port_with_tls(estate: Estate) -> None:
    with serving(over_tls(tls_server(estate))) as port:
        ends(
            run(f"http://127.0.0.1:{port}"),
            f"the server at http://127.0.0.1:{port} hangs up without a response in HTTP: check the port in "
            "STRONGROOM_URL. If the server uses TLS, begin STRONGROOM_URL with https://",
        )


def test_https_to_a_port_without_tls() -> None:
    with serving(says(RESPONSE)) as port:
        ends(
            run(f"https://127.0.0.1:{port}"),
            f"the server at https://127.0.0.1:{port} does not speak TLS: "
            "begin STRONGROOM_URL with http://, or check its port",
        )


def test_a_server_that_does_not_speak_http() -> None:
    with serving(says(b"SSH-2.0-OpenSSH\r\n")) as port:
        assert "hangs up without a response in HTTP" in run(f"http://127.0.0.1:{port}").stderr


def test_a_server_that_accepts_and_does_not_respond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found = run(url)
    assert found.exit_code == 3
    assert found.stderr.startswith(f"the server at {url} accepts connections but does not respond within ")


def refused(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (httpx.ConnectTimeout("timed out"), "does not respond within 60 seconds"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "there is no route to the host"),
        (refused("TLSV1_ALERT_PROTOCOL_VERSION"), "no version is supported by both sides"),
        (refused("SSLV3_ALERT_HANDSHAKE_FAILURE"), "TLS with https://strongroom.example fails"),
    ],
)
def test_what_cannot_be_had_from_a_server_here(cause: Exception, words: str) -> None:
    error = cause if isinstance(cause, httpx.HTTPError) else httpx.ConnectError("it failed")
    if error is not cause:
        error.__cause__ = cause
    settings = ClientSettings("https://strongroom.example", None, None, None, None)
    assert words in unreached.why(error, settings, 60)


@pytest.mark.parametrize("key", ["sr_\u043a\u043b\u044e\u0447", "sr_a\nb"])
def test_a_key_that_is_no_header(key: str) -> None:
    message = "STRONGROOM_API_KEY or the idempotency key contains a character that HTTP does not allow"
    with serving(says(RESPONSE)) as port:
        ends(run(f"http://127.0.0.1:{port}", STRONGROOM_API_KEY=key), message, code=2)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "\u2603\u200d.example"])
def test_a_host_that_is_no_name(host: str) -> None:
    ends(run(f"http://{host}"), "the host name in STRONGROOM_URL is not valid", code=2)


@pytest.mark.parametrize("url", ["http://host:99999", "http://host:x", "http://[::1", "http://host:0"])
def test_a_port_that_is_none(url: str) -> None:
    found = run(url)
    assert (found.exit_code, found.stderr[:27]) == (2, "STRONGROOM_URL must be http")


@pytest.mark.parametrize(
    ("broken", "words"),
    [("CA_FILE", "the file in STRONGROOM_CA_FILE cannot be read"), ("CLIENT", f"the files in {PAIR} cannot be read")],
)
def test_files_that_cannot_be_read(broken: str, words: str, estate: Estate) -> None:
    certificate, key = estate.clients.client().write(estate.folder, "shown")
    variables = {"CA_FILE": str(estate.ca), "CLIENT_CERTIFICATE": str(certificate), "CLIENT_KEY": str(key)}
    changed = {
        f"STRONGROOM_{name}": f"{path}.gone" if name.startswith(broken) else path for name, path in variables.items()
    }
    found = run("https://127.0.0.1:1", **changed)
    assert found.exit_code == 2
    assert found.stderr.startswith(words)
