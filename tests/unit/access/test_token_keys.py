"""Where an issuer's keys come from, and how often it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strongroom.access.tokens.keysets import MOST_BYTES, read_keys
from strongroom.access.tokens.sources import BETWEEN_UNKNOWN, KeySource, Url, from_file
from tests.support.clock import Clock
from tests.support.tokens import KEY_IDS, FakeIssuer, jwk

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_keys_are_found_by_id_and_algorithm() -> None:
    keys = read_keys(FakeIssuer().jwks())
    for algorithm, key_id in KEY_IDS.items():
        assert keys.find(key_id, algorithm) is not None
        assert keys.find(None, algorithm) is keys.find(key_id, algorithm), "there is but one of its kind"
        for other in KEY_IDS:
            assert (keys.find(key_id, other) is not None) == (other == algorithm)


def test_without_a_key_id_one_of_two_is_not_guessed() -> None:
    more = [jwk(ed25519.Ed25519PrivateKey.generate(), kid="ed-2")]
    keys = read_keys(FakeIssuer(more_keys=more).jwks())
    assert keys.find(None, "EdDSA") is None
    assert keys.find("ed-2", "EdDSA") is not None


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (rsa.generate_private_key(65537, 2048), "RS256"),
    ],
    ids=["EdDSA", "ES256", "RS256"],
)
def test_one_key_in_pem_serves_whatever_id_a_token_names(key: ed25519.Ed25519PrivateKey, algorithm: str) -> None:
    keys = read_keys(pem(key))
    assert keys.find("any", algorithm) is keys.find(None, algorithm) is not None
    assert all(keys.find(None, other) is None for other in KEY_IDS if other != algorithm)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"[]", b"null", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[1,null,"x",[]]}', b"\xff",
        b'{"keys":[],"keys":[]}', b'{"keys":[{"kty":"oct","k":"AA"}]}', b'{"keys":[{"kty":"OKP","crv":"Ed25519"}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}', b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":1}]}',
        b'{"keys":[{"kty":["OKP"],"crv":"Ed25519"}]}', b'{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}',
        b'{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}', b" " * (MOST_BYTES + 1),
        b"-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n",
        b'{"keys":' + b"[" * 2000 + b"]" * 2000 + b"}",
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        json.dumps({"keys": [jwk(ed25519.Ed25519PrivateKey.generate(), kid=str(n)) for n in range(65)]}).encode(),
        json.dumps({"keys": [jwk(ed25519.Ed25519PrivateKey.generate(), kid="a") for _ in range(2)]}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_keys(raw)


class Issuer:
    """What a source fetches from."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> bytes:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_an_unknown_key_id_has_the_keys_read_once_in_thirty_seconds() -> None:
    old, new = FakeIssuer(), FakeIssuer(more_keys=[jwk(ed25519.Ed25519PrivateKey.generate(), kid="ed-2")])
    issuer, clock = Issuer(old.jwks(), old.jwks(), new.jwks()), Clock()
    source = KeySource("shop", issuer, clock=clock)
    await source.read()
    for _ in range(50):
        assert await source.find("ed-2", "EdDSA") is None
    assert issuer.asked == 2
    clock.now += BETWEEN_UNKNOWN - 0.001
    assert await source.find("ed-3", "EdDSA") is None, "another id does not have them read either"
    assert issuer.asked == 2
    clock.now += 0.001
    assert await source.find("ed-2", "EdDSA") is not None
    assert issuer.asked == 3


async def test_many_that_ask_at_once_are_one_reading_and_known_keys_do_not_wait() -> None:
    known = FakeIssuer()
    issuer = Issuer(known.jwks())
    source = KeySource("shop", issuer)
    await source.read()
    issuer.gate = asyncio.Event()
    waiting = [asyncio.create_task(source.find("ed-2", "EdDSA")) for _ in range(30)]
    await asyncio.sleep(0)
    assert await source.find("ed-1", "EdDSA") is not None
    assert not any(task.done() for task in waiting)
    issuer.gate.set()
    assert await asyncio.gather(*waiting) == [None] * 30
    assert issuer.asked == 2


async def test_keys_that_cannot_be_read_again_hold_for_a_day() -> None:
    clock = Clock()
    issuer = Issuer(FakeIssuer().jwks(), OSError("away"), b"{}", b"")
    source = KeySource("shop", issuer, clock=clock)
    assert source.keys is None
    assert source.fault() == "not read yet"
    await source.read()
    first = source.keys
    assert (source.fault(), first is not None) == (None, True)
    for fault in ("OSError", "ValueError", "JSONDecodeError"):
        await source.read()
        assert source.fault() == fault
        assert source.keys is first
    clock.now += 86_401
    assert source.keys is None


async def test_the_same_bytes_are_the_same_key_set() -> None:
    raw = FakeIssuer().jwks()
    source = KeySource("shop", Issuer(raw, raw, FakeIssuer().jwks()))
    await source.read()
    first = source.keys
    await source.read()
    assert source.keys is first
    await source.read()
    assert source.keys is not first


async def test_a_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    source = KeySource("shop", from_file(path))
    await source.read()
    assert source.fault() == "FileNotFoundError"
    path.write_bytes(FakeIssuer().jwks())
    await source.read()
    assert source.fault() is None


@asynccontextmanager
async def serving(answer: Answers) -> AsyncIterator[str]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    finally:
        server.close()


def sending(raw: bytes) -> Answers:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    return answer


def ok(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body


async def test_a_url_is_read_with_the_token_of_a_file(tmp_path: Path) -> None:
    asked: list[bytes] = []
    raw = FakeIssuer().jwks()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ok(raw))
        writer.close()

    token = tmp_path / "token"
    token.write_text("first\n")
    async with serving(answer) as url:
        fetch = Url(url, token_file=token)
        assert await fetch() == raw
        token.write_text("second\n")
        assert await fetch() == raw
        await fetch.close()
    assert [b"Authorization: Bearer first\r\n" in asked[0], b"Authorization: Bearer second\r\n" in asked[1]] == [
        True
    ] * 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        ok(b"x" * (MOST_BYTES + 1)),
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["redirect", "error", "nothing", "too long", "nonsense", "silence"],
)
async def test_what_is_no_answer_leaves_the_keys_as_they_were(raw: bytes) -> None:
    async with serving(sending(raw)) as url:
        fetch = Url(url)
        source = KeySource("shop", fetch)
        await source.read()
        assert source.fault() is not None
        assert source.keys is None
        await fetch.close()
