"""The image's and the set's files, as far as they can be tried without a container: every part is run as a process."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from strongroom.config.settings import every_setting, load
from tests.deploy.chart import Unique
from tests.support import openbao
from tests.support.server import ROOT, free_port

DEPLOY = ROOT / "deploy"
FOLDERS = ("postgres", "redis", "openbao", "openbao-data", "operator", "migrate", "strongroom")


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded = yaml.load((DEPLOY / "compose.yaml").read_text(), Loader=Unique)
    return dict(loaded)


def make_secrets(folder: Path) -> Path:
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    subprocess.run([DEPLOY / "compose" / "secrets.sh", folder], check=True, timeout=30)
    return folder


def test_what_the_dockerfile_copies_is_here() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [word for found in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in found.split()]
    assert copied == ["requirements/runtime.txt", "src"]
    assert all((ROOT / each).exists() for each in copied)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in allowed if line.startswith("!")} == set(copied)


def test_the_image_is_locked_and_runs_as_nobody() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    installs = re.findall(r"install \\\n.*", text)
    assert len(installs) == 1
    assert "--require-hashes --only-binary :all: -r /build/runtime.txt" in installs[0]
    last = text.split("\nFROM ")[-1]
    assert re.search(r"^USER [1-9][0-9]*:[1-9][0-9]*$", last, re.MULTILINE)
    assert "RUN" not in last
    assert "STRONGROOM_PROFILE=production" in last
    assert "STRONGROOM_DATA_DIR=/var/lib/strongroom" in last


def test_secrets_are_made_once_and_for_their_readers_alone(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    files = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert len(files) == 9
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    passwords = [(made / "postgres" / name).read_text() for name in ("superuser", "owner", "service")]
    assert len(set(passwords)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in passwords)
    assert passwords[2] in (made / "strongroom" / "database-url").read_text()
    assert passwords[1] in (made / "migrate" / "migrate-url").read_text()
    assert not any(passwords[1].encode() in files[path] for path in (made / "strongroom").iterdir())
    make_secrets(tmp_path)
    assert {path: path.read_bytes() for path in files} == files


def test_the_set_has_settings_of_the_service(compose: dict[str, Any], tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    for name in ("role-id", "secret-id"):
        (made / "strongroom" / name).write_text("x")
    for name in ("migrate", "strongroom"):
        env = compose["services"][name]["environment"]
        settings = load({key: text.replace("/secrets", str(made / name)) for key, text in env.items()}, dotenv=None)
        assert (settings.database.migrate_url is not None) == (name == "migrate")
    assert settings.redis.url is not None
    assert settings.profile == "production"
    assert not settings.exposes_plaintext
    grace = int(compose["services"]["strongroom"]["stop_grace_period"].removesuffix("s"))
    assert grace >= settings.timeouts.linger + settings.timeouts.drain + 10


def test_the_set_takes_tls(compose: dict[str, Any], tmp_path: Path) -> None:
    over = yaml.load((DEPLOY / "compose.tls.yaml").read_text(), Loader=Unique)["services"]
    assert over.keys() == {"strongroom"}
    assert over["strongroom"]["environment"].keys() <= {setting.variable for setting in every_setting()}
    env = {**compose["services"]["strongroom"]["environment"], **over["strongroom"]["environment"]}
    made = make_secrets(tmp_path)
    for name in ("role-id", "secret-id"):
        (made / "strongroom" / name).write_text("x")
    settings = load({key: text.replace("/secrets", str(made / "strongroom")) for key, text in env.items()}, dotenv=None)
    assert settings.tls.certificate is not None
    assert not settings.tls.allow_plaintext
    assert settings.tls.certificate.parent == Path(over["strongroom"]["volumes"][0].split(":")[1])


def test_the_set_is_closed(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("strongroom", "migrate"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["user"] == "65532:65532"
    published = {port for service in services.values() for port in service.get("ports", [])}
    assert published == {"127.0.0.1:3000:3000", "127.0.0.1:3001:3001"}
    volumes = {name: [v.split(":")[0] for v in service.get("volumes", [])] for name, service in services.items()}
    readers = {v: [name for name in volumes if v in volumes[name] and name != "secrets"] for v in compose["volumes"]}
    assert readers["strongroom-secrets"] == ["vault-setup", "strongroom"]
    assert all(len(names) == 1 for volume, names in readers.items() if volume != "strongroom-secrets")
    for service in services.values():
        for source in (v.split(":")[0] for v in service.get("volumes", []) if v.startswith(".")):
            assert (DEPLOY / source).exists()
        assert service["depends_on"].keys() <= services.keys() if "depends_on" in service else True


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """OpenBao as the set starts it: its own configuration, at another place."""
    made = make_secrets(tmp_path / "secrets")
    (tmp_path / "file").mkdir()
    port, cluster = free_port(), free_port()
    text = (DEPLOY / "compose" / "openbao.hcl").read_text()
    for was, becomes in (
        ("/openbao/file", str(tmp_path / "file")),
        ("/secrets/seal.key", str(made / "openbao" / "seal.key")),
        ("0.0.0.0:8200", f"127.0.0.1:{port}"),
        ("127.0.0.1:8200", f"127.0.0.1:{port}"),
        ("127.0.0.1:8201", f"127.0.0.1:{cluster}"),
    ):
        assert was in text
        text = text.replace(was, becomes)
    config = tmp_path / "openbao.hcl"
    config.write_text(text)
    program = openbao.program()
    assert program is not None
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, "server", f"-config={config}"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}", made
    process.kill()
    process.wait()


@pytest.mark.needs("openbao", "curl")
def test_openbao_is_prepared_once_and_its_root_token_is_gone(vault: tuple[str, Path]) -> None:
    url, made = vault
    ids = made / "strongroom"
    seen = []
    for _ in range(2):
        ran = subprocess.run(
            [DEPLOY / "compose" / "vault.sh", made / "operator", ids],
            env={"PATH": os.environ["PATH"], "VAULT_ADDR": url}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
        seen.append([(ids / name).read_text() for name in ("role-id", "secret-id")])
    assert seen[0] == seen[1]
    login = {"role_id": seen[0][0].strip(), "secret_id": seen[0][1].strip()}
    with httpx.Client(base_url=f"{url}/v1/", trust_env=False, timeout=60) as client:
        auth = client.post("auth/approle/login", json=login).json()["auth"]
        assert auth["policies"] == ["strongroom"]
        [root] = re.findall(r'"root_token":"([^"]+)"', (made / "operator" / "init.json").read_text())
        assert client.get("auth/token/lookup-self", headers={"X-Vault-Token": root}).status_code == 403
