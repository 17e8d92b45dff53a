"""What an installation brings of its own: containers beside the server, and network policies as documented."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.chart import KUBERNETES, VARIATIONS, documented, one, pods, render

pytestmark = pytest.mark.needs("helm")


def test_containers_of_others_stand_beside_the_server_and_change_nothing_of_it() -> None:
    """The migration Job has none: it would never end beside a container that does not."""
    own = pods(render({}))["Deployment"]["spec"]
    rendered = pods(render(VARIATIONS["containers of others"]))
    spec = rendered["Deployment"]["spec"]
    assert [each["name"] for each in spec["initContainers"]] == ["wait"]
    assert [each["name"] for each in spec["containers"]] == ["proxy", "strongroom"]
    assert spec["initContainers"] == VARIATIONS["containers of others"]["initContainers"]
    assert spec["containers"][0] == VARIATIONS["containers of others"]["extraContainers"][0]
    assert {"name": "shared", "emptyDir": {}} in spec["volumes"]
    mounted = {"name": "shared", "mountPath": "/shared"}
    server = spec["containers"][1]
    server["volumeMounts"].remove(mounted)
    server["env"].remove(VARIATIONS["containers of others"]["extraEnv"][0])
    assert server == own["containers"][0]
    assert "initContainers" not in rendered["Job"]["spec"]
    assert [each["name"] for each in rendered["Job"]["spec"]["containers"]] == ["migrate"]


def test_the_documented_second_release_only_runs_tasks() -> None:
    first, second = (
        render(documented('{TASKS__ROLE: "none"}')),
        render(documented("{TASKS__ROLE: only}"), "strongroom-tasks"),
    )
    assert one(first, "ConfigMap")["data"]["STRONGROOM_TASKS__ROLE"] == "none"
    assert one(second, "ConfigMap", "strongroom-tasks")["data"]["STRONGROOM_TASKS__ROLE"] == "only"
    own = one(first, "Deployment")["spec"]["template"]["spec"]
    spec = one(second, "Deployment", "strongroom-tasks")["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == own["serviceAccountName"]
    secret = [[each["secret"] for each in pod["volumes"] if each["name"] == "secret"] for pod in (own, spec)]
    assert secret[0] == secret[1]
    names = [{(each["kind"], each["metadata"]["name"]) for each in objects} for objects in (first, second)]
    assert not names[0] & names[1]
    assert not {kind for kind, _ in names[1]} & {"Job", "ServiceAccount", "Secret", "Ingress"}


def test_the_documented_keys_of_another_store_are_the_files_of_the_pods() -> None:
    rendered = render(documented("service_url"))
    for template in pods(rendered).values():
        [secret] = [each["secret"] for each in template["spec"]["volumes"] if each["name"] == "secret"]
        assert secret["secretName"] == "wallet-secrets"
        assert {"key": "service_url", "path": "database-url"} in secret["items"]


@pytest.mark.parametrize("name", ["extraContainers", "initContainers"])
def test_a_container_is_a_whole_entry(name: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError, match=name):
        render({name: {"name": "proxy"}})


def policies(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the server and of the migration, both as Kubernetes takes them."""
    import kubernetes_validate

    rendered = render(values)
    found = one(rendered, "NetworkPolicy"), one(rendered, "NetworkPolicy", "strongroom-migrate")
    for each in found:
        kubernetes_validate.validate(each, KUBERNETES[0], strict=True)
    return found[0]["spec"], found[1]["spec"]


def namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def tcp(*numbers: int) -> list[dict[str, Any]]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def test_the_documented_way_in_is_for_the_ingress_and_prometheus_alone() -> None:
    server, migration = policies(documented("# who calls"))
    assert server["ingress"] == [
        {"ports": tcp(3000, 3001), "from": [namespace("ingress-nginx")]},
        {
            "ports": tcp(3000),
            "from": [
                {**namespace("monitoring"), "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
            ],
        },
    ]
    assert "ingress" not in migration


def test_the_documented_way_out_is_to_what_the_service_asks_alone() -> None:
    values = documented("# what it asks")
    server, migration = policies(values)
    dns = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    database = {"ports": tcp(5432), "to": [{"ipBlock": {"cidr": "10.1.0.0/24"}}]}
    nodes = {"ports": tcp(8545, 8332), "to": [namespace("nodes")]}
    providers = {
        "ports": tcp(443),
        "to": [
            {
                "ipBlock": {
                    "cidr": "0.0.0.0/0",
                    "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
                }
            }
        ],
    }
    redis = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "redis"}}}
    assert server["egress"] == [
        dns,
        database,
        {"ports": tcp(8200), "to": [namespace("vault")]},
        {"ports": tcp(6379), "to": [redis]},
        nodes,
        providers,
    ]
    assert migration["egress"] == [dns, database, nodes, providers]
