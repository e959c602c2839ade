"""`make deploy OVERLAY=local`: an image without a registry, and a generated password."""

import json
import re

import pytest
import yaml

from tests.support.cluster import KUBECTL, Cluster, Object
from tests.support.fake_programs import error_of

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

ID = "fedcba9876543210" * 4
IMAGE = f"order-service:{ID[:12]}"
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
        cluster.add(program, f"sha256:{ID}")
    cluster.responses["config current-context"] = [(0, "kind-orders")]
    return cluster


def deploy(local: Cluster) -> list[Object]:
    """Deploy, and return the objects of the overlay."""
    done = local.make("deploy", OVERLAY="local", REVISION="abc123", RELEASE="")
    assert done.returncode == 0, done.stderr
    return local.objects()


def secret(local: Cluster) -> dict[str, str]:
    """Return the values of the Secret that was created; empty if there was none."""
    created = [call["stdin"] for call in local.calls() if "create" in call["words"]]
    assert len(created) <= 1
    lines = [line for line in "".join(created).splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def by_name(objects: list[Object], *types: str) -> dict[str, Object]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in types}


def test_built_image_is_loaded_with_a_tag_made_of_its_id(local: Cluster) -> None:
    deploy(local)
    commands = local.commands()
    assert f"docker tag order-service:abc123 {IMAGE}" in commands
    assert f"kind load docker-image {IMAGE} --name orders" in commands
    images = re.findall('"image": "(.*?)"', json.dumps(local.objects()))
    assert set(images) == {IMAGE, "postgres:18"}


@each_variant
def test_backing_services_have_a_generated_password(
    local: Cluster, servers: dict[str, str]
) -> None:
    first = deploy(local)
    calls = (local.programs / "calls").read_text().splitlines()
    processes = {"order-service-web", "order-service-worker"}
    assert by_name(first, "StatefulSet", "Deployment").keys() - processes == set(servers)
    values = secret(local)
    assert values.keys() == ({"password", *servers.values()} if servers else set())
    if servers:
        password = values["password"]
        assert re.fullmatch("[0-9a-f]{64}", password)
        if "database_url" in values:
            assert values["database_url"] == f"postgresql://app:{password}@postgres:5432/app"
        deploy(local)
        assert secret(local)["password"] != password
        written = [path for path in local.service.rglob("*") if path.is_file()]
        assert not [path for path in written if password in path.read_text("latin-1")]
        assert not [call for call in calls if password in call.partition('"stdin"')[0]]


def test_existing_password_is_kept(local: Cluster) -> None:
    local.responses["get secret"] = [(0, "secret/order-service-secrets")]
    deploy(local)
    assert secret(local) == {}


def test_database_is_ready_before_it_is_migrated(local: Cluster) -> None:
    deploy(local)
    steps = local.steps()
    ready = steps.index("rollout status order-service-local statefulset")
    (applied,) = (steps.index(each) for each in steps if "StatefulSet/postgres" in each)
    assert applied < ready < steps.index("apply Job/order-service-migrate")


@pytest.mark.parametrize("context", ["production", "gke_team_europe_orders"])
def test_remote_cluster_is_rejected(local: Cluster, context: str) -> None:
    local.responses["config current-context"] = [(0, context)]
    error = error_of(local.make("deploy", OVERLAY="local"))
    assert error.startswith(f"OVERLAY=local: {context} is not a local cluster: kind, ")
    assert not [call for call in local.calls() if "apply" in call["words"]]


def test_missing_image_is_reported(local: Cluster) -> None:
    local.add("docker")
    error = error_of(local.make("deploy", OVERLAY="local", REVISION="abc123"))
    assert error == "OVERLAY=local: there is no image order-service:abc123; run make image first"
    assert not [call for call in local.calls() if "apply" in call["words"]]


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
