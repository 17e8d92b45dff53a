"""A real Prometheus that scrapes a service, with our rules."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.support.debian import debian_program
from tests.support.server import ROOT, free_port

START_SECONDS: Final = 120.0
RULES: Final = ROOT / "deploy" / "helm" / "strongroom" / "monitoring" / "rules.yaml"
DASHBOARDS: Final = sorted(RULES.parent.joinpath("dashboards").glob("*.json"))


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"

    def ask(self, path: str, **parameters: str | float) -> Any:
        """Return what is under `data`. If Prometheus refuses the query, fail with its text."""
        answer = httpx.get(f"{self._url}/{path}", params=parameters, timeout=60, trust_env=False)
        body = answer.json()
        assert body["status"] == "success", (parameters, body)
        return body["data"]

    def now(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return found

    def between(self, query: str, start: float, end: float, points: int) -> list[dict[str, Any]]:
        """Series, each with `metric` and `values`. Times are seconds since 1970."""
        step = max(1.0, (end - start) / points)
        asked = self.ask("query_range", query=query, start=start, end=end, step=step)
        found: list[dict[str, Any]] = asked["result"]
        return found

    def exemplars(self, query: str, start: float, end: float) -> list[dict[str, Any]]:
        asked = self.ask("query_exemplars", query=query, start=start, end=end)
        return [each for series in asked for each in series["exemplars"]]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]


@contextmanager
def running(target: str, folder: Path, *, interval: str = "1s") -> Iterator[Prometheus]:
    """The configuration of compose, with ``target`` (host and port) scraped at ``interval``, without notifications."""
    program = debian_program("prometheus")
    assert program is not None
    configured = yaml.safe_load((ROOT / "deploy" / "monitoring" / "prometheus.yaml").read_text())
    del configured["alerting"]
    [job] = configured["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    configured |= {"rule_files": [str(RULES)], "global": {"scrape_interval": interval, "evaluation_interval": interval}}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configured))
    port = free_port()
    arguments = [
        f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}", folder / "prometheus.log")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
