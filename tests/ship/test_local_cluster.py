"""A cluster of a developer's own: an image of no registry, a password that nobody has chosen."""

import re
import sys
from typing import Any

import pytest
import yaml

from tests.support.cluster import (
    KUBECTL,
    Cluster,
    one_line,
)

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

ID = "fedcba9876543210" * 4
PROGRAM = """#!{python}
import json, pathlib, sys

with (pathlib.Path(__file__).parent / "calls").open("a") as file:
    print(json.dumps({{"words": sys.argv, "said": ""}}), file=file)
print(json.dumps([{{"Id": "sha256:{id}"}}]))
"""
IMAGE = f"order-service:{ID[:12]}"
every_service = pytest.mark.parametrize(
    ("deployable", "expected"),
    [
        ({"database": "none"}, {}),
        ({}, {"postgres": "database_url"}),
        ({"database": "mongodb"}, {"mongodb": "mongodb_url"}),
        ({"redis": True, "worker": True}, {"postgres": "database_url", "redis": "redis_url"}),
    ],
    ids=["bare", "default", "mongodb", "full"],
    indirect=["deployable"],
)


@pytest.fixture
def local(cluster: Cluster) -> Cluster:
    """A cluster of kind, on a machine that has built an image."""
    for program in ("docker", "kind"):
        cluster.add(program, PROGRAM.format(python=sys.executable, id=ID))
    cluster.answers["config current-context"] = (0, "kind-orders")
    return cluster


def deploy(local: Cluster) -> list[dict[str, Any]]:
    """Deploy, and return the objects that were applied."""
    done = local.run("deploy", OVERLAY="local", REVISION="abc123", RELEASE="")
    assert done.returncode == 0, done.stderr
    said = (yaml.safe_load_all(call["said"]) for call in local.calls())
    return [found for documents in said for found in documents if found]


def named(objects: list[dict[str, Any]], *kinds: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in kinds}


def test_the_image_that_was_built_is_loaded_by_a_name_made_of_its_id(local: Cluster) -> None:
    deploy(local)
    words = [" ".join(call["words"]) for call in local.calls()]
    docker = [line.partition("/docker ")[2] for line in words if "/docker " in line]
    assert docker == ["image inspect order-service:abc123", f"tag order-service:abc123 {IMAGE}"]
    (kind,) = (line for line in words if "/kind " in line)
    assert kind.endswith(f"/kind load docker-image {IMAGE} --name orders")


@every_service
def test_it_brings_what_it_needs_with_a_password_of_its_own(
    local: Cluster, expected: dict[str, str]
) -> None:
    first = deploy(local)
    text = (local.programs / "calls").read_text()
    assert set(named(first, "StatefulSet", "Deployment")) - {
        "order-service-web",
        "order-service-worker",
    } == set(expected)
    secrets = named(first, "Secret")
    assert bool(secrets) == bool(expected)
    if expected:
        values = secrets["order-service-secrets"]["stringData"]
        assert values.keys() == {"password", *expected.values()}
        assert re.fullmatch("[0-9a-f]{64}", values["password"])
        again = named(deploy(local), "Secret")["order-service-secrets"]["stringData"]
        assert again["password"] != values["password"]
        written = [path for path in local.service.rglob("*") if path.is_file()]
        assert not [path for path in written if values["password"] in path.read_text("latin-1")]
        assert not [
            call for call in text.splitlines() if values["password"] in call.split("said")[0]
        ]


def test_a_password_that_is_there_stays(local: Cluster) -> None:
    local.answers["get secret order-service-secrets"] = (0, "secret/order-service-secrets")
    assert not named(deploy(local), "Secret")


def test_what_the_schema_needs_comes_before_it(local: Cluster) -> None:
    deploy(local)
    asked = [line.partition(" --")[0] for line in local.asked()]
    server = asked.index("rollout status statefulset/postgres")
    assert asked.index("apply StatefulSet") < server < asked.index("apply Job")


@pytest.mark.parametrize("context", ["production", "gke_team_europe_orders"])
def test_a_cluster_elsewhere_is_refused(local: Cluster, context: str) -> None:
    local.answers["config current-context"] = (0, context)
    line = one_line(local.run("deploy", OVERLAY="local"))
    assert line.startswith(f"OVERLAY=local: the context {context} is not of this machine")
    assert local.asked() == ["config current-context"]


def test_an_image_that_was_not_built_is_said_to_be_missing(local: Cluster) -> None:
    local.add("docker", "#!/bin/sh\necho no such image >&2\nexit 1\n")
    line = one_line(local.run("deploy", OVERLAY="local", REVISION="abc123"))
    assert line == "docker image failed: no such image"
    assert local.asked() == ["config current-context"]


@every_service
def test_backing_services_are_those_of_compose_and_have_no_more_rights_than_ours(
    local: Cluster, expected: dict[str, str]
) -> None:
    objects = deploy(local)
    for name in expected:
        spec = named(objects, "StatefulSet", "Deployment")[name]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        composed = yaml.safe_load((local.service / f"compose/{name}.yaml").read_text())
        assert container["image"] == composed["services"][name]["image"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        mounted = {one["name"] for one in container["volumeMounts"]}
        server = named(objects, "StatefulSet", "Deployment")[name]["spec"]
        claims = {one["metadata"]["name"] for one in server.get("volumeClaimTemplates", [])}
        assert mounted == {one["name"] for one in spec.get("volumes", [])} | claims


@every_service
def test_each_may_be_reached_by_the_service_alone(local: Cluster, expected: dict[str, str]) -> None:
    objects = deploy(local)
    policies, services = named(objects, "NetworkPolicy"), named(objects, "Service")
    for name in expected:
        server = named(objects, "StatefulSet", "Deployment")[name]["spec"]["template"]
        labels, port = server["metadata"]["labels"], server["spec"]["containers"][0]["ports"][0]
        (rule,) = policies[name]["spec"]["ingress"]
        assert policies[name]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        assert rule["from"] == [
            {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "order-service"}}}
        ]
        assert [one["port"] for one in rule["ports"]] == [port["containerPort"]]
        (out,) = policies[f"to-{name}"]["spec"]["egress"]
        assert out["to"][0]["podSelector"]["matchLabels"].items() <= labels.items()
        assert services[name]["spec"]["selector"].items() <= labels.items()
        assert services[name]["spec"]["ports"][0]["targetPort"] == port["name"]
