"""What a value reaches: both pods or the server's alone, and which texts of settings are refused at rendering."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import jsonschema
import pytest
import yaml

from strongroom.config.settings import every_setting, load
from strongroom.errors import ConfigurationError
from tests.deploy.chart import ANOTHER, CHART, OWN_SECRETS, pods, render

pytestmark = pytest.mark.needs("helm")

BOTH: Final[dict[str, Any]] = {
    "image": {"repository": "images/other", "tag": "2", "pullPolicy": "Always", "pullSecrets": ["images"]},
    "podAnnotations": {"example.com/note": "x"},
    "podLabels": {"sidecar.istio.io/inject": "false"},
    "podSecurity": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000},
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraVolumes": [{"name": "more", "emptyDir": {"sizeLimit": "1Mi"}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "wallets", "operator": "Exists"}],
    "priorityClassName": "high",
    "secret": {"name": "mine", "keys": {"databaseUrl": "url"}},
    "database": {"caSecret": "database-ca"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]
            }
        }
    },
    "serviceAccount": {"create": False, "name": "wallets"},
}
"""Values that both pods must have alike."""
SERVER: Final[dict[str, Any]] = {
    "workers": 2,
    "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 4},
    "replicas": 4,
    "resources": {"requests": {"cpu": 2, "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
    "vault": {"auth": "token", "caSecret": "vault-ca"},
    "redis": {"enabled": True, "caSecret": "redis-ca"},
    "health": {"anonymous": "full"},
    "settings": {"RATES__SIGN": "500/second"},
    "config": '[[networks]]\nname = "mychain"\nchain = "evm"\nchain_id = 4711\nsymbol = "MY"\n',
    "log": {"level": "debug"},
    "tls": {"secret": "pods-tls", "clientCaSecret": "clients-ca"},
    "trustedProxies": ["10.0.0.0/8"],
    "shutdown": {"lingerSeconds": 1, "drainSeconds": 2},
    "probes": {"timeoutSeconds": 3},
    "serviceMonitor": {"enabled": True},
    "listenHost": "::",
    "extraContainers": [{**ANOTHER, "name": "proxy"}],  # beside one that keeps running, the Job would never end
    "initContainers": [{**ANOTHER, "name": "wait"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    ],
}
"""Values that change the server's pod and say nothing of a migration."""
INDIRECT: Final = {
    "workers", "replicas", "autoscaling", "health", "settings", "log", "trustedProxies", "listenHost", "serviceMonitor",
    "topologySpreadConstraints",
}  # fmt: skip
"""Of these, what is in the ConfigMap only, or is not compared."""
NO_POD: Final = {
    "rollout", "podDisruptionBudget", "migration", "service", "ingress", "gateway", "networkPolicy", "prometheusRule",
    "dashboards", "deploymentAnnotations",
}  # fmt: skip
NAMING: Final = {"nameOverride", "fullnameOverride"}
"""Values that are in the names of all objects, and so in a pod's references to them."""
ALIKE: Final = "[container]"


def leaves(value: Any, path: str = "") -> set[tuple[str, str]]:
    """All values below ``value`` with their paths. An entry of a list is known by its name, not its place."""
    if isinstance(value, dict):
        return {leaf for key, each in value.items() for leaf in leaves(each, f"{path}/{key}")}
    if isinstance(value, list):
        named = [(each["name"] if isinstance(each, dict) and "name" in each else "", each) for each in value]
        return {leaf for name, each in named for leaf in leaves(each, f"{path}/[{name}]")}
    return {(path, json.dumps(value))}


