"""Every operation against every caller that must not get in: the same status, body and audit record over REST and gRPC.

The operations come from the registry, so a new one is covered without further work. A new way to be refused is a row of
`refused_callers`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.operations.registry import OPERATIONS
from tests.parity.aiming import aimed, codes, takes
from tests.parity.story import MISSING
from tests.parity.test_access import another_secret, command_of
from tests.parity.test_tokens import taking_tokens
from tests.support.service import ALL_SCOPES, OTHER_TENANT, NewService, RunningService, unwraps
from tests.support.tokens import FakeIssuer, assembled, signed

HERE = "198.51.100.7"
"""An address that everybody may call from."""
OUTSIDE = "203.0.113.9"
"""An address that the tenant accepts no calls from."""
ABROAD = "192.0.2.66"
"""An address that the service accepts no calls from."""
STATUS = {
    "unauthenticated": (401, grpc.StatusCode.UNAUTHENTICATED),
    "forbidden": (403, grpc.StatusCode.PERMISSION_DENIED),
}


NO_ROW_OF_A_TENANT = {"external_id", "token_id", "tx_id", "chain_id", "principal_id", "operation_id", "discovery_id"}
"""Ids chosen by the caller, ids of a chain, and two that are looked up beside a wallet or a tenant."""


@dataclass(frozen=True)
class Caller:
    what: str
    credential: str | None
    address: str = HERE
    code: str = "unauthenticated"
    reason: str | None = None
    """The reason in the audit; None if it is unknown whose audit it would be."""


def tokens_of(issuer: FakeIssuer) -> dict[str, str]:
    """One for each thing that can be wrong with a token so that its owner is unknown."""
    now, good = int(time.time()), issuer.claims()
    key = issuer.keys["EdDSA"]
    return {
        "without a signature": assembled(issuer.header(alg="none"), good, b"\0"),
        "signed by somebody else": FakeIssuer(keys={"EdDSA": Ed25519PrivateKey.generate()}).token(),
        "of an unknown key": signed(issuer.header(kid="unknown"), good, key),
        "of another issuer": signed(issuer.header(), {**good, "iss": "https://else.example"}, key),
        "for somebody else": issuer.token(aud="else"),
        "for others too": issuer.token(aud=["strongroom", "else"]),
        "not valid yet": issuer.token(nbf=now + 3600),
        "that lives too long": issuer.token(exp=now + 86_400),
        "without an end": issuer.token(exp=None),
        "without a subject": issuer.token(sub=None),
        "with a float for a time": issuer.token(exp=now + 600.5),
        "with a name twice": signed(issuer.header(), '{"sub":"a","sub":"b"}', key),
        "with critical parameters": signed(issuer.header(crit=["exp"]), good, key),
    }


async def refused_callers(service: RunningService, issuer: FakeIssuer, scope: str) -> list[Caller]:
    """All callers that may not call an operation of ``scope``."""
    now = int(time.time())
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = issuer.token(sub="expired", iat=now - 700, exp=now - 100)
    return [
        Caller("no key", None),
        Caller("garbage", "sr_garbage"),
        Caller("key with another secret", another_secret(service.key)),
        Caller("revoked key", await service.new_key(revoked_at=yesterday), reason="API key revoked"),
        Caller("expired key", await service.new_key(expires_at=yesterday), reason="API key expired"),
        Caller("key without the scope", await service.new_key(ALL_SCOPES - {scope}), code="forbidden", reason=scope),
        Caller("key from a wrong network", service.key, OUTSIDE, reason="address outside the tenant's client networks"),
        Caller("token from a wrong network", issuer.token(sub="outside"), OUTSIDE,
               reason="address outside the tenant's client networks"),
        Caller("key from a network of nobody", service.key, ABROAD, code="forbidden"),
        Caller("token from a network of nobody", issuer.token(), ABROAD, code="forbidden"),
        Caller("nobody from a network of nobody", None, ABROAD, code="forbidden"),
        Caller("expired token", expired, reason="token: expired"),
        Caller("revoked subject", issuer.token(sub="revoked"), reason="token: its subject is revoked"),
        Caller("revoked token", issuer.token(sub="other", jti="revoked"), reason="token: the token is revoked"),
        *(Caller(f"token {what}", token) for what, token in tokens_of(issuer).items()),
    ]  # fmt: skip


async def test_every_operation_refuses_every_caller_alike(new_service: NewService, tmp_path: Path) -> None:
    issuer = FakeIssuer()
    settings = {"PROXIES__TRUSTED": "127.0.0.1", "ACCESS__CLIENTS": "127.0.0.1,198.51.100.0/24,203.0.113.0/24",
                "RATES__READ": "off"}  # fmt: skip
    async with taking_tokens(new_service, tmp_path, issuer, **settings) as service:
        allow = {"networks": ["127.0.0.1", "198.51.100.0/24"]}
        assert (await service.http.call("client_networks.set", allow, key=service.key)).code == "ok"
        for revoked in ({"subject": "revoked"}, {"token_id": "revoked"}):
            answer = await service.http.call("revocations.create", {"issuer": issuer.url, **revoked}, key=service.key)
            assert answer.code == "ok"
        opened = unwraps()
        bodies: dict[tuple[str, str], set[bytes]] = {}
        for operation in OPERATIONS:
            callers = await refused_callers(service, issuer, operation.scope)
            for caller in callers:
                for face, status in zip(service.faces, STATUS[caller.code], strict=True):
                    answer = await face.call(
                        operation.name, command_of(operation.name), key=caller.credential,
                        request_id=caller.what.replace(" ", "-"), forwarded_for=caller.address,
                    )  # fmt: skip
                    assert (answer.code, answer.status) == (caller.code, status), (operation.name, face.name, caller)
                    if "without the scope" not in caller.what:
                        same = answer.raw.replace(caller.what.replace(" ", "-").encode(), b"")
                        bodies.setdefault((face.name, caller.code), set()).add(same)
            told = [
                (each["request_id"], each["outcome"], each["details"].get("reason"), each["client"])
                for each in await service.audit(operation=operation.name)
                if each["request_id"] != "test"
            ]
            expected = [
                (caller.what.replace(" ", "-"), "denied", caller.reason, caller.address)
                for caller in callers
                if caller.reason is not None
                for _ in service.faces
            ]
            assert told == expected, operation.name
        assert unwraps() == opened
    sizes = {place: {len(body) for body in each} for place, each in bodies.items()}
    for place in (("http", "unauthenticated"), ("http", "forbidden")):
        assert len(bodies[place]) == 1, (place, bodies[place])
    assert sizes.keys() == {(face, code) for face in ("http", "grpc") for code in STATUS}


async def test_what_belongs_to_another_tenant_is_as_if_it_were_not_there(service: RunningService) -> None:
    theirs = await service.new_key(tenant=OTHER_TENANT)
    made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=theirs)
    key = await service.http.call("api_keys.create", {"name": "a", "scopes": ["admin"]}, key=theirs)
    revoked = await service.http.call("revocations.create", {"principal_id": MISSING}, key=theirs)
    ids = {"wallet_id": made.result["id"], "key_id": key.result["id"], "revocation_id": revoked.result["id"]}
    taken = {name for operation in OPERATIONS for name in takes(operation) if name.endswith("_id")}
    assert taken - ids.keys() == NO_ROW_OF_A_TENANT
    for operation in OPERATIONS:
        for name in ids.keys() & takes(operation):
            for face in service.faces:
                foreign = await face.call(operation.name, aimed(operation, **{name: ids[name]}), key=service.key)
                missing = await face.call(operation.name, aimed(operation, **{name: MISSING}), key=service.key)
                assert codes(foreign) == {"ok" if operation.name == "audit.list" else "not_found"}, operation.name
                assert foreign.raw == missing.raw, operation.name
    assert await service.audit() == []
