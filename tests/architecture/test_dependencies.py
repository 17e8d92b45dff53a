"""Everything that the service imports is named in pyproject.toml, since an indirect dependency may go away."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions

from tests.architecture.source import ROOT, modules

UNSEEN = {"uvloop", "sniffio"}
"""Named but not imported by us: granian and httpcore look for them."""


def named() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {_distribution(re.split(r"[\[<>=!; ]", each)[0]) for each in project["dependencies"]}


def distributions(imported: Iterable[str]) -> dict[str, set[str]]:
    """The distributions of each imported package outside the standard library. Empty if it is not installed."""
    installed = packages_distributions()
    packages = {each.split(".")[0] for each in imported} - set(sys.stdlib_module_names) - {"strongroom"}
    return {each: {_distribution(owner) for owner in installed.get(each, ())} for each in packages}


def _distribution(name: str) -> str:
    return name.lower().replace("_", "-")


def imported() -> set[str]:
    return {name for each in modules() for name in each.imports}


def test_every_import_is_of_a_dependency_that_is_named() -> None:
    known = named()
    assert sorted(package for package, owners in distributions(imported()).items() if not owners & known) == []


def test_every_dependency_is_imported() -> None:
    used = {owner for owners in distributions(imported()).values() for owner in owners}
    assert sorted(named() - used) == sorted(UNSEEN)


def test_a_package_that_is_not_named_is_seen() -> None:
    assert distributions(["limits.parse", "json", "msgspec"]) == {"limits": set(), "msgspec": {"msgspec"}}
