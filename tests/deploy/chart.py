"""The chart as Helm renders it, and as a kubelet would lay it out for a process."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.server import ROOT

CHART: Final = ROOT / "deploy" / "helm" / "strongroom"
KUBERNETES: Final = ("1.34", "1.37")
"""Versions that the renderings are checked against."""
PRODUCTION: Final[dict[str, Any]] = {
    "image": {"repository": "images/strongroom", "digest": "sha256:" + "0" * 64, "pullSecrets": ["images"]},
    "workers": 2,
    "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 8},
    "resources": {"requests": {"cpu": 2, "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
    "secret": {"name": "wallet-secrets"},
    "database": {"poolSize": 10, "maxConnections": 300, "reservedConnections": 20, "caSecret": "database-ca"},
    "vault": {
        "url": "https://vault.example.com:8200",
        "audience": "vault",
        "namespace": "team",
        "caSecret": "vault-ca",
    },
    "redis": {"enabled": True, "caSecret": "redis-ca"},
    "settings": {"RATES__SIGN": "500/second", "CHAINS__EVM__MAX_FEE": "1000000000000000000"},
    "config": '[[networks]]\nname = "mychain"\nchain = "evm"\nchain_id = 4711\nsymbol = "MY"\n',
    "trustedProxies": ["10.0.0.0/8"],
    "tls": {"secret": "pods-tls", "clientCaSecret": "clients-ca"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "wallets.example.com",
        "tlsSecret": "wallets-tls",
        "grpc": {
            "enabled": True,
            "host": "grpc.wallets.example.com",
            "tlsSecret": "grpc-tls",
            "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "GRPC"},
        },
    },
    "networkPolicy": {
        "clients": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "monitoring": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "database": {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "port": 5432},
    },
    "serviceMonitor": {"enabled": True, "apiKeySecret": {"name": "metrics-key"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboards": {"enabled": True},
}
"""Every part switched on, as a careful installation has it."""
OWN_SECRETS: Final = {
    "create": True,
    "databaseUrl": "postgresql://strongroom:one@db/strongroom",
    "migrateUrl": "postgresql://owner:two@db/strongroom",
}
ANOTHER: Final[dict[str, Any]] = {
    "image": "images/another:1",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"limits": {"memory": "32Mi"}},
}
"""A container of somebody else's."""
KEYS: Final = {"secret": {"name": "mine", "keys": {"databaseUrl": "url", "migrateUrl": "owner.url"}}}
VARIATIONS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "production": PRODUCTION,
    "approle": {"vault": {"auth": "approle"}},
    "token": {"vault": {"auth": "token"}},
    "own secrets": {"secret": OWN_SECRETS},
    "own secrets, all": {
        "secret": {**OWN_SECRETS, "vaultRoleId": "r", "vaultSecretId": "s", "redisUrl": "rediss://cache:6380/1"},
        "vault": {"auth": "approle"},
        "redis": {"enabled": True},
        "health": {"required": ["database", "vault", "redis"]},
    },
    "no migration": {"migration": {"enabled": False}},
    "no budget": {"podDisruptionBudget": {"enabled": False}},
    "budget in percent": {"podDisruptionBudget": {"maxUnavailable": "25%"}},
    "no network policy": {"networkPolicy": {"enabled": False}},
    "no headless service": {"service": {"headless": False}},
    "load balancer": {"service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}}},
    "account that is there": {"serviceAccount": {"create": False, "name": "wallets"}},
    "open metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
    "ingress without TLS": {"ingress": {"enabled": True, "host": "wallets.example.com", "allowHttp": True}},
    "mesh": {"vault": {"url": "http://vault.vault.svc:8200", "allowHttp": True}},
    "named": {"fullnameOverride": "wallets", "nameOverride": "hot"},
    "placed": {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "wallets", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
        ],
        "priorityClassName": "high",
        "podLabels": {"team": "wallets"},
        "podAnnotations": {"example.com/note": "x"},
    },
    "TLS": {"tls": {"secret": "pods-tls"}, "serviceMonitor": {"enabled": True}},
    "TLS, known otherwise": {
        "tls": {"secret": "pods-tls", "clientCaSecret": "clients-ca"},
        "serviceMonitor": {"enabled": True, "tlsConfig": {"insecureSkipVerify": True}},
    },
    "extended": {
        "podAnnotations": {"sidecar.istio.io/inject": "false"},
        "deploymentAnnotations": {"reloader.stakater.com/auto": "true"},
        "podSecurity": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": None},
        "listenHost": "::",
        "service": {"ipFamilyPolicy": "PreferDualStack"},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "more", "emptyDir": {"sizeLimit": "1Mi"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
        "networkPolicy": {"extraEgress": [{"ports": [{"port": 15012, "protocol": "TCP"}]}]},
    },
    "containers of others": {
        "extraEnv": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "extraVolumes": [{"name": "shared", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "shared", "mountPath": "/shared"}],
        "initContainers": [{**ANOTHER, "name": "wait", "command": ["true"]}],
        "extraContainers": [
            {**ANOTHER, "name": "proxy", "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]},
        ],
    },
    "several hosts": {
        "ingress": {
            "enabled": True,
            "host": "a.example.com",
            "tlsSecret": "a-tls",
            "hosts": [
                {"host": "b.example.com", "tlsSecret": "b-tls", "paths": ["/b"]},
                {"host": "c.example.com", "tlsSecret": "c-tls"},
            ],
        },
    },
    "gateway": {
        "gateway": {
            "enabled": True,
            "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
            "hostnames": ["wallets.example.com"],
            "annotations": {"example.com/note": "x"},
            "grpc": {"enabled": True, "hostnames": ["grpc.example.com"]},
        },
    },
    "narrow network": {
        "networkPolicy": {
            "clients": [{"podSelector": {"matchLabels": {"app": "shop"}}}],
            "monitoring": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "database": {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "port": 5432},
            "vault": {
                "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "vault"}}}],
                "port": 8200,
            },
        },
    },
    "no linger": {"shutdown": {"lingerSeconds": 0, "drainSeconds": 5}},
}


def render(values: Mapping[str, Any], name: str = "strongroom") -> list[dict[str, Any]]:
    """All objects of a release; in plain text where nothing is said of TLS.

    Raises helm_python.HelmError where the chart refuses the values.
    """
    import helm_python

    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render({"tls": {"allowPlaintext": True}, **values}, name=name, namespace="wallets")
    texts = [text for path, text in sorted(rendered.items()) if path.endswith(".yaml")]
    return [each for text in texts for each in yaml.load_all(text, Loader=Unique) if each]


def documented(mark: str) -> dict[str, Any]:
    """The values of the one block of docs/kubernetes.md with ``mark`` in it."""
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    [block] = [each for each in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE) if mark in each]
    values: dict[str, Any] = yaml.safe_load(re.sub("^    ", "", block, flags=re.MULTILINE))
    return values


