"""Every code is explained in docs/errors.md, and on the page that the `type` of an error points at."""

from __future__ import annotations

import re

from strongroom import errors
from strongroom.entrypoints.http.error_page import error_page
from strongroom.errors import ConfigurationError, every_error
from strongroom.hints import ADVICE
from tests.architecture.source import ROOT, script

BASES = {errors.RequestError, errors.AccessError, errors.Refused}
"""Never raised themselves: their codes belong to a class below them."""
REACHABLE = [
    each
    for each in every_error()
    if each.__module__ == errors.__name__ and each not in BASES and each is not ConfigurationError
]


def test_the_document_is_as_the_code_is() -> None:
    document = ROOT / "docs/errors.md"
    text = document.read_text("utf-8")
    assert script(document.with_suffix(".py")).written(text) == text
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) == {each.code for each in REACHABLE}


def test_every_code_has_an_anchor_and_advice_of_its_own() -> None:
    anchors = re.findall(r'<section id="([^"]+)">', error_page())
    assert sorted(anchors) == sorted({each.code for each in REACHABLE})
    for each in REACHABLE:
        assert ADVICE[each.code].endswith("."), each.code
    assert ADVICE.keys() == {each.code for each in REACHABLE}
