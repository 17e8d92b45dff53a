"""The rules of Prometheus and the dashboards of Grafana name what the service exports, and say what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from strongroom.domain.alert import RULES as RULES_OF_THE_SERVICE
from strongroom.telemetry import metrics
from tests.support import node
from tests.support.debian import debian_program
from tests.support.server import ROOT

DEPLOY: Final = ROOT / "deploy"
MONITORING: Final = DEPLOY / "helm" / "strongroom" / "monitoring"
RULES: Final = MONITORING / "rules.yaml"
UNIT_TESTS: Final = DEPLOY / "monitoring" / "rules_test.yaml"
DASHBOARDS: Final = sorted((MONITORING / "dashboards").glob("*.json"))
_NAME: Final = re.compile(r"\bstrongroom[_:][a-z0-9_:]+")
_SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def exported() -> set[str]:
    return {
        family.name + suffix
        for family in REGISTRY.collect()
        if family.name.startswith("strongroom_")
        for suffix in _SUFFIXES[family.type]
    }


def queries() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield target["expr"]


def unknown(asked: str) -> set[str]:
    known = exported() | {rule["record"] for rule in rules() if "record" in rule}
    return set(_NAME.findall(asked)) - known


def test_every_metric_that_is_named_is_exported() -> None:
    asked = list(queries())
    assert len(asked) > 40
    assert [(each, unknown(each)) for each in asked if unknown(each)] == []
    assert unknown("rate(strongroom_nothing_total[5m])") == {"strongroom_nothing_total"}


LABELS: Final = {
    "algorithm", "call", "channel", "code", "component", "file", "job", "kind", "method", "network", "operation",
    "outcome", "purpose", "question", "result", "route", "rule", "source", "status", "tier", "to", "verdict", "work",
}  # fmt: skip
"""Of each, the code or the settings have a list of what it can be. A tenant, a wallet or a caller has no such list."""


def test_labels_are_of_lists() -> None:
    found = {
        label
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for label in metric._labelnames
    }
    assert found == LABELS


def test_every_alert_names_a_section_that_exists() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len(alerts) >= 15
    for alert in alerts:
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert (page, anchor in anchors) == ("docs/operations.md", True), alert["alert"]
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert alert["annotations"]["summary"]


def test_every_alert_has_a_unit_test_that_it_fires_and_one_that_it_does_not() -> None:
    tests = [each for part in yaml.safe_load(UNIT_TESTS.read_text())["tests"] for each in part["alert_rule_test"]]
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert {each["alertname"] for each in tests if each["exp_alerts"]} == alerts
    assert {each["alertname"] for each in tests if not each["exp_alerts"]} == alerts


def test_prometheus_has_an_alert_for_every_rule_of_the_service() -> None:
    runbooks = {rule["annotations"]["runbook"] for rule in rules() if "alert" in rule}
    assert {rule.runbook for rule in RULES_OF_THE_SERVICE.values()} <= runbooks


def run(program: str, *arguments: object) -> None:
    found = debian_program(program)
    assert found is not None
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs("promtool")
def test_promtool_takes_the_rules() -> None:
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES)
    run("promtool", "test", "rules", UNIT_TESTS)


@pytest.mark.needs("promtool")
def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    """With the rules where compose mounts them, which is another place here."""
    text = (DEPLOY / "monitoring" / "prometheus.yaml").read_text()
    assert text.count("/etc/strongroom/rules.yaml") == 1
    config = tmp_path / "prometheus.yaml"
    config.write_text(text.replace("/etc/strongroom/rules.yaml", str(RULES)))
    run("promtool", "check", "config", "--lint=all", "--lint-fatal", config)


@pytest.mark.needs("amtool")
def test_alertmanager_takes_its_configuration() -> None:
    run("amtool", "check-config", DEPLOY / "monitoring" / "alertmanager.yaml")


@pytest.fixture(scope="module")
def said_of_dashboards(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], str]:
    """What TypeScript's compiler says of one, held against the types that Grafana publishes of its model."""
    project = tmp_path_factory.mktemp("dashboards")
    (project / "node_modules").symlink_to(node.FOLDER / "node_modules")
    shutil.copy(node.FOLDER / "dashboard.ts", project)
    (project / "package.json").write_text('{"type": "module"}')
    options = {"strict": True, "noEmit": True, "skipLibCheck": True, "module": "nodenext", "types": []}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["board.ts"]}))
    compiler = node.FOLDER / "node_modules" / ".bin" / "tsc"

    def said(board: dict[str, Any]) -> str:
        head = "import type { Dashboard } from './dashboard.js';\nexport const board: Dashboard = "
        (project / "board.ts").write_text(head + json.dumps(board))
        return subprocess.run(
            [compiler, "-p", project], capture_output=True, text=True, timeout=300, check=False
        ).stdout  # fmt: skip

    return said


@pytest.mark.needs("grafana-schema")
@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_of_the_types_that_grafana_publishes(
    file: Path, said_of_dashboards: Callable[[dict[str, Any]], str]
) -> None:
    assert said_of_dashboards(json.loads(file.read_text())) == ""


@pytest.mark.needs("grafana-schema")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda board: board.update(schemaVersion="39"),
        lambda board: board.update(graphTooltips=1),
        lambda board: board["panels"][0].update(type="timeserie"),
        lambda board: board["panels"][0]["options"]["legend"].update(placement="below"),
        lambda board: board["panels"][0]["options"].pop("tooltip"),
        lambda board: board["panels"][0]["targets"][0].pop("refId"),
        lambda board: board["panels"][0]["targets"][0].update(legend="x"),
        lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(custom={"drawStyle": "lines"}),
    ],
)
def test_what_is_not_of_those_types_is_found(
    spoil: Callable[[dict[str, Any]], None], said_of_dashboards: Callable[[dict[str, Any]], str]
) -> None:
    board = json.loads(DASHBOARDS[0].read_text())
    spoil(board)
    assert "error TS2" in said_of_dashboards(board)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_the_panels_of_a_dashboard_have_places_of_their_own(file: Path) -> None:
    board = json.loads(file.read_text())
    assert board["uid"] == file.stem
    assert len(board["uid"]) <= 40
    panels = board["panels"]
    for each in ("id", "title"):
        assert len({panel[each] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
               for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not own & cells
        cells |= own
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for target in (panel, *panel["targets"]):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
