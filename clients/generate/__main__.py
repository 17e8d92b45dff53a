from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clients.generate import documents, python
from strongroom.operations.registry import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"


def written() -> dict[Path, str]:
    """The text of each generated file, by its path in the repository."""
    package = Path("clients", "python", "src", "strongroom_client")
    routes = Path("src", "strongroom", "entrypoints", "cli", "routes.py")
    modules = {
        "types.py": python.types(OPERATIONS),
        "operations.py": python.operations_module(OPERATIONS),
        "errors.py": python.errors_module(),
    }
    return {
        **{package / name: _formatted(package / name, text) for name, text in modules.items()},
        routes: _formatted(routes, python.routes(OPERATIONS)),
        Path("clients", "typescript", "src", "schema.d.ts"): documents.typescript(OPERATIONS, NODE_MODULES),
        Path("clients", "postman", "strongroom.postman_collection.json"): documents.postman(OPERATIONS),
    }


def _formatted(path: Path, text: str) -> str:
    for step in (["check", "--fix", "--select", "I,F401", "--exit-zero"], ["format"]):
        command = [sys.executable, "-m", "ruff", *step, "--quiet", "--stdin-filename", str(ROOT / path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> None:
    files = written()
    if sys.argv[1:] == ["--check"]:
        old = [str(path) for path, text in files.items() if ROOT.joinpath(path).read_text() != text]
        if old:
            sys.exit(f"not current: {', '.join(old)}; run: make clients")
        return
    for path, text in files.items():
        ROOT.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        ROOT.joinpath(path).write_text(text)


if __name__ == "__main__":
    main()
