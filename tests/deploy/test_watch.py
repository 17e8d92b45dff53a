"""The compose profile `watch`: what its parts are told of each other is so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from strongroom.config.settings import every_setting
from tests.deploy.chart import Unique
from tests.support.server import ROOT

DEPLOY = ROOT / "deploy"


def read(path: str) -> Any:
    return yaml.load((DEPLOY / path).read_text(), Loader=Unique)


def targets(configs: list[dict[str, Any]]) -> Iterator[str]:
    for config in configs:
        for each in config["static_configs"]:
            yield from each["targets"]


@pytest.fixture
def watch() -> dict[str, Any]:
    return dict(read("compose.watch.yaml")["services"])


def added(watch: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in watch.items() if name != "strongroom"}


def mounts(watch: dict[str, Any]) -> dict[str, Path]:
    """Files of ours by where the containers see them."""
    volumes = [each.split(":") for service in added(watch).values() for each in service.get("volumes", [])]
    assert all(rest == ["ro"] for _, _, *rest in volumes)
    return {inside: DEPLOY / source for source, inside, *_ in volumes}


def test_only_the_profile_starts_what_it_adds_and_only_this_machine_reaches_it(watch: dict[str, Any]) -> None:
    assert added(watch).keys() == {"prometheus", "alertmanager", "grafana", "jaeger"}
    for service in added(watch).values():
        assert service["profiles"] == ["watch"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert watch["strongroom"].keys() == {"environment"}
    assert watch["strongroom"]["environment"].keys() <= {setting.variable for setting in every_setting()}


def test_every_file_is_here_and_where_it_is_looked_for(watch: dict[str, Any]) -> None:
    mounted = mounts(watch)
    assert all(source.exists() for source in mounted.values())
    for name in ("prometheus", "alertmanager"):
        [config] = [word for word in watch[name]["command"] if word.startswith("--config.file=")]
        assert config.removeprefix("--config.file=") in mounted
    assert set(read("monitoring/prometheus.yaml")["rule_files"]) <= mounted.keys()
    [provider] = read("monitoring/dashboards.yaml")["providers"]
    boards = {file.stem for file in mounted[provider["options"]["path"]].iterdir()}
    assert boards == {"strongroom-service", "strongroom-watch"}


def test_each_asks_another_where_that_listens(watch: dict[str, Any]) -> None:
    services = {**read("compose.yaml")["services"], **added(watch)}
    listening = {
        f"{name}:{port.split(':')[-1]}" for name, service in services.items() for port in service.get("ports", [])
    }
    prometheus, sources = read("monitoring/prometheus.yaml"), read("monitoring/datasource.yaml")["datasources"]
    scraped = set(targets(prometheus["scrape_configs"]))
    told = set(targets(prometheus["alerting"]["alertmanagers"]))
    asked = {each["url"].removeprefix("http://") for each in sources}
    assert scraped == {"strongroom:3000"}
    assert scraped | told | asked <= listening
    assert watch["strongroom"]["environment"]["STRONGROOM_TRACING__ENDPOINT"].startswith("http://jaeger:")


def test_an_exemplar_opens_its_trace(watch: dict[str, Any]) -> None:
    assert "--enable-feature=exemplar-storage" in watch["prometheus"]["command"]
    sources = {each["uid"]: each for each in read("monitoring/datasource.yaml")["datasources"]}
    [destination] = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert destination["name"] == "trace_id"
    assert sources[destination["datasourceUid"]]["type"] == "jaeger"


def test_dashboards_are_held_against_the_types_of_the_grafana_that_shows_them(watch: dict[str, Any]) -> None:
    packages = json.loads((ROOT / "tests" / "node" / "package.json").read_text())["dependencies"]
    assert watch["grafana"]["image"] == f"grafana/grafana:{packages['@grafana/schema']}"
