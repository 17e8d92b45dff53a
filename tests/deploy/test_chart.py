"""The chart: what it renders is valid Kubernetes, safe, and true to the settings of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from strongroom import __version__
from strongroom.config.settings import every_setting, load
from tests.deploy.chart import (
    CHART,
    KEYS,
    KUBERNETES,
    OWN_SECRETS,
    PRODUCTION,
    VARIATIONS,
    documented,
    lay_out,
    one,
    pods,
    render,
)

pytestmark = pytest.mark.needs("helm")

HOOK = "helm.sh/hook"


@pytest.fixture(params=list(VARIATIONS.values()), ids=list(VARIATIONS))
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(request.param)


@pytest.mark.parametrize("values", list(VARIATIONS.values()), ids=list(VARIATIONS))
def test_lint_is_strict(values: dict[str, Any]) -> None:
    import helm_python

    report = helm_python.lint(CHART, values, strict=True)
    assert report["total_charts_linted"] == 1
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_it(objects: list[dict[str, Any]], version: str) -> None:
    import kubernetes_validate

    for each in objects:
        if each["kind"] not in (
            "ServiceMonitor",
            "PrometheusRule",
            "HTTPRoute",
            "GRPCRoute",
        ):  # custom resources: Kubernetes has no schema of them
            kubernetes_validate.validate(each, version, strict=True)


def test_names_are_unique_and_kept_apart(objects: list[dict[str, Any]]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    assert all("namespace" not in each["metadata"] for each in objects)


def test_selectors_find_the_server_and_never_the_migration(objects: list[dict[str, Any]]) -> None:
    templates = pods(objects)
    server = templates["Deployment"]["metadata"]["labels"]
    selectors = [each["spec"]["selector"] for each in objects if each["kind"] == "Service"]
    selectors += [
        each["spec"]["selector"]["matchLabels"]
        for each in objects
        if each["kind"] in ("Deployment", "PodDisruptionBudget")
    ]
    for selector in selectors:
        assert selector.items() <= server.items()
        if "Job" in templates:
            assert not selector.items() <= templates["Job"]["metadata"]["labels"].items()


def test_the_monitor_finds_one_service(objects: list[dict[str, Any]]) -> None:
    for monitor in (each for each in objects if each["kind"] == "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        found = [each for each in objects if each["kind"] == "Service" and wanted <= each["metadata"]["labels"].items()]
        assert len(found) == 1
        assert {port["name"] for port in found[0]["spec"]["ports"]} >= {"http"}


def test_pods_are_restricted(objects: list[dict[str, Any]]) -> None:
    """Kubernetes' Pod Security Standards, level `restricted`, and more."""
    for template in pods(objects).values():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        for volume in spec["volumes"]:
            assert volume.keys() - {"name"} < {"emptyDir", "secret", "configMap", "projected"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert "lifecycle" not in container  # nothing in the image has to be a shell


def test_secrets_come_as_files_and_the_owner_of_the_tables_is_the_migrations_alone(
    objects: list[dict[str, Any]],
) -> None:
    secret = {setting.variable for setting in every_setting() if setting.secret}
    for each in objects:
        if each["kind"] == "ConfigMap":
            assert not each["data"].keys() & secret
    for kind, template in pods(objects).items():
        *_, container = template["spec"]["containers"]
        assert not {variable["name"] for variable in container["env"]} & secret
        items = {
            item["key"] for v in template["spec"]["volumes"] if "secret" in v for item in v["secret"].get("items", [])
        }
        assert ("migrate-url" in items) == (kind == "Job")


def test_what_a_hook_needs_is_a_hook(objects: list[dict[str, Any]]) -> None:
    """Hooks run before the release's own objects are there."""
    hooks = [each for each in objects if HOOK in each["metadata"].get("annotations", {})]
    jobs = [each for each in hooks if each["kind"] == "Job"]
    if not jobs:
        assert hooks == []
        return
    [job] = jobs
    ready = {each["metadata"]["name"] for each in hooks if each["kind"] == "Secret"}
    owned = {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"}
    spec = job["spec"]["template"]["spec"]
    needed = {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    assert needed & owned <= ready
    made = {each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"}
    assert spec.get("serviceAccountName") not in made
    weights = {each["kind"]: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in hooks}
    assert all(weights["Job"] > weight for kind, weight in weights.items() if kind != "Job")


def test_time_to_end_is_linger_and_drain_and_a_margin(objects: list[dict[str, Any]]) -> None:
    data = one(objects, "ConfigMap", one_name(objects))["data"]
    grace = pods(objects)["Deployment"]["spec"]["terminationGracePeriodSeconds"]
    assert grace == int(data["STRONGROOM_TIMEOUTS__LINGER"]) + int(data["STRONGROOM_TIMEOUTS__DRAIN"]) + 10


def one_name(objects: list[dict[str, Any]]) -> str:
    [name] = [each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"]
    return str(name)


@pytest.mark.parametrize("values", list(VARIATIONS.values()), ids=list(VARIATIONS))
def test_the_settings_are_those_of_the_service(values: dict[str, Any], tmp_path: Path) -> None:
    given = {
        "strongroom": {**dict.fromkeys(("vault-role-id", "vault-secret-id", "vault-token"), "x"),
                       "database-url": "postgresql://strongroom@db/strongroom", "redis-url": "rediss://cache/0",
                       "migrate-url": "postgresql://owner@db/strongroom"},
        "database-ca": {"ca.crt": ""}, "vault-ca": {"ca.crt": ""}, "redis-ca": {"ca.crt": ""},
        "vault-token": {"token": "t"}, "pods-tls": {"tls.crt": "", "tls.key": ""}, "clients-ca": {"ca.crt": ""},
    }  # fmt: skip
    given["wallet-secrets"] = given["wallets"] = given["strongroom"]
    objects = render(values)
    for kind in pods(objects):
        command, env = lay_out(objects, kind, tmp_path / kind, given)
        settings = load(env, dotenv=None)
        assert command == ["strongroom", "migrate" if kind == "Job" else "serve"]
        if kind == "Deployment":
            assert settings.profile == "production"
            assert settings.keywrap.kind == "vault"
            assert settings.audit.heads == "log"
            assert not settings.exposes_plaintext
            tls = values.get("tls", {})
            assert (settings.tls.certificate is not None) == ("secret" in tls) != settings.tls.allow_plaintext
            assert (settings.tls.client_ca is not None) == ("clientCaSecret" in tls)
            assert settings.workers.count == values.get("workers", 1)
            assert settings.data_dir.is_relative_to(tmp_path / kind / "tmp")
            assert (settings.redis.url is not None) == values.get("redis", {}).get("enabled", False)


def test_all_that_is_switched_on_is_there() -> None:
    kinds = sorted(each["kind"] for each in render(PRODUCTION))
    assert kinds == [
        "ConfigMap", "ConfigMap", "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Ingress", "Job",
        "NetworkPolicy", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service", "Service",
        "ServiceAccount", "ServiceMonitor",
    ]  # fmt: skip
    assert "replicas" not in one(render(PRODUCTION), "Deployment")["spec"]
    assert one(render({}), "Deployment")["spec"]["replicas"] == 3


def test_a_change_of_what_pods_read_replaces_them() -> None:
    def checksums(values: dict[str, Any]) -> dict[str, str]:
        annotations = pods(render(values))["Deployment"]["metadata"]["annotations"]
        return {name: text for name, text in annotations.items() if name.startswith("checksum/")}

    assert checksums({"log": {"level": "debug"}}) != checksums({})
    assert checksums({"podDisruptionBudget": {"maxUnavailable": 2}}) == checksums({})
    assert checksums({"replicas": 2}) != checksums({})  # each process allows its share of a rate without Redis
    other = {**OWN_SECRETS, "databaseUrl": "postgresql://strongroom:three@db/strongroom"}
    assert checksums({"secret": OWN_SECRETS})["checksum/secret"] != checksums({"secret": other})["checksum/secret"]


def test_versions_are_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"replica": 3}, "replica"),
    ({"replicas": 0}, "replicas"),
    ({"replicas": "3"}, "replicas"),
    ({"replicas": 2.5}, "replicas"),
    ({"workers": 65}, "workers"),
    ({"image": {"digest": "sha256:short"}}, "digest"),
    ({"image": {"pullPolicy": "always"}}, "pullPolicy"),
    ({"image": {"tag": "a b"}}, "tag"),
    ({"autoscaling": {"enabled": "yes"}}, "enabled"),
    ({"autoscaling": {"cpuPercent": 150}}, "cpuPercent"),
    ({"rollout": {"maxSurge": 0}}, "maxSurge"),
    ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
    ({"resources": {"limits": {"memory": "512 MB"}}}, "memory"),
    ({"secret": {"databaseUrl": "mysql://db"}}, "databaseUrl"),
    ({"secret": {"redisUrl": "http://cache"}}, "redisUrl"),
    ({"database": {"poolSize": 0}}, "poolSize"),
    ({"database": {"url": "postgresql://db"}}, "url"),
    ({"vault": {"url": "vault:8200"}}, "url"),
    ({"vault": {"url": "https://user:pw@vault:8200"}}, "url"),
    ({"vault": {"auth": "userpass"}}, "auth"),
    ({"vault": {"key": "../other"}}, "key"),
    ({"health": {"required": []}}, "required"),
    ({"health": {"required": ["keywrap"]}}, "required"),
    ({"settings": {"RATES__SIGN": 500}}, "RATES__SIGN"),
    ({"settings": {"rates__sign": "500/second"}}, "rates__sign"),
    ({"settings": {"VAULT__URL": "https://other"}}, "VAULT__URL"),
    ({"log": {"level": "verbose"}}, "level"),
    ({"trustedProxies": ["0.0.0.0/0"]}, "trustedProxies"),
    ({"shutdown": {"drainSeconds": 0}}, "drainSeconds"),
    ({"probes": {"live": {"periodSeconds": 0}}}, "periodSeconds"),
    ({"service": {"type": "ExternalName"}}, "type"),
    ({"service": {"httpPort": 65536}}, "httpPort"),
    ({"ingress": {"enabled": True}}, "host"),
    ({"ingress": {"paths": []}}, "paths"),
    ({"networkPolicy": {"database": {"port": "postgres"}}}, "port"),
    ({"serviceMonitor": {"interval": "30"}}, "interval"),
    ({"podLabels": {"app.kubernetes.io/name": "other"}}, "app.kubernetes.io/name"),
    ({"migration": {"podLabels": {"app.kubernetes.io/name": "other"}}}, "app.kubernetes.io/name"),
    ({"nodeSelector": {"fast": True}}, "nodeSelector"),
    ({"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 4}}, "minReplicas is more"),
    ({"vault": {"url": "http://vault:8200"}}, "allowHttp"),
    ({"tls": {}}, "tls.secret"),
    ({"tls": {"clientCaSecret": "c", "allowPlaintext": True}}, "needs tls.secret"),
    ({"tls": {"secret": "No name"}}, "secret"),
    ({"ingress": {"enabled": True, "host": "a.example"}}, "tlsSecret"),
    ({"ingress": {"enabled": True, "host": "a.b", "tlsSecret": "t", "grpc": {"enabled": True, "host": "g.b"}}},
     "ingress.grpc"),
    ({"settings": {"RATES__SING": "500/second"}}, "RATES__SING"),
    ({"settings": {"CHAINS__EVM": "1"}}, "CHAINS__EVM"),
    ({"secret": {"keys": {"password": "x"}}}, "password"),
    ({"secret": {**OWN_SECRETS, "keys": {"databaseUrl": "x"}}}, "secret.keys"),
    ({"ingress": {"enabled": True, "host": "a.b", "tlsSecret": "t", "hosts": [{"host": "b.c"}]}}, "ingress.hosts"),
    ({"gateway": {"enabled": True}}, "gateway.parentRefs"),
    ({"gateway": {"parentRefs": [{"namespace": "x"}]}}, "name"),
    ({"health": {"required": ["database", "redis"]}}, "redis.enabled"),
    ({"secret": {"create": True}}, "secret.databaseUrl"),
    ({"secret": {"create": True, "databaseUrl": "postgresql://db"}}, "secret.migrateUrl"),
    ({"secret": OWN_SECRETS, "vault": {"auth": "approle"}}, "secret.vaultRoleId"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "named"), WRONG, ids=[str(values) for values, _ in WRONG])
def test_wrong_values_are_refused(values: dict[str, Any], named: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError, match=re.escape(named)):
        render(values)


@pytest.mark.parametrize("variable", sorted(setting.variable for setting in every_setting() if setting.secret))
@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_a_secret_is_no_setting(variable: str, suffix: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError):
        render({"settings": {variable.removeprefix("STRONGROOM_") + suffix: "x"}})


def test_what_values_of_their_own_set_is_no_setting() -> None:
    import helm_python

    for values in VARIATIONS.values():
        objects = render({**values, "settings": {}})
        for name in one(objects, "ConfigMap", one_name(objects))["data"]:
            with pytest.raises(helm_python.HelmError):
                render({"settings": {name.removeprefix("STRONGROOM_"): "x"}})


@pytest.mark.parametrize(
    ("values", "pods_at_once"),
    [
        ({"replicas": 7}, 9),
        ({"replicas": 3, "rollout": {"maxSurge": 3}}, 9),
        ({"autoscaling": {"enabled": True, "maxReplicas": 7}}, 9),
    ],
)
def test_connections_fit_into_the_database(values: dict[str, Any], pods_at_once: int) -> None:
    import helm_python

    def database(free: int) -> dict[str, Any]:
        return {"database": {"poolSize": 7, "maxConnections": free + 5, "reservedConnections": 5}}

    wanted = (7 + 1) * 2 * pods_at_once
    render({**values, "workers": 2, **database(wanted)})
    with pytest.raises(helm_python.HelmError, match=f"are {wanted} connections; .* leaves {wanted - 1}"):
        render({**values, "workers": 2, **database(wanted - 1)})


def test_what_a_cluster_asks_for_reaches_every_pod() -> None:
    """Sidecars are switched off by annotation, and a mesh wants its ports, for the migration Job as well."""
    rendered = render(VARIATIONS["extended"])
    job, deployment = one(rendered, "Job", "strongroom-migrate"), one(rendered, "Deployment")
    for each in (job, deployment):
        assert each["spec"]["template"]["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
        assert each["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == 1000
        assert "fsGroup" not in each["spec"]["template"]["spec"]["securityContext"]
    assert deployment["metadata"]["annotations"] == {"reloader.stakater.com/auto": "true"}
    egress = [each["spec"]["egress"] for each in rendered if each["kind"] == "NetworkPolicy"]
    assert len(egress) == 2
    assert all({"ports": [{"port": 15012, "protocol": "TCP"}]} in each for each in egress)
    assert one(rendered, "ConfigMap")["data"]["STRONGROOM_GRPC__HOST"] == "::"
    for name in ("strongroom", "strongroom-grpc"):
        assert one(rendered, "Service", name)["spec"]["ipFamilyPolicy"] == "PreferDualStack"


def test_names_of_settings_are_those_of_the_service() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["propertyNames"]
    taken = set(schema["not"]["anyOf"][1]["enum"])
    known = {each.variable.removeprefix("STRONGROOM_") for each in every_setting() if not each.secret}
    assert set(schema["anyOf"][0]["enum"]) == known - taken


def test_each_host_has_its_certificate_and_its_paths() -> None:
    spec = one(render(VARIATIONS["several hosts"]), "Ingress")["spec"]
    assert [(each["hosts"], each["secretName"]) for each in spec["tls"]] == [
        (["a.example.com"], "a-tls"), (["b.example.com"], "b-tls"), (["c.example.com"], "c-tls"),
    ]  # fmt: skip
    paths = {each["host"]: [path["path"] for path in each["http"]["paths"]] for each in spec["rules"]}
    assert paths == {"a.example.com": ["/api/v1"], "b.example.com": ["/b"], "c.example.com": ["/api/v1"]}


def test_routes_lead_to_the_ports_of_the_service() -> None:
    rendered = render({**VARIATIONS["gateway"], "service": {"httpPort": 80, "grpcPort": 81}})
    ports = {each["name"]: each["port"] for each in one(rendered, "Service")["spec"]["ports"]}
    for kind, name, port, host in (
        ("HTTPRoute", "strongroom", ports["http"], "wallets.example.com"),
        ("GRPCRoute", "strongroom-grpc", ports["grpc"], "grpc.example.com"),
    ):
        spec = one(rendered, kind, name)["spec"]
        assert spec["hostnames"] == [host]
        assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways", "sectionName": "https"}]
        [rule] = spec["rules"]
        assert rule["backendRefs"] == [{"name": "strongroom", "port": port}]
    assert one(rendered, "HTTPRoute")["spec"]["rules"][0]["matches"] == [
        {"path": {"type": "PathPrefix", "value": "/api/v1"}}
    ]


def test_a_secret_that_is_there_may_have_keys_of_its_own() -> None:
    rendered = render(KEYS)
    for kind, name, wanted in (
        ("Deployment", "strongroom", {"url": "database-url"}),
        ("Job", "strongroom-migrate", {"url": "database-url", "owner.url": "migrate-url"}),
    ):
        volumes = one(rendered, kind, name)["spec"]["template"]["spec"]["volumes"]
        [secret] = [each["secret"] for each in volumes if each["name"] == "secret"]
        assert secret["secretName"] == "mine"
        assert {each["key"]: each["path"] for each in secret["items"]} == wanted


def test_the_documented_production_values_let_prometheus_in() -> None:
    values = documented("maxReplicas: 8")
    values["image"] = PRODUCTION["image"]  # there are placeholders in the document
    assert values["serviceMonitor"]["enabled"]
    [policy] = [
        each for each in render(values) if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "strongroom"
    ]
    assert any(
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}} in rule["from"]
        for rule in policy["spec"]["ingress"]
    )
