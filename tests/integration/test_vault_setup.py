"""A Vault prepared from nothing by the script that we ship, and what its token can and cannot do."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from strongroom.bootstrap.keywrap import open_keywrap
from strongroom.config.settings import load
from strongroom.keywrap.base import Wrapped
from tests.support import vault
from tests.support.authority import Authority
from tests.support.openbao import ROOT_TOKEN, OpenBao
from tests.support.server import ROOT

pytestmark = pytest.mark.needs("openbao", "curl")

ITEM = (bytes(range(32)), b"c" * 32)
FORBIDDEN = [
    ("GET", "transit/export/encryption-key/strongroom", None),
    ("GET", "transit/backup/strongroom", None),
    ("POST", "transit/keys/strongroom/rotate", {}),
    ("POST", "transit/keys/strongroom/config", {"deletion_allowed": True}),
    ("POST", "transit/keys/strongroom/config", {"exportable": True}),
    ("POST", "transit/keys/strongroom/trim", {"min_available_version": 1}),
    ("DELETE", "transit/keys/strongroom", None),
    ("POST", "transit/keys/other", {}),
    ("GET", "transit/keys?list=true", None),
    ("POST", "transit/encrypt/other", {"plaintext": "", "context": ""}),
    ("POST", "transit/decrypt/other", {"ciphertext": "", "context": ""}),
    ("POST", "transit/datakey/plaintext/strongroom", {"context": "YQ=="}),
    ("POST", "transit/restore", {"backup": "x"}),
    ("GET", "sys/policies/acl/strongroom", None),
    ("PUT", "sys/policies/acl/strongroom", {"policy": "path \"*\" { capabilities = [\"sudo\"] }"}),
    ("GET", "sys/mounts", None),
    ("POST", "sys/mounts/more", {"type": "transit"}),
    ("PUT", "sys/seal", None),
    ("GET", "sys/audit", None),
    ("PUT", "sys/audit/file", {"type": "file"}),
    ("POST", "auth/token/create", {}),
    ("GET", "auth/approle/role/strongroom/role-id", None),
    ("POST", "auth/approle/role/strongroom/secret-id", {}),
    ("GET", "secret/data/anything", None),
    ("GET", "cubbyhole/anything", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    made = OpenBao(tmp_path_factory.mktemp("openbao"))
    made.start()
    yield made
    made.close()


def set_up(server: OpenBao, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "VAULT_ADDR": server.url, "VAULT_TOKEN": ROOT_TOKEN, **settings}
    script = ROOT / "deploy" / "vault" / "setup.sh"
    return subprocess.run([script, folder], env=env, capture_output=True, text=True, timeout=60, check=False)


async def test_from_nothing_and_again(server: OpenBao, tmp_path: Path) -> None:
    for run in ("first", "second"):
        folder = tmp_path / run
        ran = set_up(server, folder)
        assert ran.returncode == 0, ran.stderr
        ids = [(folder / name).read_text().strip() for name in ("role-id", "secret-id")]
        assert not any(each in ran.stdout + ran.stderr for each in ids)
        assert all((folder / name).stat().st_mode & 0o777 == 0o600 for name in ("role-id", "secret-id"))
        keywrap = vault.keywrap(server.url, vault.approle(*ids))
        wrapped = await keywrap.wrap([ITEM])
        assert await keywrap.unwrap([(wrapped[0], ITEM[1])]) == [ITEM[0]]
        assert isinstance((await keywrap.rewrap([(wrapped[0], ITEM[1])]))[0], Wrapped)
        assert (await keywrap.check()).ok
        await keywrap.close()


async def test_with_other_names(server: OpenBao, tmp_path: Path) -> None:
    ran = set_up(server, tmp_path, MOUNT="wrap/east", KEY="hot", ROLE="hot", PERIOD="5m", CIDRS="127.0.0.0/8")
    assert ran.returncode == 0, ran.stderr
    ids = [(tmp_path / name).read_text().strip() for name in ("role-id", "secret-id")]
    keywrap = vault.keywrap(server.url, vault.approle(*ids), mount="wrap/east", key="hot")
    assert [wrapped.kek for wrapped in await keywrap.wrap([ITEM])] == ["wrap/east/hot"]
    await keywrap.close()


async def test_what_it_prints_is_all_that_the_service_needs(server: OpenBao, tmp_path: Path) -> None:
    """In a namespace and with a certificate of one's own: taken as printed, and nothing besides."""
    server.ask("POST", "sys/namespaces/team")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Authority("of Vault").certificate)
    ran = set_up(server, tmp_path / "ids", VAULT_NAMESPACE="team", VAULT_CACERT=str(ca))
    assert ran.returncode == 0, ran.stderr
    printed = dict(re.findall(r"^  (STRONGROOM_\w+)=(.*)$", ran.stdout, re.MULTILINE))
    assert printed["STRONGROOM_VAULT__CA_FILE"] == str(ca)
    assert printed["STRONGROOM_VAULT__NAMESPACE"] == "team"
    keywrap = open_keywrap(load(printed, dotenv=None), create=False)
    wrapped = await keywrap.wrap([ITEM])
    assert await keywrap.unwrap([(wrapped[0], ITEM[1])]) == [ITEM[0]]
    await keywrap.close()


def test_a_key_that_is_not_fit_is_not_taken(server: OpenBao, tmp_path: Path) -> None:
    set_up(server, tmp_path)
    server.ask("POST", "transit/keys/plain", type="aes256-gcm96")
    ran = set_up(server, tmp_path, KEY="plain")
    assert ran.returncode == 1
    assert "derived" in ran.stderr


def test_names_with_anything_else_in_them_are_refused(server: OpenBao, tmp_path: Path) -> None:
    assert set_up(server, tmp_path, KEY='x","derived":false').returncode == 2


def test_all_else_is_forbidden_to_its_token(server: OpenBao, tmp_path: Path) -> None:
    assert set_up(server, tmp_path).returncode == 0
    login = {"role_id": "role-id", "secret_id": "secret-id"}
    ids = {field: (tmp_path / name).read_text().strip() for field, name in login.items()}
    with httpx.Client(base_url=f"{server.url}/v1/", trust_env=False, timeout=60) as client:
        auth = client.post("auth/approle/login", json=ids).json()["auth"]
        assert auth["policies"] == ["strongroom"]
        assert auth["lease_duration"] <= 3600
        headers = {"X-Vault-Token": auth["client_token"]}
        answers = [
            (method, path, client.request(method, path, json=body, headers=headers).status_code)
            for method, path, body in FORBIDDEN
        ]
        assert [answer for answer in answers if answer[2] != 403] == []
        assert client.get("auth/token/lookup-self", headers=headers).status_code == 200
