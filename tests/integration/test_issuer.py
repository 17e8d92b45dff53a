"""A real issuer: OpenBao's OIDC identity tokens, its keys rotated under load, and revocation on two replicas."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import httpx
import pytest

from strongroom.bootstrap import DEVELOPMENT_TENANT
from tests.support import openbao
from tests.support.openbao import OpenBao
from tests.support.replicas import replicas
from tests.support.server import Server
from tests.support.service import ALL_SCOPES, GrpcFace, HttpFace
from tests.support.tokens import FakeIssuer, toml

pytestmark = pytest.mark.needs("postgresql", "openbao")

ROLE, KEY, AUDIENCE = "payouts", "identity", "strongroom"
ROTATIONS = 6
IN_FORCE_SECONDS = 5.0
PATIENCE = 120.0


class Issuer:
    """Identity tokens of one OpenBao, for an entity that logs in with a password."""

    def __init__(self, bao: OpenBao) -> None:
        self.bao = bao
        self.url = f"{bao.url}/v1/identity/oidc"
        bao.ask("POST", "identity/oidc/config", issuer=bao.url)
        bao.ask("POST", f"identity/oidc/key/{KEY}", algorithm="EdDSA", rotation_period="1h", verification_ttl="1h",
                allowed_client_ids=[AUDIENCE])  # fmt: skip
        bao.ask("POST", f"identity/oidc/role/{ROLE}", key=KEY, client_id=AUDIENCE, ttl="10m")
        policy = f'path "identity/oidc/token/{ROLE}" {{ capabilities = ["read"] }}'
        bao.ask("PUT", "sys/policies/acl/caller", policy=policy)
        bao.ask("POST", "sys/auth/userpass", type="userpass")
        self._logins: dict[str, str] = {}

    def token(self, user: str = "worker") -> str:
        if user not in self._logins:
            self.bao.ask("POST", f"auth/userpass/users/{user}", password="p", token_policies=["caller"])
            login = self.bao.ask("POST", f"auth/userpass/login/{user}", password="p")
            self._logins[user] = login["auth"]["client_token"]
        answer = httpx.get(
            f"{self.bao.url}/v1/identity/oidc/token/{ROLE}",
            headers={"X-Vault-Token": self._logins[user]}, timeout=60, trust_env=False,
        )  # fmt: skip
        return str(answer.raise_for_status().json()["data"]["token"])

    def rotate(self) -> None:
        self.bao.ask("POST", f"identity/oidc/key/{KEY}/rotate")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with openbao.running() as bao:
        yield Issuer(bao)


@pytest.fixture(scope="module")
def servers(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    folder: Path = tmp_path_factory.mktemp("issuer")
    scopes = json.dumps(sorted(ALL_SCOPES))
    config = folder / "strongroom.toml"
    table = toml(f"{issuer.url}/.well-known/keys", DEVELOPMENT_TENANT, issuer=issuer.url, scopes=scopes, refresh="5",
                 algorithms='["EdDSA"]')  # fmt: skip
    config.write_text(table)
    off = {f"RATES__{name}": "off" for name in ("READ", "ADMIN", "FAILED_AUTHENTICATION")}
    with replicas(folder, CONFIG=str(config), **off) as servers:
        yield servers


@pytest.fixture
async def faces(servers: list[Server]) -> AsyncIterator[list[HttpFace | GrpcFace]]:
    async with AsyncExitStack() as stack:
        made: list[HttpFace | GrpcFace] = []
        for server in servers:
            client = httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False)
            made.append(HttpFace(await stack.enter_async_context(client)))
            made.append(GrpcFace(await stack.enter_async_context(grpc.aio.insecure_channel(server.target))))
        yield made


def times_read(server: Server) -> int:
    return server.log.read_text(errors="replace").count("issuer.keys_read")


async def test_rotation_of_keys_under_load_refuses_nobody(
    issuer: Issuer, servers: list[Server], faces: list[HttpFace | GrpcFace]
) -> None:
    """Each call has the newest token, while the signing keys keep changing."""
    codes: Counter[str] = Counter()
    key_ids: set[str] = set()
    newest = await asyncio.to_thread(issuer.token)
    rotated = asyncio.Event()

    async def call(face: HttpFace | GrpcFace) -> None:
        while not rotated.is_set():
            codes[(await face.call("networks.list", {}, key=newest)).code] += 1

    callers = [asyncio.create_task(call(face)) for face in faces for _ in range(2)]
    for _ in range(ROTATIONS):
        read = [times_read(server) for server in servers]
        await asyncio.to_thread(issuer.rotate)
        newest = await asyncio.to_thread(issuer.token)
        key_ids.add(newest.split(".")[0])
        # OpenBao announces the next key before it signs with it. It may do so once both replicas have read it.
        seen = codes.total()
        async with asyncio.timeout(PATIENCE):
            while any(times_read(server) <= before for server, before in zip(servers, read, strict=True)) or (  # noqa: ASYNC110 - of other processes
                codes.total() < seen + 4 * len(callers)
            ):
                await asyncio.sleep(0.1)
    rotated.set()
    await asyncio.gather(*callers)
    assert len(key_ids) == ROTATIONS
    assert codes.keys() == {"ok"}, codes


async def test_revoked_subject_is_refused_by_both_replicas_in_time(
    issuer: Issuer, servers: list[Server], faces: list[HttpFace | GrpcFace]
) -> None:
    token = await asyncio.to_thread(issuer.token, "leaver")
    admin = await asyncio.to_thread(issuer.token, "admin")
    for face in faces:
        assert (await face.call("networks.list", {}, key=token)).code == "ok"
    claims = json.loads(payload(token))
    command = {"issuer": issuer.url, "subject": claims["sub"], "reason": "left"}
    revoked = await faces[0].call("revocations.create", command, key=admin)
    at = time.monotonic()
    assert revoked.code == "ok"
    for face in faces:
        while True:
            asked = time.monotonic()
            answer = await face.call("networks.list", {}, key=token)
            if answer.code == "unauthenticated":
                break
            assert asked - at < IN_FORCE_SECONDS, "a call that began later than that was still let in"
    for face in faces:
        assert (await face.call("networks.list", {}, key=admin)).code == "ok"
    lifted = await faces[1].call("revocations.lift", {"revocation_id": revoked.result["id"]}, key=admin)
    assert lifted.code == "ok"
    async with asyncio.timeout(PATIENCE):
        for face in faces:
            while (await face.call("networks.list", {}, key=token)).code != "ok":
                pass


async def test_issuer_that_is_slow_holds_up_nobody_else(servers: list[Server], issuer: Issuer) -> None:
    """A token with an unknown key waits for its issuer. Other calls on the same worker do not."""
    stranger = FakeIssuer(url=issuer.url).token()
    key = servers[0].api_key
    async with httpx.AsyncClient(base_url=servers[0].url, timeout=60, trust_env=False) as client:
        face = HttpFace(client)
        assert (await face.call("wallets.list", {}, key=key)).code == "ok"
        issuer.bao.freeze()
        try:
            waiting = [asyncio.create_task(face.call("wallets.list", {}, key=stranger)) for _ in range(20)]
            done = 0
            while not all(task.done() for task in waiting):
                assert (await face.call("wallets.list", {}, key=key)).code == "ok"
                done += 1
            assert {(await task).code for task in waiting} == {"unauthenticated"}
            assert done >= 1
        finally:
            issuer.bao.thaw()


async def test_networks_of_a_tenant_hold_on_both_replicas_in_time(
    issuer: Issuer, faces: list[HttpFace | GrpcFace]
) -> None:
    """The last test of this file, because it shuts itself out, as it says."""
    admin = await asyncio.to_thread(issuer.token, "admin")
    for face in faces:
        assert (await face.call("networks.list", {}, key=admin)).code == "ok"
    elsewhere = {"networks": ["192.0.2.0/24"]}
    assert (await faces[0].call("client_networks.set", elsewhere, key=admin)).code == "option_required"
    assert (await faces[0].call("client_networks.set", elsewhere | {"force": True}, key=admin)).code == "ok"
    at = time.monotonic()
    for face in faces:
        while True:
            asked = time.monotonic()
            if (await face.call("networks.list", {}, key=admin)).code == "unauthenticated":
                break
            assert asked - at < IN_FORCE_SECONDS


def payload(token: str) -> str:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
