"""The real things that some tests run against: what they are, how to get one, and how many tests had it.

A test says what it needs: ``pytestmark = pytest.mark.needs("anvil")``. Where that cannot be had, the test is skipped
and the end of the run says so. STRONGROOM_TEST_REQUIRE makes a failure of it: ``listed`` for the components in
`REQUIRED`, ``all`` for every one. With either, a run of the whole suite in which no test had one of them fails too.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from tests.support import anvil, bitcoind, electrumx, node, openbao, postgres, redis, surfpool


@dataclass(frozen=True)
class Component:
    is_here: Callable[[], bool]
    how_to_get: str


COMPONENTS = {
    "anvil": Component(
        lambda: anvil.program() is not None,
        "`make test` installs it; elsewhere than on Linux x86-64, put it on the PATH",
    ),
    "bitcoind": Component(
        lambda: bitcoind.program() is not None,
        "`make test` gets it on Debian (amd64); elsewhere, put it on the PATH (version 29 or later)",
    ),
    "curl": Component(lambda: shutil.which("curl") is not None, "on Debian: apt install curl"),
    "openbao": Component(
        lambda: openbao.program() is not None,
        "`make test` installs it; elsewhere than on Linux and macOS, put `bao` on the PATH",
    ),
    "postgresql": Component(
        lambda: postgres.programs() is not None,
        "`make test` installs it; elsewhere than on Linux and macOS, put `initdb` on the PATH",
    ),
    "redis": Component(
        lambda: redis.program() is not None,
        "`make test` installs it with Python 3.11 on Linux and macOS; elsewhere, put `redis-server` on the PATH",
    ),
    "helm": Component(
        lambda: find_spec("helm_python") is not None,
        "`make chart` installs it; there are no wheels of it for Linux on ARM",
    ),
    "electrumx": Component(
        electrumx.is_here, "`make test` installs it with Python 3.11 on Linux and macOS; it needs bitcoind besides"
    ),
    "libbitcoinkernel": Component(
        lambda: find_spec("pbk") is not None, "`make test` installs it; there are no wheels of it for Python 3.14"
    ),
    "bdkpython": Component(lambda: find_spec("bdkpython") is not None, "`make test` installs it"),
    "tronweb": Component(lambda: node.has("tronweb"), "`make test` installs it"),
    "ton-sandbox": Component(lambda: node.has("@ton/sandbox"), "`make test` installs it"),
    "viem": Component(lambda: node.has("viem"), "`make test` installs it"),
    "web3.js": Component(lambda: node.has("@solana/web3.js"), "`make test` installs it"),
    "solc": Component(lambda: node.has("solc"), "`make test` installs it"),
    "surfpool": Component(surfpool.is_here, "`make test` installs it on Linux x86-64; there is none elsewhere"),
}

REQUIRED = (
    "anvil",
    "bdkpython",
    "libbitcoinkernel",
    "openbao",
    "postgresql",
    "redis",
    "solc",
    "surfpool",
    "ton-sandbox",
    "tronweb",
    "viem",
    "web3.js",
)
"""What the whole suite must have been run against: all that comes from package registries."""

_ELSEWHERE = {"helm"}
"""Whose tests are not of `make test`: `make chart` runs them."""

_ran: Counter[str] = Counter()
_missed: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*names): real components, by their names in tests.support.components")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = _needed(item)
    missing = [name for name in needed if not COMPONENTS[name].is_here()]
    if not missing:
        return
    _missed.update(missing)
    reason = "; ".join(f"there is no {name}: {COMPONENTS[name].how_to_get}" for name in missing)
    if not _must_have().isdisjoint(missing):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_runtest_call(item: pytest.Item) -> None:
    _ran.update(_needed(item))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _untested(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    untested = _untested(config)
    if not _ran and not _missed and not untested:
        return
    terminalreporter.section("real components")
    for name, component in COMPONENTS.items():
        terminalreporter.write_line(f"{name}: {_ran[name]} tests")
        if _missed[name]:
            line = f"  {_missed[name]} NOT RUN, there is no {name}: {component.how_to_get}"
            terminalreporter.write_line(line, red=True)

    for name in untested:
        terminalreporter.write_line(f"  NO TEST had {name}, which the suite must have", red=True)


def _untested(config: pytest.Config) -> list[str]:
    """Of a run of the whole suite, as `make test` does it."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if not whole or config.option.markexpr != "not campaign":
        return []
    return sorted(name for name in _must_have() - _ELSEWHERE if not _ran[name])


def _must_have() -> set[str]:
    asked = os.environ.get("STRONGROOM_TEST_REQUIRE", "")
    return {"": set[str](), "listed": set(REQUIRED), "all": set(COMPONENTS)}[asked]


def _needed(item: pytest.Item) -> set[str]:
    return {name for mark in item.iter_markers("needs") for name in mark.args}
