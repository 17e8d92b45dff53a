"""Labels and similar text, and cursors."""

from __future__ import annotations

import unicodedata
from uuid import UUID

import pytest

from strongroom.errors import InvalidField, MalformedRequest
from strongroom.operations.cursors import cursor_uuid, decode_cursor, encode_cursor, page_of
from strongroom.operations.fields import clean_text

HIDDEN = {
    "C0 control": [*range(0x20), 0x7F],
    "C1 control": [0x80, 0x85, 0x9B, 0x9F],
    "bidi": [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "zero width": [0x00AD, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064, 0xFEFF],
    "line": [0x2028, 0x2029],
    "surrogate": [0xD800, 0xDBFF, 0xDC00, 0xDFFF],
    "private": [0xE000, 0xF8FF, 0xF0000, 0x10FFFD],
    "no character": [0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0x0378],
    "tag": [0xE0001, 0xE0020, 0xE007F],
}
REFUSED = [
    (f"{kind} U+{point:04X} {where}", text.replace("?", chr(point)))
    for kind, points in HIDDEN.items()
    for point in points
    for where, text in {"first": "?kasse", "within": "kas?se", "last": "kasse?"}.items()
]
ACCEPTED = [
    "Kasse 1", " ", "Kasse" * 25, "Zürich", "Treasury (EUR) #2", "<!channel> <b>bold</b>", "=cmd|'/c calc'!A1", "+1",
    "-1", "@SUM",
    "'; DROP TABLE wallets; --", "$(reboot)", "%s %n {0} {{x}}", "../../etc/passwd", "\\u202e", "null", "true", "0x00",
    "שלום", "مرحبا", "日本語", "한국어", "ไทย", "हिन्दी", "🏦", "🇨🇭", "❤\ufe0f", "Ωmega", "ﬁ", "①", "e\u0301",
    "\u1100\u1161",
]  # fmt: skip


def test_there_are_enough_cases() -> None:
    assert len(REFUSED) + len(ACCEPTED) >= 200


@pytest.mark.parametrize("text", [text for _, text in REFUSED], ids=[name for name, _ in REFUSED])
def test_what_hides_reorders_or_breaks_lines_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        clean_text(text, "label")
    assert caught.value.field == "label"
    assert text not in caught.value.message


@pytest.mark.parametrize("text", ACCEPTED, ids=ascii)
def test_what_shows_is_kept_in_nfc(text: str) -> None:
    kept = clean_text(text, "label")
    assert kept == unicodedata.normalize("NFC", text)
    assert clean_text(kept, "label") == kept


def test_twins_become_one() -> None:
    assert clean_text("Café", "label") == clean_text("Cafe\u0301", "label") == "Café"
    assert clean_text("\u212b", "label") == "Å"


def test_nothing_and_empty_are_nothing() -> None:
    assert clean_text(None, "label") is None
    assert clean_text("", "label") is None


def test_bytes_are_counted_too() -> None:
    assert clean_text("🏦" * 128, "label") is not None
    with pytest.raises(InvalidField, match="512 bytes"):
        clean_text("🏦" * 129, "label")
    with pytest.raises(InvalidField, match="512 bytes"):
        clean_text("\u0958" * 100, "label")  # each becomes two characters in NFC


@pytest.mark.parametrize(
    "text",
    [
        "test test test test test test test test test test test junk",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    ],
)
def test_secret_in_the_wrong_field_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        clean_text(text, "label")
    assert text[:10] not in caught.value.message


def test_cursor_comes_back_as_it_was() -> None:
    some = UUID("0190f3a1-7c1e-7d2b-9a35-5b6f6a2f4c11")
    cursor = encode_cursor(some, 1, 2**31 - 1)
    assert decode_cursor(cursor, 3) == [str(some), "1", "2147483647"]
    assert cursor_uuid(encode_cursor(some)) == some
    assert decode_cursor(None, 3) is None
    assert cursor_uuid(None) is None
    assert set(cursor) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "????", "YQ==", "YQ", encode_cursor("a", "b"), encode_cursor("not an id"), encode_cursor(1, 2, 3),
     "é" * 8, "_____w"],
)  # fmt: skip
def test_cursor_that_we_never_gave_out(cursor: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        cursor_uuid(cursor)
    assert caught.value.field == "cursor"


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_page_has_a_cursor_if_more_follows(limit: int) -> None:
    found = ["a", "b", "c"]
    page, more = page_of(found[: limit + 1], limit, lambda each: (each, len(each)))
    assert page == found[:limit]
    assert decode_cursor(more, 2) == ([found[limit - 1], "1"] if limit < 3 else None)


def test_an_empty_page_is_the_last() -> None:
    assert page_of(list[str](), 50, lambda each: (each,)) == ([], None)
