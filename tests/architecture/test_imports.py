"""Imports run one way: entrypoints -> operations -> the ports and their implementations -> codecs, domain, errors."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator

import pytest

from strongroom.config.settings import every_setting
from tests.architecture.source import SRC, Module, module, modules

BOTTOM = {"codecs", "domain", "errors", "hints"}
PORTS = {"alerts.base", "cache.base", "chains.base", "health.base", "journal.base", "keys.base", "keywrap.base",
         "rates.base", "rpc.base", "storage.base", "tasks.base"}  # fmt: skip
FACES = {"entrypoints", "operations", "access", "health.monitor", "config", "telemetry", *BOTTOM}
COMPOSERS = {"entrypoints.serve", "entrypoints.worker", "entrypoints.cli.local", "entrypoints.cli.integrity"}
"""The only entrypoints that use the composition root."""

ALLOWED = {
    "hints": {"hints"},
    "errors": {"errors", "hints"},
    "domain": {"domain", "errors", "hints"},
    "codecs": BOTTOM,
    "telemetry": {"telemetry", "errors"},
    "breaker": {"telemetry"},
    "saturation": set(),
    "config": {"config", "domain", "errors"},
    "alerts": {"alerts", "journal.base", "storage.base", "telemetry", *BOTTOM},
    "access": {"access", "rates.base", "storage.base", "telemetry", *BOTTOM},
    "redis_link": {"breaker", "telemetry"},
    "cache": {"cache", "breaker", "redis_link", "telemetry", *BOTTOM},
    "rates": {"rates", "breaker", "redis_link", "telemetry", *BOTTOM},
    "chains": {"chains", *BOTTOM},
    "health": {"health", "cache", "keywrap.base", "storage.base", "telemetry", *BOTTOM},
    "keys": {"keys", "keywrap.base", "storage.base", "telemetry", *BOTTOM},
    "keywrap": {"keywrap", "breaker", "telemetry", *BOTTOM},
    "storage": {"storage", "saturation", "telemetry", *BOTTOM},
    "journal": {"journal", "saturation", "storage.base", "telemetry", *BOTTOM},
    "rpc": {"rpc", "breaker", "cache.base", "chains.base", "telemetry", *BOTTOM},
    "tasks": {"tasks", "journal.base", "storage.base", "telemetry", *BOTTOM},
    "operations": {"operations", "access", "telemetry", *PORTS, *BOTTOM},
    "entrypoints": FACES,
    "__main__": {"entrypoints"},
}

ORACLES = {"eth_account", "eth_abi", "eth_keys", "eth_utils", "mnemonic", "bip_utils", "web3", "solders", "bdkpython",
           "coincurve", "rlp", "base58", "hypothesis", "pytest"}  # fmt: skip
LAZY = {"alembic", "apprise", "requests", "typer", "click", "granian", "httpx", "asyncpg", "redis"}
"""Packages that a worker loads only when it needs them."""


def wrong_directions(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        for imported in each.imports:
            path = imported.removeprefix("strongroom.")
            if path in (imported, "__version__") or each.package == "bootstrap":
                continue
            allowed = ALLOWED[each.package]
            if each.name in COMPOSERS and (path in {"bootstrap", "keys.rewrap", *PORTS} or path.startswith("journal.")):
                continue
            if not any(path == name or path.startswith(f"{name}.") for name in allowed):
                yield f"{each.name} imports {path}"


def oracle_imports(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        for imported in each.imports:
            if imported.split(".")[0] in ORACLES:
                yield f"{each.name} imports {imported}"


def environment_readers(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        for node in ast.walk(each.tree):
            names = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
            used = node.attr if isinstance(node, ast.Attribute) else None
            if {used, *names} & {"environ", "environb", "getenv", "getenvb"}:
                yield each.name


def test_imports_run_one_way() -> None:
    assert list(wrong_directions(modules())) == []


def test_packages_are_known_and_every_rule_is_used() -> None:
    packages = {each.package for each in modules()}
    assert packages - {"__init__", "bootstrap", "strongroom"} == ALLOWED.keys()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("chains.evm.chain", "from strongroom.keys.base import Signer"),
        ("keys.seeded", "from strongroom.chains.base import Chain"),
        ("keys.seeded", "import strongroom.keywrap.local"),
        ("domain.wallet", "from strongroom.codecs import bip32"),
        ("operations.wallets", "from strongroom.storage.sql import SqlStorage"),
        ("operations.wallets", "from strongroom.entrypoints import binding"),
        ("operations.wallets", "from strongroom.chains import registry"),
        ("journal.entry", "from strongroom.operations.call import Call"),
        ("entrypoints.http.app", "from strongroom import bootstrap"),
        ("tasks.runner", "from strongroom.journal.committer import Committer"),
        ("tasks.runner", "from strongroom.operations import background"),
        ("operations.background", "from strongroom.tasks.runner import Runner"),
        ("storage.tasks", "from strongroom.tasks.base import Tasks"),
        ("access.api_keys", "from strongroom.storage import database"),
        ("telemetry.logging", "def f() -> None:\n    from strongroom.domain.secret import Secret"),
    ],
)
def test_import_against_the_direction_is_found(name: str, line: str) -> None:
    assert len(list(wrong_directions([module(name, line)]))) == 1


def test_test_oracles_stay_in_tests() -> None:
    assert list(oracle_imports(modules())) == []
    assert list(oracle_imports([module("chains.evm.rlp", "import rlp.sedes")])) == ["chains.evm.rlp imports rlp.sedes"]


def test_settings_alone_read_the_environment() -> None:
    assert set(environment_readers(modules())) == {"config.environment", "telemetry.multiprocess"}
    assert list(environment_readers([module("a", "from os import environ")])) == ["a"]
    assert len({setting.variable for setting in every_setting()}) == len(list(every_setting()))


def test_worker_is_lean() -> None:
    program = "import json, sys, strongroom.entrypoints.worker; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(ran.stdout)}
    assert loaded & (LAZY | ORACLES) == set()
