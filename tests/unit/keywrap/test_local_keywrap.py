from __future__ import annotations

import json
from pathlib import Path

import pytest

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.keywrap.base import WrapFailure, Wrapped
from strongroom.keywrap.local import LocalKeyWrap, _write_new

PASSPHRASE = Secret("canary passphrase")
ITEM = (bytes(range(32)), b"c" * 32)


@pytest.fixture(scope="module")
def salt_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keywrap") / "salt.json"
    LocalKeyWrap.from_passphrase(PASSPHRASE, file, create=True)
    return file


async def test_the_same_passphrase_opens_again(salt_file: Path) -> None:
    first, second = (LocalKeyWrap.from_passphrase(PASSPHRASE, salt_file, create=True) for _ in range(2))
    [wrapped] = await first.wrap([ITEM])
    assert await second.unwrap([(wrapped, ITEM[1])]) == [ITEM[0]]


def test_the_salt_file_is_written_once_and_for_its_owner_alone(salt_file: Path) -> None:
    before = salt_file.read_bytes()
    _write_new(salt_file, "other")
    assert salt_file.read_bytes() == before
    assert salt_file.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in salt_file.parent.iterdir()] == [salt_file.name]


def test_a_wrong_passphrase_is_refused_at_the_start(salt_file: Path) -> None:
    with pytest.raises(ConfigurationError, match="not the one") as refusal:
        LocalKeyWrap.from_passphrase(Secret("canary passphrasf"), salt_file)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("change", [{"format": 2}, {"salt": "zz"}, {"check": None}, {"salt": 1}])
def test_a_salt_file_that_cannot_be_read(salt_file: Path, tmp_path: Path, change: dict[str, object]) -> None:
    changed = tmp_path / "salt.json"
    changed.touch(0o600)
    changed.write_text(json.dumps(json.loads(salt_file.read_text()) | change))
    with pytest.raises(ConfigurationError):
        LocalKeyWrap.from_passphrase(PASSPHRASE, changed)


def test_nothing_is_made_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        LocalKeyWrap.from_passphrase(PASSPHRASE, tmp_path / "salt.json")
    with pytest.raises(ConfigurationError, match="does not exist"):
        LocalKeyWrap.from_key_file(tmp_path / "key")
    with pytest.raises(ConfigurationError, match="is not writable"):
        LocalKeyWrap.from_key_file(tmp_path / "no folder" / "key", create=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_key_file_that_others_may_touch(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    LocalKeyWrap.from_key_file(file, create=True)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="0600"):
        LocalKeyWrap.from_key_file(file)


@pytest.mark.parametrize("text", ["", "\n", "00", "zz" * 32, "00" * 33, "AA" * 32, "00" * 32 + "\n\n" + "00" * 32, "é"])
def test_a_key_file_that_holds_something_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        LocalKeyWrap.from_key_file(file)


async def test_a_line_more_rotates_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    [old] = await LocalKeyWrap.from_key_file(file, create=True).wrap([ITEM])
    with file.open("a") as more:
        more.write("11" * 32 + "\n")
    rotated = LocalKeyWrap.from_key_file(file)
    assert await rotated.unwrap([(old, ITEM[1])]) == [ITEM[0]]
    [new] = await rotated.rewrap([(old, ITEM[1])])
    assert isinstance(new, Wrapped)
    assert (old.version, new.version) == (1, 2)
    assert await rotated.unwrap([(new, ITEM[1])]) == [ITEM[0]]
    file.write_text("11" * 32 + "\n")
    [lost] = await LocalKeyWrap.from_key_file(file).unwrap([(old, ITEM[1])])
    assert isinstance(lost, WrapFailure)
