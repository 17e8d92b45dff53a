from __future__ import annotations

import tomllib

from strongroom import __version__
from tests.support.server import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == __version__
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
    assert (
        next(line for line in changes if line.startswith("## ") and line != "## Unreleased").split()[1] == __version__
    )


def test_the_versions_of_python_are_told() -> None:
    told = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if "Python :: 3." in each]
    assert told == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11"
