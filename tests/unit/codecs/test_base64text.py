from __future__ import annotations

import pytest

from strongroom.codecs import base64text


def test_what_is_encoded_is_read() -> None:
    for text, data in {"": b"", "Zg==": b"f", "Zm8=": b"fo", "Zm9v": b"foo", "+/+/": b"\xfb\xff\xbf"}.items():
        assert base64text.decode(text) == data


OTHERS = ["Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9v", "-_-_", "Zg==Zg==", "é", "\ud800", "===="]


@pytest.mark.parametrize("text", OTHERS)
def test_every_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the base64"):
        base64text.decode(text)
