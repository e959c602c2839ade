"""`make deploy OVERLAY=local`: an image without a registry, and a generated password."""

import re
import sys

import pytest
import yaml

from tests.support.cluster import KUBECTL, Cluster, Object, error_of

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

ID = "fedcba9876543210" * 4
IMAGE = f"order-service:{ID[:12]}"
FAKE_PROGRAM = """#!{python}
import json, pathlib, sys

with (pathlib.Path(__file__).parent / "calls").open("a") as file:
    print(json.dumps({{"words": sys.argv, "stdin": ""}}), file=file)
print(json.dumps([{{"Id": "sha256:{id}"}}]))
"""
each_variant = pytest.mark.parametrize(
    ("deployable", "servers"),
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
    """Return a cluster created by `kind`, on a machine that has built the image."""
    for program in ("docker", "kind"):
        cluster.add(program, FAKE_PROGRAM.format(python=sys.executable, id=ID))
    cluster.results["config current-context"] = (0, "kind-orders")
    return cluster


def deploy(local: Cluster) -> list[Object]:
    """Deploy, and return the objects that were applied."""
    done = local.deploy(OVERLAY="local", REVISION="abc123", RELEASE="")
    assert done.returncode == 0, done.stderr
    return local.applied()


def by_name(objects: list[Object], *kinds: str) -> dict[str, Object]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in kinds}


def test_built_image_is_loaded_with_a_tag_made_of_its_id(local: Cluster) -> None:
    deploy(local)
    words = [" ".join(call["words"]) for call in local.calls()]
    docker = [line.partition("/docker ")[2] for line in words if "/docker " in line]
    assert docker == ["image inspect order-service:abc123", f"tag order-service:abc123 {IMAGE}"]
    (kind,) = (line for line in words if "/kind " in line)
    assert kind.endswith(f"/kind load docker-image {IMAGE} --name orders")


@each_variant
def test_backing_services_have_a_generated_password(
    local: Cluster, servers: dict[str, str]
) -> None:
    first = deploy(local)
    calls = (local.programs / "calls").read_text().splitlines()
    processes = {"order-service-web", "order-service-worker"}
    assert by_name(first, "StatefulSet", "Deployment").keys() - processes == set(servers)
    secrets = by_name(first, "Secret")
    assert bool(secrets) == bool(servers)
    if servers:
        values = secrets["order-service-secrets"]["stringData"]
        password = values["password"]
        assert values.keys() == {"password", *servers.values()}
        assert re.fullmatch("[0-9a-f]{64}", password)
        second = by_name(deploy(local), "Secret")["order-service-secrets"]["stringData"]
        assert second["password"] != password
        written = [path for path in local.service.rglob("*") if path.is_file()]
        assert not [path for path in written if password in path.read_text("latin-1")]
        assert not [call for call in calls if password in call.partition('"stdin"')[0]]


def test_existing_password_is_kept(local: Cluster) -> None:
    local.results["get secret order-service-secrets"] = (0, "secret/order-service-secrets")
    assert not by_name(deploy(local), "Secret")


def test_database_is_ready_before_it_is_migrated(local: Cluster) -> None:
    deploy(local)
    commands = [line.partition(" --")[0] for line in local.commands()]
    ready = commands.index("rollout status statefulset/postgres")
    assert commands.index("apply StatefulSet") < ready < commands.index("apply Job")


@pytest.mark.parametrize("context", ["production", "gke_team_europe_orders"])
def test_remote_cluster_is_rejected(local: Cluster, context: str) -> None:
    local.results["config current-context"] = (0, context)
    error = error_of(local.deploy(OVERLAY="local"))
    assert error.startswith(f"OVERLAY=local: the context {context} is not of this machine")
    assert local.commands() == ["config current-context"]


def test_missing_image_is_reported(local: Cluster) -> None:
    local.add("docker", "#!/bin/sh\necho no such image >&2\nexit 1\n")
    error = error_of(local.deploy(OVERLAY="local", REVISION="abc123"))
    assert error == "docker image failed: no such image"
    assert local.commands() == ["config current-context"]


@each_variant
def test_backing_services_are_as_restricted_as_processes(
    local: Cluster, servers: dict[str, str]
) -> None:
    objects = deploy(local)
    for name in servers:
        server = by_name(objects, "StatefulSet", "Deployment")[name]["spec"]
        pod = server["template"]["spec"]
        (container,) = pod["containers"]
        composed = yaml.safe_load((local.service / f"compose/{name}.yaml").read_text())
        assert container["image"] == composed["services"][name]["image"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        privileges = container["securityContext"]
        assert privileges["readOnlyRootFilesystem"]
        assert not privileges["allowPrivilegeEscalation"]
        assert privileges["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        mounted = {one["name"] for one in container["volumeMounts"]}
        claims = {one["metadata"]["name"] for one in server.get("volumeClaimTemplates", [])}
        assert mounted == {one["name"] for one in pod.get("volumes", [])} | claims


@each_variant
def test_only_the_service_may_connect_to_its_backing_services(
    local: Cluster, servers: dict[str, str]
) -> None:
    objects = deploy(local)
    policies, services = by_name(objects, "NetworkPolicy"), by_name(objects, "Service")
    for name in servers:
        server = by_name(objects, "StatefulSet", "Deployment")[name]["spec"]["template"]
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
