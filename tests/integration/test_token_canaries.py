"""Tokens, good and bad, do not come out anywhere: not in a log, an error, the audit, a metric or the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from strongroom.bootstrap import DEVELOPMENT_TENANT
from tests.support.server import Server
from tests.support.service import ALL_SCOPES
from tests.support.token_corpus import corpus, weak_keys
from tests.support.tokens import ISSUER, FakeIssuer, toml

SHORTEST = 24
"""This many consecutive characters of a signature or a payload are too many."""


@pytest.fixture(scope="module")
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture(scope="module")
def server(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "jwks.json").write_bytes(issuer.jwks())
    config = folder / "strongroom.toml"
    config.write_text(toml(folder / "jwks.json", DEVELOPMENT_TENANT, scopes=json.dumps(sorted(ALL_SCOPES))))
    settings = {
        "CONFIG": str(config),
        "LOG__LEVEL": "debug",
        "RATES__FAILED_AUTHENTICATION": "off",
        "RATES__READ": "off",
    }
    with Server(folder / "data", settings) as server:
        yield server


def signatures(tokens: list[str]) -> set[str]:
    """The last characters of each part of each token, which are never equal by chance."""
    return {part[-SHORTEST:] for token in tokens for part in token.split(".") if len(part) >= 2 * SHORTEST}


def test_tokens_come_out_nowhere(server: Server, issuer: FakeIssuer) -> None:
    _, weak = weak_keys()
    good = [issuer.token(algorithm, jti=f"7f{number:030x}") for number, algorithm in enumerate(issuer.keys)]
    bad = [token for _, token in corpus(issuer, weak, "http://127.0.0.1:1")]
    answers = []
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        for token in [*good, *bad]:
            answer = client.get("/api/v1/wallets", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == (200 if token in good else 401)
            answers.append(answer.text)
        mistaken = {"issuer": ISSUER, "token_id": good[0][-200:]}
        answer = client.post("/api/v1/revocations", json=mistaken, headers={"X-API-Key": server.api_key})
        assert answer.is_success
        paths = ("/api/v1/audit?limit=200", "/api/v1/revocations", "/metrics", "/api/v1/health")
        answers += [answer.text, *(client.get(path, headers={"X-API-Key": server.api_key}).text for path in paths)]
    told = "\n".join([*answers, server.log.read_text(errors="replace")])
    assert "access.refused" in told
    canaries = signatures([*good, *bad])
    assert [part for part in canaries if part in told] == []
    with closing(sqlite3.connect(server.data_dir / "strongroom.db")) as database:
        stored = "\n".join(database.iterdump())
    assert [part for part in canaries if part in stored] == []


def test_a_token_in_a_log_would_be_found(issuer: FakeIssuer) -> None:
    token = issuer.token()
    assert [part for part in signatures([token]) if part in f"refused {token}"]


@pytest.mark.parametrize("fault", ["", "aud", "expired", "signature", "form"])
def test_jwt_check_says_why_and_never_the_signature(server: Server, issuer: FakeIssuer, fault: str) -> None:
    token = {
        "": issuer.token(),
        "aud": issuer.token(aud="else"),
        "expired": issuer.token(iat=1_700_000_000, exp=1_700_000_600),
        "signature": FakeIssuer().token(),
        "form": "a.b",
    }[fault]
    reason = {
        "aud": "aud names another audience", "expired": "expired", "signature": "its signature is invalid",
        "form": "it does not have three parts",
    }.get(fault)  # fmt: skip
    for arguments, entered in ((("jwt", "check", "--json", token), ""), (("jwt", "check", "--json"), f"{token}\n")):
        done = server.command(*arguments, input=entered)
        assert done.returncode == (0 if reason is None else 1), done.stderr
        told = json.loads(done.stdout)
        assert (told["accepted"], told.get("reason")) == (reason is None, reason)
        if fault not in ("form", "signature", "aud"):
            assert "principal_id" in told
        assert token.rsplit(".", 1)[-1][-SHORTEST:] not in done.stdout + done.stderr or fault == "form"
