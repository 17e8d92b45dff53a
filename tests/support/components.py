"""The real components that some tests run against: what they are, how to get them, and how many tests used each.

A test names what it needs: ``pytestmark = pytest.mark.needs("anvil")``. If that is missing, the test is skipped, and
the end of the run says so. STRONGROOM_TEST_REQUIRE makes this a failure: ``listed`` for the components in `REQUIRED`,
``all`` for every component. With either, a run of the whole suite also fails if no test used one of them.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from tests.support import anvil, bitcoind, chromium, electrumx, node, openbao, postgres, redis, surfpool
from tests.support.debian import IS_DEBIAN, debian_program


@dataclass(frozen=True)
class Component:
    is_here: Callable[[], bool]
    how_to_get: str


OF_DEBIAN = ("amtool", "haproxy", "nginx", "pgbouncer", "prometheus", "promtool")
"""Programs that tests/support/debian.sh gets."""


def _of_debian(name: str) -> Component:
    return Component(
        lambda: debian_program(name) is not None,
        "`make test` gets it on Debian (amd64); elsewhere, put it on the PATH",
    )


COMPONENTS = {
    "anvil": Component(
        lambda: anvil.program() is not None,
        "`make test` installs it; elsewhere than on Linux x86-64, put it on the PATH",
    ),
    "bitcoind": Component(
        lambda: bitcoind.program() is not None,
        "`make test` gets it on Debian (amd64); elsewhere, put it on the PATH (version 29 or later)",
    ),
    "chromium": Component(
        chromium.is_here,
        "`make test` gets it on Debian (amd64), and playwright-core, which drives it; elsewhere, put it on the PATH",
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
    "postgresql-tls": Component(
        lambda: postgres.programs_with_tls() is not None,
        "`make test` installs it on Linux and macOS; elsewhere, put `initdb` of one with OpenSSL on the PATH",
    ),
    "postgresql18": Component(
        lambda: postgres.programs_of_wheel() is not None,
        "`make test` installs it on Linux and macOS; there is no other way",
    ),
    "redis": Component(
        lambda: redis.program() is not None,
        "`make test` gets it on Debian, and with Python 3.11; elsewhere, put `redis-server` on the PATH",
    ),
    "helm": Component(
        lambda: find_spec("helm_python") is not None,
        "`make chart` installs it; there are no wheels of it for Linux on ARM",
    ),
    "mkdocs": Component(lambda: find_spec("material") is not None, "`make test` installs it"),
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
    "grafana-schema": Component(
        lambda: node.has("@grafana/schema") and node.has("typescript"), "`make test` installs it"
    ),
    "typescript": Component(lambda: node.has("typescript"), "`make test` installs it"),
    **{name: _of_debian(name) for name in OF_DEBIAN},
    "surfpool": Component(surfpool.is_here, "`make test` installs it on Linux x86-64; there is none elsewhere"),
}

REQUIRED = (
    "anvil",
    "bdkpython",
    "grafana-schema",
    "libbitcoinkernel",
    "mkdocs",
    "openbao",
    "postgresql",
    "postgresql-tls",
    "postgresql18",
    "redis",
    "solc",
    "surfpool",
    "ton-sandbox",
    "tronweb",
    "typescript",
    "viem",
    "web3.js",
    *(("chromium", *OF_DEBIAN) if IS_DEBIAN else ()),
)
"""Components that the whole suite must use: those from package registries and, on Debian, those from Debian."""

_ELSEWHERE = {"helm"}
"""Components whose tests are not part of `make test`. `make chart` runs them."""

_NEEDS, _LACKS = "needs", "lacks"
"""Properties of a test's report."""

_ran: Counter[str] = Counter()
_missed: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*names): real components, by their names in tests.support.components")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = _needed(item)
    missing = [name for name in needed if not COMPONENTS[name].is_here()]
    item.user_properties += [(_NEEDS, name) for name in needed] + [(_LACKS, name) for name in missing]
    if not missing:
        return
    reason = "; ".join(f"there is no {name}: {COMPONENTS[name].how_to_get}" for name in missing)
    if not _must_have().isdisjoint(missing):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Counts. With xdist, the controlling process gets the reports of all workers."""
    if report.when == "setup":
        _missed.update(str(name) for what, name in report.user_properties if what == _LACKS)
    elif report.when == "call":
        _ran.update(str(name) for what, name in report.user_properties if what == _NEEDS)


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
    """For a run of the whole suite, as `make test` does it. A worker of xdist sees only part of it."""
    if hasattr(config, "workerinput"):
        return []
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if not whole or config.option.markexpr != "not campaign":
        return []
    return sorted(name for name in _must_have() - _ELSEWHERE if not _ran[name])


def _must_have() -> set[str]:
    asked = os.environ.get("STRONGROOM_TEST_REQUIRE", "")
    return {"": set[str](), "listed": set(REQUIRED), "all": set(COMPONENTS)}[asked]


def _needed(item: pytest.Item) -> set[str]:
    return {name for mark in item.iter_markers("needs") for name in mark.args}