def template(values: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    found = leaves(pods(render({"database": {"maxConnections": 1000}, **values}))[kind])
    own = {"Deployment": "[strongroom]", "Job": "[migrate]"}[kind]
    return {
        (path.replace(f"/containers/{own}", f"/containers/{ALIKE}"), value)
        for path, value in found
        if "/annotations/checksum/" not in path and "/topologySpreadConstraints/" not in path
    }


def added(values: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    return template(values, kind) - template({}, kind)


def test_every_value_is_said_to_reach_a_pod_or_not() -> None:
    """Whoever adds a value says here which pods have it."""
    values = set(yaml.safe_load((CHART / "values.yaml").read_text()))
    assert values == BOTH.keys() | SERVER.keys() | NO_POD | NAMING


@pytest.mark.parametrize("name", BOTH)
def test_a_value_of_both_pods_reaches_both(name: str) -> None:
    values = {name: BOTH[name]}
    assert added(values, "Job")
    assert added(values, "Job") == added(values, "Deployment")


@pytest.mark.parametrize("name", sorted(SERVER.keys() | NO_POD))
def test_no_other_value_touches_the_migration(name: str) -> None:
    values = {name: SERVER.get(name, {})}
    assert template(values, "Job") == template({}, "Job")
    assert bool(added(values, "Deployment")) == (name in SERVER and name not in INDIRECT)


def test_the_migration_may_have_labels_and_annotations_of_its_own() -> None:
    """A mesh whose sidecar the server wants, and the Job must not have."""
    own = {"podLabels": {"inject": "false"}, "podAnnotations": {"inject": "false"}}
    common = {"podLabels": {"inject": "true", "team": "x"}, "podAnnotations": {"inject": "true", "note": "x"}}
    rendered = pods(render({**common, "migration": own}))
    for name, rest in (("labels", {"team": "x"}), ("annotations", {"note": "x"})):
        for kind, inject in (("Job", "false"), ("Deployment", "true")):
            assert rendered[kind]["metadata"][name].items() >= {"inject": inject, **rest}.items()


def test_the_migration_is_not_kept_from_nodes_by_what_is_said_of_servers() -> None:
    apart: dict[str, Any] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    rendered = pods(render({"affinity": apart}))
    assert rendered["Deployment"]["spec"]["affinity"] == apart
    assert "affinity" not in rendered["Job"]["spec"]


@pytest.mark.parametrize(
    "text", ["[[networks", "a = 1\na = 2", "name: mychain", 'a = "{{ .Values.nothing.here }}'], ids=repr
)
def test_a_config_that_is_not_toml_is_refused(text: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError, match="config is not TOML: "):
        render({"config": text})


@pytest.mark.parametrize("text", ["# nothing\n", 'a = "{{ .Values.nothing.here }}"\n', "[a]\nb = 03:00:00\n"], ids=repr)
def test_a_config_that_is_toml_is_passed_on_as_it_is(text: str) -> None:
    [found] = [
        each["data"]["strongroom.toml"]
        for each in render({"config": text})
        if each["metadata"]["name"] == "strongroom-toml"
    ]
    assert found == text


SETTINGS: Final = json.loads((CHART / "values.schema.json").read_text())
NAMES: Final = SETTINGS["properties"]["settings"]["propertyNames"]["anyOf"][0]["enum"]
TEXTS: Final = (
    "true", "TRUE", "False", "yes", "No", "on", "off", "t", "n", "0", "1", "2", "3", "20", "600", "2048", "100000",
    "0.5", "1.5", "1e3", ".5", "5.", " 5 ", "+5", "03:00", "22:00-07:00", "5/second", "5000/10 minute", "1/day", "all",
    "none", "only", "local", "vault", "api_key", "jwt, api_key", "api_key,,jwt,", "10.0.0.0/8",
    "10.0.0.0/8, 2001:db8::/32", "grpc", "http", "http://collector.example:4317", "https://[2001:db8::1]:4317/x",
    "/docs/errors",
    "0194c6d0-7d5e-7c3c-8f0a-000000000001", "{0194c6d0-7d5e-7c3c-8f0a-000000000001}",
    "urn:uuid:0194c6d0-7d5e-7c3c-8f0a-000000000001", "0194c6d07d5e7c3c8f0a000000000001", "allow", "refuse",
)  # fmt: skip


def service_takes(name: str, text: str) -> bool:
    try:
        load({f"STRONGROOM_{name}": text}, dotenv=None)
    except ConfigurationError as error:
        # Only what is wrong with this setting by itself.
        return f"STRONGROOM_{name}" not in str(error)
    return True


def chart_takes(name: str, text: str) -> bool:
    validator = jsonschema.Draft7Validator(SETTINGS)
    return not list(validator.iter_errors({"settings": {name: text}}))


@pytest.mark.parametrize("name", [*NAMES, "CHAINS__EVM__MAX_FEE"])
def test_a_text_that_no_setting_of_its_kind_takes_is_refused(name: str) -> None:
    for text in ("banana", "5 bananas", "12h"):
        assert chart_takes(name, text) == service_takes(name, text), text


@pytest.mark.parametrize("name", [*NAMES, "CHAINS__EVM__MAX_FEE"])
def test_no_text_that_the_service_takes_is_refused(name: str) -> None:
    """Ranges are left to the service, which names them."""
    default = next((each.default for each in every_setting() if each.variable == f"STRONGROOM_{name}"), "")
    for text in (*TEXTS, re.sub(r"^(\d\d:\d\d):00$", r"\1", default)):
        if text and service_takes(name, text):
            assert chart_takes(name, text), text


def test_helm_refuses_it_by_the_same_schema() -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError, match="RATES__SIGN"):
        render({"settings": {"RATES__SIGN": "banana"}})
    render({"settings": {"RATES__SIGN": "5000/10 minute"}, "secret": OWN_SECRETS})
