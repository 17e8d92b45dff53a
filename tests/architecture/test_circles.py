"""No module imports one that imports it, not even for its types: what two of them share is a module of its own."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from tests.architecture.source import Module, module, modules


def circle(checked: Iterable[Module]) -> list[str]:
    """The modules of one circle, the first named again at its end; empty if there is none."""
    by_name = {each.name: each for each in checked}
    imports = {
        name: {path for imported in each.imports if (path := imported.removeprefix("strongroom.")) in by_name} - {name}
        for name, each in by_name.items()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def test_no_modules_import_each_other() -> None:
    assert circle(modules()) == []


def test_a_circle_is_found() -> None:
    one = module("journal.one", "if TYPE_CHECKING:\n    from strongroom.journal.two import Two\n")
    two = module("journal.two", "def two() -> None:\n    from strongroom.journal.one import One\n")
    assert sorted(set(circle([one, two]))) == ["journal.one", "journal.two"]
