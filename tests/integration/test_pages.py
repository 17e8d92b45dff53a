"""The pages for people, in a real browser: the API documentation of the service, and the documentation site.

STRONGROOM_TEST_SHOTS names a folder for pictures of every step.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from eth_account import Account

from tests.support import chromium
from tests.support.server import ROOT, Server

SHOTS = os.environ.get("STRONGROOM_TEST_SHOTS")


def quiet(found: dict[str, Any]) -> dict[str, Any]:
    """No errors on the console, nothing missing, and no other host contacted."""
    assert (found["complaints"], found["failed"], found["foreign"]) == ([], [], [])
    return found


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_new_user_signs_from_the_documentation_page(tmp_path: Path, width: int) -> None:
    calls = ["createWallet", "signTransaction"]
    with Server(tmp_path) as server:
        key = server.api_key
        found = quiet(chromium.walk("api_page.mjs", server.url, key=key, calls=calls, width=width, shots=SHOTS))
        with server.client() as client:
            stored = client.get("/wallets").json()["wallets"]
    created, signed = found["answers"]
    assert (created["status"], signed["status"]) == ("201", "200")
    assert [wallet["id"] for wallet in stored] == [json.loads(created["shown"])["id"]]
    sender = Account.recover_transaction(json.loads(signed["shown"])["signed_tx"])
    assert sender == json.loads(created["shown"])["addresses"][0]["address"]
    for answer in found["answers"]:
        assert answer["prefilled"] == ""
        assert json.loads(answer["copied"]) == json.loads(answer["shown"])
        assert f"X-API-Key: {key}" in answer["curl"]
        assert (answer["wide"], answer["covered"]) == (0, [])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True, timeout=1200,
    )  # fmt: skip
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    yield from serve(site)


def serve(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.needs("chromium", "mkdocs")
def test_a_reader_goes_through_the_site(address: str) -> None:
    pages = [
        *("index.html", "walk.html", "errors.html", "configuration.html", "architecture.html", "performance.html"),
        *("kubernetes.html", "operations.html", "readme.html", "adr/0004-two-commits.html"),
    ]
    found = quiet(chromium.walk("site.mjs", address, word="idempotency", pages=pages, shots=SHOTS))
    assert found["titles"] == ["Strongroom", "Concepts", "Configuration"]
    assert "idempotency" in found["found"].lower()
    assert found["code"]["copied"].strip() == found["code"]["shown"].strip() != ""
    assert found["wide"] == {}
    assert found["unread"] == []


@pytest.fixture
def drawings() -> Iterator[str]:
    yield from serve(ROOT / "docs")


@pytest.mark.needs("chromium")
def test_the_words_of_a_drawing_keep_clear_of_the_edges_of_their_box(drawings: str) -> None:
    pictures = ["architecture.svg", "request.svg", "performance.svg", "tracing.svg"]
    assert quiet(chromium.walk("pictures.mjs", drawings, pictures=pictures, least=6))["tight"] == []


@pytest.mark.needs("mkdocs")
def test_no_item_of_a_list_is_shown_as_running_text(site: Path) -> None:
    """It is where a blank line or an indentation of four is missing."""
    found = [
        f"{page.relative_to(site)}: {item}"
        for page in site.rglob("*.html")
        for paragraph in re.findall(r"<p>(.*?)</p>", page.read_text("utf-8"), re.DOTALL)
        for item in re.findall(r"^(?:\d+\.|[-*]) .*", paragraph, re.MULTILINE)
    ]
    assert found == []


class Links(HTMLParser):
    """What a page links to and loads, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        self.ids |= {have[name] or "" for name in ("id", "name") if name in have}
        address = have.get("src") or have.get("href")
        if address:
            (self.targets if tag == "a" else self.loaded).append(address)


@pytest.mark.needs("mkdocs")
def test_no_link_of_the_site_leads_nowhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {page: Links(page.read_text("utf-8")) for page in site.rglob("*.html") if page.name != "404.html"}
    assert len(pages) > 50
    lost = []
    for page, links in pages.items():
        assert [address for address in links.loaded if urlsplit(address).netloc] == [], page
        for address in links.targets:
            if urlsplit(address).scheme:
                continue
            path, fragment = urldefrag(address)
            target = (page.parent / unquote(path)).resolve() if path else page
            known = pages.get(target / "index.html" if target.is_dir() else target)
            if not target.exists() or (fragment and known is not None and unquote(fragment) not in known.ids):
                lost.append(f"{page.relative_to(site)}: {address}")
    assert lost == [], lost
