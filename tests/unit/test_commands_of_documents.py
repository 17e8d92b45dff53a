"""Every `strongroom` command and every path of the API that a document shows is one that there is.

`tests/integration/test_walk.py` runs those of the README and of docs/walk.md, and other tests run each command. In the
other documents a command, an option or a path may have been renamed: each is parsed here, not run. Only the README's
way to have `strongroom` on the PATH is.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from strongroom import __version__
from strongroom.entrypoints.cli.main import app
from strongroom.entrypoints.cli.routes import ROUTES
from tests.support.server import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^(?: {4}|\$ )(?:\.venv/bin/)?strongroom ((?:.*\\\n)*.*)$", re.MULTILINE)
_INLINE = re.compile(r"`(?:\.venv/bin/)?strongroom ([a-z-][^`]*)`")
_PATH = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE) (/(?!health|metrics|docs|openapi|walletsolidity)[^\s`\"|,;]*)"
    r"|(?:api/v1)(/[^\s`\"']*)"
)


def commands(text: str, form: re.Pattern[str]) -> list[list[str]]:
    shown = (
        re.split(r"\s#|\s{2,}(?=\S+ \S)|\s\|\s|\s>>?\s|\s<\s|\)\s*$", re.sub(r"\\\n\s*", "", each))[0]
        for each in form.findall(text)
    )
    return [shlex.split(each) for each in shown]


def resolve(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and what is left. Raises LookupError."""
    command: Any = typer.main.get_command(app)
    left = list(arguments)
    while hasattr(command, "commands") and not (left and left[0] in options(command)):
        name = left.pop(0) if left else ""
        if name not in command.commands:
            raise LookupError(" ".join(arguments))
        command = command.commands[name]
    return command, left


def options(command: Any) -> set[str]:
    return {"--help"} | {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_command_of_a_block_is_parsed(document: Path) -> None:
    for arguments in commands(document.read_text("utf-8"), _BLOCK):
        command, left = resolve(arguments)
        if not hasattr(command, "commands"):  # else an option such as --version, which would act at once
            command.make_context(command.name, left)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_command_of_a_sentence_has_its_name_and_options(document: Path) -> None:
    for arguments in commands(document.read_text("utf-8"), _INLINE):
        try:
            command, left = resolve(arguments)
        except LookupError:
            assert _is_group(arguments), arguments
        else:
            assert {each.partition("=")[0] for each in left if each.startswith("--")} <= options(command), arguments


def _is_group(arguments: list[str]) -> bool:
    return len(arguments) == 1 and arguments[0] in typer.main.get_command(app).commands  # type: ignore[attr-defined]


def paths(text: str) -> Iterator[tuple[str | None, str]]:
    for method, named, called in _PATH.findall(text):
        path = (named or called).removeprefix("/api/v1").partition("?")[0].rstrip("/.:)")
        if path and "…" not in path:
            yield method or None, path


def is_route(method: str | None, path: str) -> bool:
    parts = path.split("/")
    return any(
        method in (None, known)
        and len(parts) == len(route.split("/"))
        and all(theirs.startswith("{") or theirs == ours for ours, theirs in zip(parts, route.split("/"), strict=True))
        for known, route in [*ROUTES.values(), ("GET", "/health")]
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_path_is_one_of_the_api(document: Path) -> None:
    assert [each for each in paths(document.read_text("utf-8")) if not is_route(*each)] == []


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_command_is_on_the_path_as_the_readme_says(readme: str, tmp_path: Path) -> None:
    text = (ROOT / readme).read_text("utf-8")
    [block] = [block for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE) if "strongroom --version" in block]
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "KEY": "sr_key"}

    def run(commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", commands], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip

    assert run("strongroom --version").returncode == 127, "it is there without the README's words"
    done = run(block + 'echo "$STRONGROOM_API_KEY"')
    assert done.stdout.split() == ["strongroom", __version__, "sr_key"], done.stderr


def test_what_there_is_not_is_seen() -> None:
    with pytest.raises(LookupError):
        resolve(["--versio"])
    assert not is_route("GET", "/wallets/w/sing")
    with pytest.raises(LookupError):
        resolve(["wallet", "made"])
    command, left = resolve(["alerts", "list", "--statt", "firing"])
    with pytest.raises(typer.TyperException):
        command.make_context(command.name, left)
