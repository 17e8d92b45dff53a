"""A secret is planted in every encoding and every way in; what belongs in a log comes through."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog

from strongroom.domain.secret import Secret, SecretBytes
from strongroom.errors import InvalidMnemonic
from strongroom.telemetry import logging as telemetry
from strongroom.telemetry import tracing
from strongroom.telemetry.scrubbing import REDACTED, scrub, scrub_text

KEY = bytes.fromhex("8f2a559490d0ae1f7c3b6e5dd1a04c92b7e86f13055c9ad2e4410b3f7c9e21aa")
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
JAPANESE = "そつう れきだい ほんやく わかす りくつ ばいか ろせん やちん"
CHINESE = "枪 疫 霉 尝 俩 闹 饿 贤 枪 疫 霉 卿"
FRENCH = "abaisser abandon abdiquer abeille abolir aborder aboutir"
API_KEY = "sr_0f8fad5bd9cb469fa16570867728950e_" + KEY.hex() + "_0a1b2c3d"

SECRETS = {
    "hex": KEY.hex(),
    "hex 0x": "0x" + KEY.hex(),
    "hex upper": KEY.hex().upper(),
    "hex of 16 bytes": KEY[:16].hex(),
    "hex with colons": KEY.hex(":"),
    "base64": base64.b64encode(KEY).decode(),
    "base64url": base64.urlsafe_b64encode(KEY).decode().rstrip("="),
    "base58 (WIF)": "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss",
    "decimal": str(int.from_bytes(KEY)),
    "repr of bytes": repr(KEY),
    "repr of a bytearray": repr(bytearray(KEY)),
    "list of numbers": str(list(KEY)),
    "words": PHRASE,
    "words in capitals": PHRASE.upper(),
    "words as JSON": json.dumps(PHRASE.split()),
    "words as JSON in ASCII": json.dumps(JAPANESE),
    "words on lines": "\n".join(f"{at}. {word}" for at, word in enumerate(PHRASE.split(), 1)),
    "four words": "winner thank year wave",
    "japanese": JAPANESE,
    "japanese blanks": JAPANESE.replace(" ", "\u3000"),
    "chinese": CHINESE,
    "french": FRENCH,
    "spanish without accents": "abaco abdomen abeja abierto abogado",
    "API key": API_KEY,
    "part of an API key": API_KEY[:60],
    "bearer": "Authorization: Bearer eyJhbGciOi.J9x.abc",
    "URL password": "postgresql://strongroom:hunter2hunter2@db.internal:5432/strongroom",
    "URL path": "https://rpc.example/v3/7c3b6e5dd1a04c92",
}
LEAKS = {name: [secret] for name, secret in SECRETS.items()} | {
    "bearer": ["eyJhbGciOi"],
    "URL password": ["hunter2"],
    "URL path": ["7c3b6e5d"],
    "words as JSON": PHRASE.split(),
    "words on lines": PHRASE.split(),
    "words": PHRASE.split(),
}


class Stumbles:
    """Prints what it should not when asked for its repr, and fails when asked for its text."""

    def __repr__(self) -> str:
        return f"Stumbles({PHRASE})"

    def __str__(self) -> str:
        raise RuntimeError(PHRASE)


@pytest.fixture
def stream() -> io.BytesIO:
    out = io.BytesIO()
    telemetry.configure("debug", stream=out)
    return out


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def in_event(secret: str) -> None:
    structlog.get_logger("t").info(f"say {secret}", value=secret, nested={"deep": [secret], secret: 1})


def in_exception(secret: str) -> None:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"no good: {secret}") from error
    except ValueError:
        structlog.get_logger("t").exception("failed")


def in_stdlib(secret: str) -> None:
    logging.getLogger("t").warning("value %s and %r", secret, {"a": secret})


def in_stdlib_exception(secret: str) -> None:
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("t").exception("failed")


def in_crash(secret: str) -> None:
    sys.excepthook(ValueError, ValueError(secret), None)


@pytest.mark.parametrize("way", [in_event, in_exception, in_stdlib, in_stdlib_exception, in_crash])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_come_through(name: str, way: Callable[[str], None], stream: io.BytesIO) -> None:
    way(SECRETS[name])
    text = json.dumps(lines(stream), ensure_ascii=False)
    assert REDACTED in text or name.startswith("URL")
    for leak in LEAKS[name]:
        assert leak not in text
        assert leak not in text.lower() or leak in "year wave"


@pytest.mark.parametrize(
    "text",
    [
        "operation.done",
        "transactions.sign",
        "127.0.0.1",
        "2001:db8::8a2e:370:7334",
        "ipv6:[2001:db8::1]:49470",
        "9d8f1c52-38f7-43dd-8c7c-52e4ef5a1f6c",
        "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
        "TJRyWwFs9wTFGZg3JbrVriFbNfCug5tDeC",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "eip155:11155111",
        "m/44'/60'/0'/0/0",
        "115792089237316195423570985008",
        "/usr/lib/python3/site-packages/strongroom/operations/pipeline",
        "a_rather_long_name_of_a_setting_that_somebody_wrote",
        "the database does not respond; it is tried again in 5 seconds",
    ],
)
def test_what_belongs_in_a_log_comes_through(text: str) -> None:
    assert scrub_text(text) == text


def test_ids_come_through_under_their_names() -> None:
    for key in ("tx_id", "payload_hash", "request_id", "public_key", "mac"):
        assert scrub(KEY.hex(), key) == KEY.hex()
    assert scrub(PHRASE, "request_id") == REDACTED


def test_values_of_plain_types_come_through() -> None:
    id_ = UUID("9d8f1c52-38f7-43dd-8c7c-52e4ef5a1f6c")
    event = {"a": 1, "b": 1.5, "c": None, "d": True, "e": id_, "f": Path("x/y"), "g": ("p", 2)}
    assert scrub(event) == {"a": 1, "b": 1.5, "c": None, "d": True, "e": str(id_), "f": "x/y", "g": ["p", 2]}


@pytest.mark.parametrize(
    "value", [Stumbles(), KEY, bytearray(KEY), Secret(PHRASE), SecretBytes(KEY), int.from_bytes(KEY)]
)
def test_other_values_show_their_type_alone(value: object) -> None:
    assert scrub(value) in (f"<{type(value).__name__}>", REDACTED)


def test_words_spread_over_a_list_do_not_come_through() -> None:
    assert scrub({"words": PHRASE.split()}) == {"words": REDACTED}


def test_a_secret_at_the_place_where_text_is_cut_does_not_come_through() -> None:
    for before in range(4000, 4096):
        assert KEY.hex()[:20] not in scrub_text("a" * 10 + " " + "b " * (before // 2) + KEY.hex())


def test_long_text_is_cheap() -> None:
    assert len(scrub_text("a" * 1_000_000)) < 5000
    assert len(scrub_text("abandon " * 100_000)) < 5000


def test_every_event_is_one_line(stream: io.BytesIO) -> None:
    structlog.get_logger("t").info("two\nlines", value="a\r\nb\u2028c")
    assert stream.getvalue().count(b"\n") == 1
    assert lines(stream)[0]["event"] == "two\nlines"


def test_an_exception_shows_class_place_and_cause_but_no_variable(stream: io.BytesIO) -> None:
    def fail(mnemonic: str) -> None:
        raise InvalidMnemonic("the checksum does not hold") from KeyError("x")

    try:
        fail(PHRASE)
    except InvalidMnemonic as error:
        structlog.get_logger("t").error("operation.crashed", exc_info=error)
    (line,) = lines(stream)
    first, second = line["exception"]
    assert (first["type"], first["message"]) == ("InvalidMnemonic", "the checksum does not hold")
    assert first["frames"][-1].endswith(" fail")
    assert second["type"] == "KeyError"
    assert "winner" not in json.dumps(line)


def test_a_record_that_cannot_be_formatted_is_told_without_its_arguments(
    stream: io.BytesIO, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("t").error("%d", PHRASE)
    logging.getLogger("t").error("%s", Stumbles())
    assert [line["level"] for line in lines(stream)] == ["error", "error"]
    captured = capfd.readouterr()
    assert "winner" not in captured.out + captured.err + stream.getvalue().decode()


def test_libraries_are_heard_from_warning_on(stream: io.BytesIO) -> None:
    for name in ("httpx", "httpcore.http11", "grpc", "sqlalchemy.engine", "granian.access", "_granian"):
        logging.getLogger(name).info("GET https://u:p@host/secret")
        logging.getLogger(name).warning("heard")
    assert [line["event"] for line in lines(stream)] == ["heard"] * 6


def test_a_level_hides_what_is_below(stream: io.BytesIO) -> None:
    telemetry.configure("warning", stream=stream)
    structlog.get_logger("t").info("hidden")
    logging.getLogger("t").info("hidden")
    structlog.get_logger("t").warning("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_each_line_names_the_trace_that_it_belongs_to(stream: io.BytesIO) -> None:
    class Recorder:
        def take(self, span: tracing.Span) -> None:
            pass

        def has_room(self) -> bool:
            return True

        def lose(self) -> None:
            pass

    telemetry.configure("info", stream=stream)
    tracing.start(Recorder(), sample=0.0, follow=True)
    try:
        for flags in ("00", "01"):
            with tracing.serve([f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"]):
                structlog.get_logger("t").info("ours")
                logging.getLogger("t").warning("of a library")
        structlog.get_logger("t").info("after it")
    finally:
        tracing.stop()
    told = [line.get("trace_id") for line in lines(stream)]
    assert told == ["4bf92f3577b34da6a3ce929d0e0e4736"] * 4 + [None]


def test_the_console_form_is_scrubbed_and_one_line_too(stream: io.BytesIO) -> None:
    telemetry.configure("info", "console", stream)
    structlog.get_logger("t").info("key.made", value=PHRASE, code="ok\n")
    text = stream.getvalue().decode()
    assert text.endswith(f' info     key.made logger="t" value="{REDACTED}" code="ok\\n"\n')
