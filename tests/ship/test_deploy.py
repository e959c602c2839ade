"""`make deploy` applies a release in order, and rejects an invalid one, with a fake cluster."""

import json

import pytest

from tests.support.cluster import FAILED, IMAGE, KUBECTL, RELEASE, Cluster, error_of
from tests.support.template import files_of

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

each_variant = pytest.mark.parametrize(
    "deployable",
    [{}, {"database": "none"}, {"database": "mongodb"}, {"worker": True, "redis": True}],
    ids=["default", "bare", "mongodb", "full"],
    indirect=True,
)
STAGING = {"OVERLAY": "staging", "RELEASE": RELEASE}


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"OVERLAY": ""}, "OVERLAY is not set; there are local, production, staging"),
        ({"OVERLAY": "prod"}, "OVERLAY=prod: there is no such overlay; there are local, prod"),
        ({"OVERLAY": "../base"}, "OVERLAY=../base: there is no such overlay"),
        ({"RELEASE": ""}, "RELEASE is not set"),
        ({"RELEASE": f"{IMAGE}:latest"}, f"RELEASE={IMAGE}:latest: a tag"),
        ({"RELEASE": f"{IMAGE}@sha256:12"}, "give IMAGE@sha256:"),
        ({"CLUSTER_SERVER": "http://10.0.0.1"}, "CLUSTER_SERVER=http://10.0.0.1"),
        ({"CLUSTER_SERVER": "https://10.0.0.1", "CLUSTER_CA": "!"}, "CLUSTER_CA is "),
    ],
)
def test_invalid_arguments_are_rejected(
    cluster: Cluster, variables: dict[str, str], error: str
) -> None:
    assert error in error_of(cluster.deploy(**STAGING | variables))
    assert cluster.calls() == []


def test_default_release_is_the_last_published_one(cluster: Cluster) -> None:
    (cluster.service / ".reports").mkdir(exist_ok=True)
    (cluster.service / ".reports" / "release").write_text(f"{RELEASE}\n")
    done = cluster.deploy(OVERLAY="staging")
    assert done.returncode == 0, done.stderr
    assert f"{RELEASE} to staging" in done.stdout


@each_variant
def test_objects_are_applied_in_order(cluster: Cluster) -> None:
    done = cluster.deploy(OVERLAY="production", RELEASE=RELEASE)
    assert done.returncode == 0, done.stderr
    commands = [line.partition("@")[0] for line in cluster.commands()]
    applies = [line for line in commands if line.startswith("apply")]
    assert "Namespace" in applies[0]
    assert not any(kind in applies[0] for kind in ("Deployment", "Job"))
    assert "Deployment" in applies[-1]
    if (cluster.service / "deploy/base/migrate.yaml").exists():
        assert applies[1] == "apply Job"
        before, after = (line for line in commands if line.startswith("get job/"))
        assert commands.index(before) < commands.index("apply Job") < commands.index(applies[-1])
        assert before == after
        assert before.startswith("get job/order-service-migrate-0123456789ab-")
        assert "wait externalsecret/order-service-secrets" in commands
    assert commands[-1].startswith("rollout status deployment/order-service-")


@each_variant
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_each_process_runs_the_release_and_is_labelled_with_it(
    cluster: Cluster, overlay: str
) -> None:
    before = {path: (cluster.service / path).read_bytes() for path in files_of(cluster.service)}
    assert cluster.deploy(OVERLAY=overlay, RELEASE=RELEASE).returncode == 0
    workloads = {"Deployment", "Job", "CronJob"}
    processes = [found for found in cluster.applied() if found["kind"] in workloads]
    assert processes
    for found in processes:
        assert found["metadata"]["labels"]["app.kubernetes.io/version"] == "0123456789ab"
        assert json.dumps(found).count('"app.kubernetes.io/version": "0123456789ab"') == 2
        assert f'"image": "{RELEASE}"' in json.dumps(found)
        assert json.dumps(found).count('"image":') == 1
    new = files_of(cluster.service) - before.keys()
    assert all(path.startswith(".reports/") for path in new)
    assert all((cluster.service / path).read_bytes() == text for path, text in before.items())