def one(objects: list[dict[str, Any]], kind: str, name: str = "strongroom") -> dict[str, Any]:
    [found] = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pod templates, by the kind of what makes them."""
    return {each["kind"]: each["spec"]["template"] for each in objects if "template" in each.get("spec", {})}


def lay_out(
    objects: list[dict[str, Any]], kind: str, folder: Path, given: Mapping[str, Mapping[str, str]]
) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the pod's container, with its volumes in ``folder``.

    ``given`` are the Secrets that are no part of the release, and tokens: by name, their files.
    """
    *_, container = pods(objects)[kind]["spec"]["containers"]
    env: dict[str, str] = {}
    for source in container.get("envFrom", []):
        env |= one(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    env |= {each["name"]: each["value"] for each in container["env"] if "value" in each}
    volumes = {volume["name"]: volume for volume in pods(objects)[kind]["spec"]["volumes"]}
    for mount in container["volumeMounts"]:
        place = folder / mount["name"]
        place.mkdir(parents=True)
        for name, text in _files(objects, volumes[mount["name"]], given).items():
            (place / name).write_text(text)
        env = {
            name: f"{place}{value.removeprefix(mount['mountPath'])}" if _is_below(value, mount["mountPath"]) else value
            for name, value in env.items()
        }
    return container["command"], env


def _is_below(value: str, path: str) -> bool:
    return value.startswith(f"{path}/")


def _files(
    objects: list[dict[str, Any]], volume: dict[str, Any], given: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    if "secret" in volume:
        name = volume["secret"]["secretName"]
        own = [each for each in objects if each["kind"] == "Secret" and each["metadata"]["name"] == name]
        data = (
            {key: base64.b64decode(text).decode() for key, text in own[0]["data"].items()} if own else dict(given[name])
        )
        return {item["path"]: data[item["key"]] for item in volume["secret"]["items"]}
    if "configMap" in volume:
        data = one(objects, "ConfigMap", volume["configMap"]["name"])["data"]
        return dict(data)
    return dict(given.get(volume["name"], {}))


class Unique(yaml.SafeLoader):
    """Refuses a key that stands twice: Kubernetes does, and PyYAML takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice among {keys}"
        return super().construct_mapping(node, deep=deep)
