"""The source tree as these tests see it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


@dataclass(frozen=True)
class Module:
    name: str
    """Below strongroom, such as `chains.evm.chain`."""
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    @property
    def imports(self) -> Iterator[str]:
        """Full names of all imported modules, also those inside functions and under TYPE_CHECKING."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: imports are absolute"
                assert node.module
                for alias in node.names:
                    as_module = SRC / f"{node.module}.{alias.name}".replace(".", "/")
                    is_module = as_module.with_suffix(".py").exists() or (as_module / "__init__.py").exists()
                    yield f"{node.module}.{alias.name}" if is_module else node.module


def module(name: str, text: str) -> Module:
    return Module(name, text, ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Every module that is not generated."""
    found = []
    for path in sorted((SRC / "strongroom").rglob("*.py")):
        name = ".".join(path.relative_to(SRC / "strongroom").with_suffix("").parts)
        if not name.startswith("entrypoints.grpc.pb"):
            found.append(module(name.removesuffix(".__init__"), path.read_text()))
    return tuple(found)


def script(file: Path) -> ModuleType:
    """A file of docs/ or bench/, which are not packages, as a module."""
    spec = importlib.util.spec_from_file_location(f"{file.parent.name}_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
