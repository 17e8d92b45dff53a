"""Tokens over REST and gRPC: a good one is as good as an API key, and every other gets the same error (T26)."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from tests.support.service import OTHER_TENANT, TENANT, NewService, RunningService
from tests.support.token_corpus import ALGORITHMS, corpus, weak_keys
from tests.support.tokens import ISSUER, SUBJECT, FakeIssuer, toml

PRINCIPAL = uuid5(uuid5(NAMESPACE_URL, ISSUER), SUBJECT)
READER = '["networks:read", "wallets:read"]'


@dataclass
class Canary:
    """A server that must not be asked. It counts connections."""

    url: str
    asked: list[Any] = field(default_factory=list)


@pytest.fixture
def canary() -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Canary(f"http://127.0.0.1:{server.getsockname()[1]}")

        def count() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                found.asked.append(peer)
                connection.close()

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@asynccontextmanager
async def taking_tokens(
    new_service: NewService, folder: Path, issuer: FakeIssuer, *tables: str, **settings: str
) -> AsyncIterator[RunningService]:
    """A service that accepts tokens of ``issuer``, with every right unless ``tables`` say otherwise."""
    keys = folder / "jwks.json"
    keys.write_bytes(issuer.jwks())
    config = folder / "strongroom.toml"
    config.write_text("\n".join(tables) or toml(keys, TENANT, scopes=ALL))
    given = {"RATES__FAILED_AUTHENTICATION": "off", "CONFIG": str(config), **settings}
    async with new_service(**given) as service:
        yield service


def _all_scopes() -> str:
    from strongroom.access.scopes import SCOPES

    return "[" + ", ".join(f'"{scope}"' for scope in sorted(SCOPES)) + "]"


ALL = _all_scopes()


def can_be_sent(token: str) -> bool:
    return token.isascii() and token.isprintable() and token.strip() == token


async def test_none_of_the_corpus_gets_in(new_service: NewService, tmp_path: Path, canary: Canary) -> None:
    more, weak = weak_keys()
    issuer = FakeIssuer(more_keys=more)
    cases = corpus(issuer, weak, canary.url)
    assert len(cases) >= 150
    async with taking_tokens(new_service, tmp_path, issuer) as service:
        for algorithm in ALGORITHMS:
            for face in service.faces:
                assert (await face.call("networks.list", {}, key=issuer.token(algorithm))).code == "ok"
        for face in service.faces:
            nobody = await face.call("wallets.list", {}, key=None)
            for name, token in cases:
                assert can_be_sent(token), name
                answer = await face.call("wallets.list", {}, key=token)
                assert answer.raw == nobody.raw, (face.name, name, answer)
            assert nobody.code == "unauthenticated"
        assert await service.audit(operation="wallets.list", outcome="succeeded") == []
    assert canary.asked == []


async def test_canary_can_be_asked(canary: Canary) -> None:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.HTTPError):
            await client.get(canary.url)
    assert len(canary.asked) == 1


async def test_two_tokens_of_a_subject_are_one_principal(new_service: NewService, tmp_path: Path) -> None:
    """With the rights, the audit and the idempotency keys of one caller."""
    issuer = FakeIssuer()
    async with taking_tokens(new_service, tmp_path, issuer) as service:
        first, second = issuer.token(jti="1"), issuer.token("RS256", jti="2")
        made = await service.http.call("wallets.create", {}, key=first, idempotency_key="one")
        again = await service.grpc.call("wallets.create", {}, key=second, idempotency_key="one")
        assert made.code == again.code == "ok"
        assert made.result["id"] == again.result["id"]
        records = await service.audit(operation="wallets.create")
        assert {UUID(each["principal_id"]) for each in records} == {PRINCIPAL}
        assert [each["outcome"] for each in records] == ["requested", "succeeded"]


async def test_scopes_of_a_token_are_bounded_by_the_settings(new_service: NewService, tmp_path: Path) -> None:
    issuer = FakeIssuer()
    keys = tmp_path / "jwks.json"
    mapped = toml(keys, TENANT, scopes=READER, scopes_claim='["realm_access", "roles"]', scope_map='{wallet-reader = ["wallets:read", "admin"]}')  # fmt: skip # noqa: E501
    async with taking_tokens(new_service, tmp_path, issuer, mapped) as service:
        rights: dict[str, tuple[Any, ...]] = {
            "forbidden": ({}, {"realm_access": {}}, {"realm_access": {"roles": "wallets:read"}}, {"realm_access": 1},
                          {"realm_access": {"roles": ["wallets:read"]}}, {"roles": ["wallet-reader"]}),
            "ok": ({"realm_access": {"roles": ["offline", "wallet-reader", 1]}},),
        }  # fmt: skip
        for code, claims in rights.items():
            for each in claims:
                for face in service.faces:
                    assert (await face.call("wallets.list", {}, key=issuer.token(**each))).code == code, each
        token = issuer.token(realm_access={"roles": ["wallet-reader"]})
        assert (await service.http.call("api_keys.list", {}, key=token)).code == "forbidden"


async def test_tenant_is_the_one_that_the_claim_names(new_service: NewService, tmp_path: Path) -> None:
    issuer = FakeIssuer()
    keys = tmp_path / "jwks.json"
    free = toml(keys, TENANT, scopes=ALL, tenant="", tenant_claim='"https://shop.example/tenant"')
    mapped = toml(
        keys, TENANT, scopes=ALL, tenant="", tenant_claim='"org"', tenants=f'{{a = "{TENANT}"}}', name='"mapped"',
        audience='"mapped"',
    )  # fmt: skip
    async with taking_tokens(new_service, tmp_path, issuer, free, mapped) as service:
        claim = "https://shop.example/tenant"
        made = await service.http.call("wallets.create", {}, key=issuer.token(**{claim: str(OTHER_TENANT)}))
        theirs = await service.new_key(tenant=OTHER_TENANT)
        assert (await service.grpc.call("wallets.get", {"wallet_id": made.result["id"]}, key=theirs)).code == "ok"
        assert (await service.http.call("wallets.list", {}, key=service.key)).result == {}
        assert (await service.http.call("wallets.list", {}, key=issuer.token(aud="mapped", org="a"))).code == "ok"
        for changes in (
            {}, {claim: "a"}, {claim: str(OTHER_TENANT).replace("-", "")}, {claim: str(UUID(int=0))}, {claim: 1},
            {claim: [str(TENANT)]}, {"aud": "mapped"}, {"aud": "mapped", "org": "b"},
            {"aud": "mapped", "org": str(TENANT)}, {"aud": "mapped", claim: str(TENANT)},
        ):  # fmt: skip
            for face in service.faces:
                assert (await face.call("wallets.list", {}, key=issuer.token(**changes))).code == "unauthenticated"


async def test_a_key_that_was_made_with_a_token_ends_with_it_and_with_its_subject(
    new_service: NewService, tmp_path: Path
) -> None:
    issuer = FakeIssuer()
    async with taking_tokens(new_service, tmp_path, issuer) as service:
        token = issuer.token()
        for face in service.faces:
            made = await face.call("api_keys.create", {"name": "child", "scopes": ["wallets:read"]}, key=token)
            assert made.code == "ok"
            assert made.result["made_by"] == str(PRINCIPAL)
            assert made.result["expires_at"] is not None
            assert (await face.call("wallets.list", {}, key=made.result["api_key"])).code == "ok"
        late = {"name": "late", "scopes": ["wallets:read"], "expires_at": "2099-01-01T00:00:00+00:00"}
        assert (await service.http.call("api_keys.create", late, key=token)).code == "forbidden"
        revoked = await service.http.call("revocations.create", {"principal_id": str(PRINCIPAL)}, key=service.key)
        assert revoked.code == "ok"
        for face in service.faces:
            for key in (token, made.result["api_key"]):
                assert (await face.call("wallets.list", {}, key=key)).code == "unauthenticated"
        reasons = [each["details"]["reason"] for each in await service.audit(operation="wallets.list")]
        assert reasons == ["token: its subject is revoked", "the API key's maker was revoked"] * 2


@pytest.mark.parametrize("what", ["subject", "token_id"])
async def test_revocation_holds_at_once_where_it_was_made_until_it_is_lifted(
    new_service: NewService, tmp_path: Path, what: str
) -> None:
    issuer = FakeIssuer()
    value = {"subject": SUBJECT, "token_id": "token-1"}[what]
    async with taking_tokens(new_service, tmp_path, issuer) as service:
        token, other = issuer.token(), issuer.token(jti="token-2")
        stranger = issuer.token(sub="somebody else", jti="token-3")
        for face in service.faces:
            assert (await face.call("wallets.list", {}, key=token)).code == "ok"
            revoked = await face.call("revocations.create", {"issuer": ISSUER, what: value}, key=service.key)
            assert revoked.code == "ok", revoked
            for each in service.faces:
                assert (await each.call("wallets.list", {}, key=token)).code == "unauthenticated"
                expected = "ok" if what == "token_id" else "unauthenticated"
                assert (await each.call("wallets.list", {}, key=other)).code == expected
                assert (await each.call("wallets.list", {}, key=stranger)).code == "ok"
            lifted = await face.call("revocations.lift", {"revocation_id": revoked.result["id"]}, key=service.key)
            assert lifted.code == "ok"
            assert (await face.call("wallets.list", {}, key=token)).code == "ok"
        records = await service.audit(operation="wallets.list", outcome="denied")
        assert {each["details"]["reason"].split()[-1] for each in records} == {"revoked"}
        assert {UUID(each["principal_id"]) for each in records} == {PRINCIPAL}


async def test_revocation_of_another_tenant_changes_nothing(new_service: NewService, tmp_path: Path) -> None:
    issuer = FakeIssuer()
    async with taking_tokens(new_service, tmp_path, issuer) as service:
        theirs = await service.new_key(tenant=OTHER_TENANT)
        revoked = {"issuer": ISSUER, "subject": SUBJECT}
        assert (await service.http.call("revocations.create", revoked, key=theirs)).code == "ok"
        assert (await service.http.call("wallets.list", {}, key=issuer.token())).code == "ok"


async def test_what_looks_like_a_secret_is_kept_as_its_hash(service: RunningService) -> None:
    secret = "9f8b2c1d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
    revoked = await service.http.call("revocations.create", {"issuer": ISSUER, "token_id": secret}, key=service.key)
    plain = await service.http.call("revocations.create", {"issuer": ISSUER, "subject": "worker"}, key=service.key)
    assert revoked.result["value"].startswith("sha256:")
    assert plain.result["value"] == "worker"
    assert secret not in str(await service.audit())


@pytest.mark.parametrize(("accepted", "works"), [("jwt", "token"), ("api_key", "key")])
async def test_either_credential_can_be_turned_off(
    new_service: NewService, tmp_path: Path, accepted: str, works: str
) -> None:
    issuer = FakeIssuer()
    async with taking_tokens(new_service, tmp_path, issuer, ACCESS__ACCEPT=accepted) as service:
        keys = {"key": service.key, "token": issuer.token()}
        for face in service.faces:
            for name, key in keys.items():
                code = (await face.call("wallets.list", {}, key=key)).code
                assert code == ("ok" if name == works else "unauthenticated")


async def test_address_that_fails_too_often_is_turned_away(new_service: NewService, tmp_path: Path) -> None:
    """Before a signature is looked at. A token that was good before still is."""
    issuer = FakeIssuer()
    limit = {"RATES__FAILED_AUTHENTICATION": "5/hour"}
    async with taking_tokens(new_service, tmp_path, issuer, **limit) as service:
        good = issuer.token()
        assert (await service.http.call("wallets.list", {}, key=good)).code == "ok"
        bad = issuer.token(aud="else")
        codes = [(await face.call("wallets.list", {}, key=bad)).code for face in service.faces * 4]
        assert codes == ["unauthenticated"] * 5 + ["rate_limited"] * 3
        assert (await service.http.call("wallets.list", {}, key=issuer.token(jti="new"))).code == "rate_limited"
        assert (await service.grpc.call("wallets.list", {}, key=good)).code == "ok"
