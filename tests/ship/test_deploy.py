"""A release reaches a cluster in order, and nothing does that should not: by its real programs."""

import json

import pytest
import yaml

from tests.support.cluster import (
    FAILED,
    IMAGE,
    KUBECTL,
    RELEASE,
    Cluster,
    one_line,
)
from tests.support.template import files_of

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

ALL = {"worker": True, "redis": True}
everywhere = pytest.mark.parametrize(
    "deployable",
    [{}, {"database": "none"}, {"database": "mongodb"}, ALL],
    ids=["default", "bare", "mongodb", "full"],
    indirect=True,
)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "OVERLAY is not set; there are local, production, staging"),
        (
            {"OVERLAY": "prod"},
            "OVERLAY=prod: there is no such overlay; there are local, production",
        ),
        ({"OVERLAY": "../base"}, "OVERLAY=../base: there is no such overlay"),
        ({"OVERLAY": "staging", "RELEASE": ""}, "RELEASE is not set"),
        (
            {"OVERLAY": "staging", "RELEASE": f"{IMAGE}:latest"},
            f"RELEASE={IMAGE}:latest: a tag",
        ),
        ({"OVERLAY": "staging", "RELEASE": f"{IMAGE}@sha256:12"}, "give IMAGE@sha256:"),
        (
            {"OVERLAY": "staging", "CLUSTER_SERVER": "http://10.0.0.1"},
            "CLUSTER_SERVER=http://10.0.0.1",
        ),
        (
            {"OVERLAY": "staging", "CLUSTER_SERVER": "https://10.0.0.1", "CLUSTER_CA": "!"},
            "CLUSTER_CA is no base64",
        ),
    ],
)
def test_what_cannot_be_deployed_is_refused(
    cluster: Cluster, variables: dict[str, str], said: str
) -> None:
    assert said in one_line(cluster.run("deploy", **{"RELEASE": RELEASE} | variables))
    assert cluster.calls() == []


def test_what_was_published_last_is_deployed(cluster: Cluster) -> None:
    (cluster.service / ".reports").mkdir(exist_ok=True)
    (cluster.service / ".reports" / "release").write_text(f"{RELEASE}\n")
    done = cluster.run("deploy", OVERLAY="staging")
    assert done.returncode == 0, done.stderr
    assert f"{RELEASE} to staging" in done.stdout


@everywhere
def test_a_release_arrives_in_order(cluster: Cluster) -> None:
    done = cluster.run("deploy", OVERLAY="production", RELEASE=RELEASE)
    assert done.returncode == 0, done.stderr
    asked = [line.partition("@")[0] for line in cluster.asked()]
    applies = [line for line in asked if line.startswith("apply")]
    assert "Namespace" in applies[0]
    assert not any(kind in applies[0] for kind in ("Deployment", "Job"))
    assert "Deployment" in applies[-1]
    if (cluster.service / "deploy/base/migrate.yaml").exists():
        assert applies[1] == "apply Job"
        (name, again) = (line for line in asked if line.startswith("get job/"))
        assert asked.index(name) < asked.index("apply Job") < asked.index(applies[-1])
        assert name == again == f"get {name.split()[1]}"
        assert name.startswith("get job/order-service-migrate-0123456789ab-")
        assert "wait externalsecret/order-service-secrets" in asked
    assert asked[-1].startswith("rollout status deployment/order-service-")


@everywhere
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_every_process_runs_that_release_and_says_so(cluster: Cluster, overlay: str) -> None:
    before = {path: (cluster.service / path).read_bytes() for path in files_of(cluster.service)}
    assert cluster.run("deploy", OVERLAY=overlay, RELEASE=RELEASE).returncode == 0
    said = [yaml.safe_load_all(call["said"]) for call in cluster.calls()]
    objects = [found for documents in said for found in documents if found]
    processes = [found for found in objects if found["kind"] in {"Deployment", "Job", "CronJob"}]
    assert processes
    for found in processes:
        assert found["metadata"]["labels"]["app.kubernetes.io/version"] == "0123456789ab"
        assert json.dumps(found).count('"app.kubernetes.io/version": "0123456789ab"') == 2
        assert f'"image": "{RELEASE}"' in json.dumps(found)
        assert json.dumps(found).count('"image":') == 1
    after = files_of(cluster.service)
    assert {path for path in after - before.keys() if not path.startswith(".reports/")} == set()
    assert all((cluster.service / path).read_bytes() == text for path, text in before.items())


