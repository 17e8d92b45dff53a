from __future__ import annotations

import re
from importlib import resources
from urllib.parse import urljoin

import httpx
import pytest


async def test_the_root_leads_to_the_documentation(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")


@pytest.mark.parametrize("prefix", ["", "/wallets"])
async def test_a_slash_at_the_end_leads_there_too_behind_any_prefix(client: httpx.AsyncClient, prefix: str) -> None:
    answer = await client.get("/docs/")
    assert answer.status_code == 307
    assert answer.headers["cache-control"] == "no-store"
    assert urljoin(f"https://proxy{prefix}/docs/", answer.headers["location"]) == f"https://proxy{prefix}/docs"


async def test_codes_and_names_are_set_as_code(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs/errors")).text.partition("<body>")[2]
    page = re.sub(r"<code>.*?</code>|<[^>]*>", "", page)
    assert re.findall(r"\w*_\w+|[A-Z]{5,}|`", page) == ["SECURITY"]


async def test_everything_that_the_page_loads_is_ours_and_is_there(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 5
    for link in links:
        assert link.startswith("docs/"), "relative: a proxy may put a prefix before it"
        assert (await client.get(f"/{link}")).status_code == 200
    script = (await client.get("/docs/initializer.js")).text
    assert 'url: "openapi.json"' in script


async def test_no_inline_script_or_style_is_there_or_allowed(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page.text))


@pytest.mark.parametrize("path", ["/docs/index.html", "/docs/swagger-ui/LICENSE", "/docs/app.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


def test_the_licence_of_swagger_ui_is_kept() -> None:
    kept = resources.files("strongroom.entrypoints.http") / "assets" / "swagger-ui"
    assert "Apache License" in (kept / "LICENSE").read_text()
    assert "swagger-ui" in (kept / "NOTICE").read_text()