def test_existing_namespace_is_not_changed(cluster: Cluster) -> None:
    cluster.results["get namespace/"] = (0, "namespace/order-service-staging")
    assert cluster.deploy(**STAGING).returncode == 0
    assert "Namespace" not in {found["kind"] for found in cluster.applied()}


def test_other_image_in_an_overlay_is_rejected(cluster: Cluster) -> None:
    cluster.edit(
        "deploy/base/pod.yaml",
        "      volumes:\n",
        "      initContainers: [{name: other, image: 'busybox:1'}]\n      volumes:\n",
    )
    done = cluster.deploy(**STAGING)
    assert done.returncode == 1
    for line in done.stderr.splitlines():
        assert line.startswith("OVERLAY=staging: ")
        assert line.endswith(f"runs busybox:1, and not {RELEASE}")
    assert cluster.calls() == []


def test_overlay_without_the_image_of_the_service_is_rejected(cluster: Cluster) -> None:
    for file in ("pod.yaml", "cleanup.yaml"):
        cluster.edit(f"deploy/base/{file}", 'image: "order-service"', f'image: "{IMAGE}:latest"')
    done = cluster.deploy(**STAGING)
    assert "nothing in it runs the image that it calls order-service" in done.stderr
    assert f"deployment/order-service-web runs {IMAGE}:latest" in done.stderr
    assert cluster.calls() == []


def test_missing_secret_is_rejected(cluster: Cluster) -> None:
    cluster.edit(
        "deploy/overlays/staging/kustomization.yaml", "  - ../../components/external-secrets\n", ""
    )
    error = error_of(cluster.deploy(**STAGING))
    assert error.startswith("Secret order-service-secrets is not in the cluster; without it: ")
    assert "deployment/order-service-web" in error
    assert "job/order-service-migrate-" in error
    assert cluster.commands() == ["get secret order-service-secrets"]
    cluster.results["get secret order-service-secrets"] = (0, "secret/order-service-secrets")
    assert cluster.deploy(**STAGING).returncode == 0


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("kind: NetworkPolicy", "kubectl apply --server-side: no"),
        ("wait externalsecret/", "kubectl wait externalsecret/order-service-secrets: no"),
        ("kind: Job", "kubectl apply --server-side: no"),
        ("kind: Deployment", "kubectl apply --server-side: no"),
        ("rollout status", "did not come up: no; the pods of the release before still serve"),
    ],
)
def test_failure_stops_the_deployment(cluster: Cluster, step: str, error: str) -> None:
    cluster.results[step] = (1, "E1122 01:18:17.607993 1 memcache.go:265] noise\nno\nno")
    assert error in error_of(cluster.deploy(**STAGING))
    last = cluster.calls()[-1]
    assert " ".join(last["words"]).startswith(step) or step in last["stdin"]


def test_failed_migration_prints_its_log_and_changes_no_process(cluster: Cluster) -> None:
    cluster.results |= {"get job/": (0, FAILED), "logs job/": (0, "relation is missing")}
    done = cluster.deploy(**STAGING)
    assert "failed, its log is above; no process was changed" in error_of(done)
    assert "relation is missing" in done.stdout
    commands = cluster.commands()
    assert "Deployment" not in {found["kind"] for found in cluster.applied()}
    # The Job had failed before: it is deleted, because an unchanged Job does not run again.
    assert [line.split()[0] for line in commands[-5:]] == ["get", "delete", "apply", "get", "logs"]
    assert commands[-1].startswith("logs job/order-service-migrate-")


def test_changed_settings_create_another_job(cluster: Cluster) -> None:
    def job() -> str:
        assert cluster.deploy(**STAGING).returncode == 0
        return next(line for line in cluster.commands() if line.startswith("get job/"))

    first = job()
    assert job() == first
    cluster.edit("deploy/base/settings.env", "DRAIN_SECONDS=5", "DRAIN_SECONDS=6")
    assert job() != first