def test_a_namespace_that_is_there_is_not_changed(cluster: Cluster) -> None:
    cluster.answers["get namespace/"] = (0, "namespace/order-service-staging")
    assert cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0
    assert not [line for line in cluster.asked() if "apply" in line and "Namespace" in line]


def test_another_image_in_an_overlay_is_refused(cluster: Cluster) -> None:
    cluster.edit(
        "deploy/base/pod.yaml",
        "      volumes:\n",
        "      initContainers: [{name: other, image: 'busybox:1'}]\n      volumes:\n",
    )
    done = cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert done.returncode == 1
    for line in done.stderr.splitlines():
        assert line.startswith("OVERLAY=staging: ")
        assert line.endswith(f"runs busybox:1, and not {RELEASE}")
    assert cluster.calls() == []


def test_an_overlay_that_names_the_image_otherwise_is_refused(cluster: Cluster) -> None:
    for file in ("pod.yaml", "cleanup.yaml"):
        cluster.edit(f"deploy/base/{file}", 'image: "order-service"', f'image: "{IMAGE}:latest"')
    done = cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert "nothing in it runs the image that it calls order-service" in done.stderr
    assert f"deployment/order-service-web runs {IMAGE}:latest" in done.stderr
    assert cluster.calls() == []


def test_a_secret_that_is_nowhere_is_named(cluster: Cluster) -> None:
    cluster.edit(
        "deploy/overlays/staging/kustomization.yaml", "  - ../../components/external-secrets\n", ""
    )
    line = one_line(cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE))
    assert line.startswith("Secret order-service-secrets is not in the cluster; without it: ")
    assert "deployment/order-service-web" in line
    assert "job/order-service-migrate-" in line
    assert cluster.asked() == ["get secret order-service-secrets"]
    cluster.answers["get secret order-service-secrets"] = (0, "secret/order-service-secrets")
    assert cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("kind: NetworkPolicy", "kubectl apply --server-side: no"),
        ("wait externalsecret/", "kubectl wait externalsecret/order-service-secrets: no"),
        ("kind: Job", "kubectl apply --server-side: no"),
        ("kind: Deployment", "kubectl apply --server-side: no"),
        ("rollout status", "did not come up: no; the pods of the release before still serve"),
    ],
)
def test_nothing_is_asked_after_a_failure(cluster: Cluster, step: str, said: str) -> None:
    cluster.answers[step] = (1, "E1122 01:18:17.607993 1 memcache.go:265] noise\nno\nno")
    assert said in one_line(cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE))
    last = cluster.calls()[-1]
    assert " ".join(last["words"]).startswith(step) or step in last["said"]


def test_a_migration_that_fails_shows_its_log_and_changes_no_process(cluster: Cluster) -> None:
    cluster.answers |= {"get job/": (0, FAILED), "logs job/": (0, "relation is missing")}
    done = cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert "failed, its log is above; no process was changed" in one_line(done)
    assert "relation is missing" in done.stdout
    asked = cluster.asked()
    assert asked[-1].startswith("logs job/order-service-migrate-")
    assert not [line for line in asked if "Deployment" in line]
    # It had failed before, too: what is the same would not be run again.
    assert [line.split()[0] for line in asked[-5:]] == ["get", "delete", "apply", "get", "logs"]


def test_other_settings_are_another_job(cluster: Cluster) -> None:
    def job() -> str:
        assert cluster.run("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0
        return next(line for line in cluster.asked() if line.startswith("get job/"))

    first = job()
    assert job() == first
    cluster.edit("deploy/base/settings.env", "DRAIN_SECONDS=5", "DRAIN_SECONDS=6")
    assert job() != first
