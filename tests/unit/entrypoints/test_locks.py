"""Locks follow no link and change no file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from strongroom.entrypoints.listening import Place
from strongroom.entrypoints.locks import only_instance, only_on_port
from strongroom.errors import ConfigurationError
from tests.support.server import free_port


@pytest.mark.parametrize("name", ["strongroom.lock", "port"])
def test_a_link_is_not_followed_and_its_target_stays(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.entrypoints.locks._is_private", lambda _: False)
    port = free_port()
    victim = tmp_path / "keywrap.key"
    victim.write_text("secret")
    data = tmp_path / "data"
    data.mkdir()
    (data / (f"strongroom-{port}.lock" if name == "port" else name)).symlink_to(victim)
    with pytest.raises(ConfigurationError, match="symbolic link"):  # noqa: SIM117
        with only_on_port(data, Place("127.0.0.1", port)) if name == "port" else only_instance(data):
            pass
    assert victim.read_text() == "secret"


def test_a_lock_file_is_private_and_keeps_what_it_holds(tmp_path: Path) -> None:
    lock = tmp_path / "strongroom.lock"
    with only_instance(tmp_path):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    lock.write_text("kept")
    with only_instance(tmp_path):
        assert lock.read_text() == "kept"


def test_nothing_is_made_in_the_folder_that_all_users_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o1777)
    monkeypatch.setenv("TMPDIR", str(shared))
    (tmp_path / "data").mkdir()
    with only_instance(tmp_path / "data"), only_on_port(tmp_path / "data", Place("127.0.0.1", free_port())):
        assert list(shared.iterdir()) == []
