"""A run of the whole suite fails if no test used a real component that is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.components import COMPONENTS, REQUIRED

ROOT = Path(__file__).parents[2]
INI = "[pytest]\ntestpaths = .\naddopts = -p no:cacheprovider -p tests.support.components\nmarkers = campaign: long\n"
TEST = "import pytest\n\n{marks}\ndef test_that_passes() -> None:\n    pass\n"


def suite(folder: Path, required: str, *arguments: str, marks: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_one.py").write_text(TEST.format(marks=marks))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading the plugins would take longer than the run
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            "STRONGROOM_TEST_REQUIRE": required,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_list_names_components_that_there_are() -> None:
    assert set(REQUIRED) <= COMPONENTS.keys()


def test_no_test_of_a_component_fails_the_whole_suite(tmp_path: Path) -> None:
    ran = suite(tmp_path, "listed", "-m", "not campaign")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert [name for name in REQUIRED if f"NO TEST had {name}" not in ran.stdout] == []


def test_one_test_of_each_is_enough(tmp_path: Path) -> None:
    # A test whose component is missing fails by itself, so only present components are needed here.
    here = [name for name in REQUIRED if COMPONENTS[name].is_here()]
    ran = suite(tmp_path, "listed", "-m", "not campaign", marks=f"@pytest.mark.needs(*{here})")
    missing = [name for name in REQUIRED if name not in here]
    assert ran.returncode == (pytest.ExitCode.TESTS_FAILED if missing else pytest.ExitCode.OK)
    assert [name for name in REQUIRED if f"NO TEST had {name}" in ran.stdout] == missing


def test_what_several_workers_ran_is_added_up(tmp_path: Path) -> None:
    here = [name for name in REQUIRED if COMPONENTS[name].is_here()][1:]
    (tmp_path / "test_another.py").write_text(TEST.format(marks=f"@pytest.mark.needs(*{here})"))
    ran = suite(tmp_path, "listed", "-p", "xdist", "-n2", "-m", "not campaign", marks=f"@pytest.mark.needs(*{here})")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert [name for name in here if f"{name}: 2 tests\n" not in ran.stdout] == []
    assert {name for name in REQUIRED if f"NO TEST had {name}" in ran.stdout} == {*REQUIRED} - {*here}


@pytest.mark.parametrize(
    ("required", "arguments"),
    [
        ("", ["-m", "not campaign"]),
        ("listed", ["test_one.py"]),
        ("all", ["-k", "passes"]),
    ],
)
def test_part_of_the_suite_may_do_without(tmp_path: Path, required: str, arguments: list[str]) -> None:
    assert suite(tmp_path, required, *arguments).returncode == pytest.ExitCode.OK
