"""`strongroom --install-completion` and `--show-completion`, and what a shell gets from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.server import ROOT

NO_SOCKETS: Final = """
import os, sys
sys.addaudithook(lambda event, _: os._exit(99) if event.startswith("socket.") else None)
"""
"""As `sitecustomize`: a process that so much as makes a socket ends with 99."""
COMPLETED: Final = """
. ~/.bashrc
COMP_WORDS=({words}) COMP_CWORD={at}
eval "$(complete -p strongroom | sed 's/.*-F \\([^ ]*\\) .*/\\1/') strongroom"
echo "${{COMPREPLY[*]}}"
"""
CASES: Final = [
    (("wal",), ("wallet",)),
    (("wallet", "cre"), ("create", "create-batch")),
    (("wallet", "create", "--net"), ("--network",)),
    (("verify", "--he"), ("--heads", "--help")),
    (("--vers",), ("--version",)),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With `strongroom` in bin, and each shell that is not here as another name of bash."""
    (tmp_path / "sitecustomize.py").write_text(NO_SOCKETS)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "strongroom").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m strongroom "$@"\n')
    (programs / "strongroom").chmod(0o755)
    found = shutil.which("bash")
    assert found is not None
    for shell in ("bash", "zsh", "fish"):
        (programs / shell).symlink_to(found)
    return tmp_path


def run(home: Path, shell: str, commands: str, **variables: str) -> str:
    environment = {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.defpath}",
        "PYTHONPATH": f"{home}:{ROOT / 'src'}",
        "STRONGROOM_URL": "http://127.0.0.1:9",
        "STRONGROOM_API_KEY": "sr_key",
        **variables,
    }
    done = subprocess.run(
        [home / "bin" / shell, "-c", f"{commands}\nexit $?"],
        cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stderr)
    return done.stdout


def test_bash_completes_after_the_installation(home: Path) -> None:
    assert "bash completion installed" in run(home, "bash", "strongroom --install-completion")
    for words, expected in CASES:
        shown = run(home, "bash", COMPLETED.format(words=" ".join(("strongroom", *words)), at=len(words)))
        assert sorted(shown.split()) == sorted(expected), words


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/strongroom.sh"),
        ("zsh", ".zfunc/_strongroom"),
        ("fish", ".config/fish/completions/strongroom.fish"),
    ],
)
def test_each_shell_gets_the_script_of_its_own(shell: str, file: str, home: Path) -> None:
    shown = run(home, shell, "strongroom --show-completion")
    assert f"_STRONGROOM_COMPLETE=complete_{shell}" in shown
    run(home, shell, "strongroom --install-completion")
    assert (home / file).read_text().strip() == shown.strip()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize(("words", "expected"), CASES, ids=" ".join)
def test_what_the_scripts_of_zsh_and_fish_ask_for(
    shell: str, words: tuple[str, ...], expected: tuple[str, ...], home: Path
) -> None:
    variables = {
        "_STRONGROOM_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": " ".join(("strongroom", *words)),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    shown = run(home, shell, "strongroom", **variables)
    pattern = {"zsh": '"', "fish": "\t"}[shell]
    names = [line.removeprefix("_arguments '*: :((").strip('"').partition(pattern)[0] for line in shown.splitlines()]
    assert sorted(names) == sorted(expected)


def test_a_command_that_calls_the_server_would_be_seen(home: Path) -> None:
    with pytest.raises(AssertionError, match="99"):
        run(home, "bash", "strongroom wallet list")
