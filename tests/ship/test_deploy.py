"""`make deploy` checks a release before it applies anything, and applies it step by step."""

import json
import re

import pytest

from tests.support.cluster import IMAGE, KUBECTL, RELEASE, Cluster
from tests.support.fake_programs import error_of
from tests.support.template import files_of

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

ALL = {"worker": True, "redis": True}
in_variants = pytest.mark.parametrize(
    "deployable",
    [{}, {"database": "none", "ci": "none", "release": False}, {"database": "mongodb"}, ALL],
    ids=["default", "bare", "mongodb", "full"],
    indirect=True,
)
PROCESSES = {"Deployment", "Job", "CronJob"}
VERSION = "app.kubernetes.io/version"
CRASHED = "CrashLoopBackOff"


@pytest.mark.parametrize(
    ("overlay", "release", "error"),
    [
        ("", RELEASE, "OVERLAY=: there is no such overlay; there are local production staging"),
        ("prod", RELEASE, "OVERLAY=prod: there is no such overlay"),
        ("../base", RELEASE, "OVERLAY=../base: there is no such overlay"),
        ("staging", "", "RELEASE=: give IMAGE@sha256:…"),
        ("staging", f"{IMAGE}:latest", f"RELEASE={IMAGE}:latest: give IMAGE@sha256:…; a tag can"),
        ("staging", f"{IMAGE}@sha256:12", "give IMAGE@sha256:…"),
        ("staging", "$(shell touch pwned)@sha256:12", "RELEASE=$(shell touch pwned)@sha256:12:"),
    ],
)
def test_invalid_arguments_are_rejected(
    cluster: Cluster, overlay: str, release: str, error: str
) -> None:
    assert error in error_of(cluster.make("deploy", OVERLAY=overlay, RELEASE=release))
    assert cluster.calls() == []
    assert not (cluster.service / "pwned").exists()


def test_the_default_release_is_the_last_published_one(cluster: Cluster) -> None:
    (cluster.service / ".reports").mkdir()
    (cluster.service / ".reports" / "release").write_text(f"{RELEASE}\n")
    done = cluster.make("deploy", OVERLAY="staging", RELEASE="")
    assert done.returncode == 0, done.stderr
    assert f"Deploying {RELEASE} to order-service-staging" in done.stdout


@in_variants
def test_a_release_is_applied_in_order(cluster: Cluster) -> None:
    done = cluster.make("deploy", OVERLAY="production", RELEASE=RELEASE)
    assert done.returncode == 0, done.stderr
    base, steps = cluster.service / "deploy/base", cluster.steps()
    namespace, needed, *processes = (step for step in steps if step.startswith("apply "))
    assert steps.index(namespace) == 2  # All resource types exist; the namespace does not.
    assert namespace == "apply Namespace/order-service-production"
    assert not [kind for kind in PROCESSES if f" {kind}/" in needed]
    assert processes == [
        *(["apply Job/order-service-migrate"] if (base / "migrate.yaml").exists() else []),
        "apply Deployment/order-service-web",
        *(["apply Deployment/order-service-worker"] if (base / "worker.yaml").exists() else []),
        *(["apply CronJob/order-service-cleanup"] if (base / "cleanup.yaml").exists() else []),
    ]
    rollout = "rollout status order-service-production deployment.apps/order-service-"
    finished = [
        steps.index(step) for step in steps if step.startswith((rollout, "wait order-service-"))
    ]
    applied = [steps.index(process) for process in processes if "CronJob" not in process]
    assert [finish - start for start, finish in zip(applied, finished, strict=True)] == [1] * len(
        applied
    )


@pytest.mark.parametrize("step", ["wait externalsecret", "delete job"])
def test_the_migration_waits_for_the_secret_and_replaces_the_previous_job(
    cluster: Cluster, step: str
) -> None:
    assert cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0
    steps = cluster.steps()
    (before,) = (each for each in steps if each.startswith(step))
    assert steps.index(before) < steps.index("apply Job/order-service-migrate")


@in_variants
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_every_process_runs_the_release_and_is_labelled_with_it(
    cluster: Cluster, overlay: str
) -> None:
    before = {path: (cluster.service / path).read_bytes() for path in files_of(cluster.service)}
    done = cluster.make("deploy", OVERLAY=overlay, RELEASE=RELEASE)
    assert done.returncode == 0, done.stderr
    labelled = [each for each in cluster.objects() if VERSION in json.dumps(each)]
    assert {each["kind"] for each in labelled} <= PROCESSES
    assert {each["kind"] for each in cluster.objects()} & PROCESSES
    for each in cluster.objects():
        if each["kind"] in PROCESSES:
            assert each["metadata"]["labels"][VERSION] == "0123456789ab"
            assert json.dumps(each).count(f'"{VERSION}": "0123456789ab"') == 2
            assert json.dumps(each).count(f'"image": "{RELEASE}"') == 1
            assert json.dumps(each).count('"image":') == 1
    after = files_of(cluster.service)
    assert {path for path in after - before.keys() if not path.startswith(".reports/")} == set()
    assert all((cluster.service / path).read_bytes() == text for path, text in before.items())


def test_an_existing_namespace_is_not_changed(cluster: Cluster) -> None:
    cluster.responses["get namespace"] = [(0, "namespace/order-service-staging")]
    assert cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0
    assert not [step for step in cluster.steps() if "apply Namespace" in step]


def test_other_images_are_rejected(cluster: Cluster) -> None:
    other = "      initContainers: [{name: other, image: 'busybox:1'}]\n      volumes:\n"
    cluster.edit("deploy/base/pod.yaml", "      volumes:\n", other)
    error = error_of(cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE))
    assert f"runs other images than {RELEASE}: busybox:1 {RELEASE}" in error
    assert cluster.calls() == []


def test_an_overlay_without_a_namespace_is_rejected(cluster: Cluster) -> None:
    overlay = "deploy/overlays/staging/kustomization.yaml"
    cluster.edit(overlay, "namespace: order-service-staging\n", "")
    error = error_of(cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE))
    assert error == "OVERLAY=staging: its kustomization.yaml has no namespace"
    assert cluster.calls() == []


def test_a_missing_resource_type_is_reported_before_anything_is_applied(cluster: Cluster) -> None:
    missing = 'no matches for kind "HTTPRoute" in version "gateway.networking.k8s.io/v1"'
    cluster.responses["get --filename"] = [(1, missing)]
    error = error_of(cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE))
    assert error.startswith(f"{missing}\nOVERLAY=staging: the cluster rejects these objects")
    assert [step.split()[0] for step in cluster.steps()] == ["get"]


def test_a_missing_secret_is_reported_before_anything_is_applied(cluster: Cluster) -> None:
    overlay = "deploy/overlays/staging/kustomization.yaml"
    cluster.edit(overlay, "  - ../../components/external-secrets\n", "")
    cluster.responses["get secret"] = [(1, "not found"), (0, "secret/order-service-secrets")]
    error = error_of(cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE))
    assert "Create the Secret order-service-secrets in the namespace order-service-staging" in error
    assert not [step for step in cluster.steps() if step.startswith("apply")]
    del cluster.responses["get secret"]
    assert cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE).returncode == 0


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("apply .*!app", "denied"),
        ("wait externalsecret", "denied\nThe External Secrets Operator did not create the Secret"),
        ("apply .*=migrate", "denied"),
        ("apply .*--dry-run", "denied"),
        ("apply .*=web", "denied"),
    ],
)
def test_the_first_failure_ends_a_deployment(cluster: Cluster, step: str, error: str) -> None:
    cluster.responses[step] = [(1, "denied")]
    assert error in error_of(cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE))
    # After the Secret, only the reason why it does not exist is read.
    last = " ".join(cluster.calls()[-1]["words"])
    assert re.search(step.replace("wait", "get"), last)


def test_the_reason_of_an_external_secret_is_printed(cluster: Cluster) -> None:
    cluster.responses["wait externalsecret"] = [(1, "timed out")]
    cluster.responses["get externalsecret"] = [(0, "could not get provider client")]
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert done.returncode != 0
    assert "could not get provider client" in done.stdout


@pytest.mark.parametrize("state", ["Failed", CRASHED, "ImagePullBackOff"])
def test_a_failed_migration_prints_its_log_and_changes_no_process(
    cluster: Cluster, state: str
) -> None:
    cluster.responses["wait .*job/"] = [(1, "error: timed out waiting for the condition")]
    cluster.responses["get pods,jobs"] = [(0, ""), (0, state)]
    cluster.responses["logs"] = [(0, "relation does not exist")]
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert error_of(done) == "The migration failed; no process was changed"
    assert "relation does not exist" in done.stdout
    commands = [step.split()[0] for step in cluster.steps()]
    assert commands[-6:] == ["wait", "get", "wait", "get", "get", "logs"]


@pytest.mark.parametrize("deployable", [ALL], ids=["full"], indirect=True)
def test_a_crash_loop_ends_early_with_its_reason_and_changes_no_other_process(
    cluster: Cluster,
) -> None:
    cluster.responses["rollout status .*-web"] = [(1, "waiting\nerror: timed out")]
    cluster.responses["get pods,jobs"] = [(0, CRASHED)]
    cluster.responses["get pods .*range"] = [(0, f"web-1: Running {CRASHED} invalid configuration")]
    cluster.responses["logs"] = [(0, "DATABASE_URL is missing")]
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE)
    error = error_of(done)
    assert error.startswith("deployment.apps/order-service-web did not become ready; pods of the")
    for text in ("error: timed out", "invalid configuration", "DATABASE_URL is missing"):
        assert text in done.stdout
    assert len([step for step in cluster.steps() if step.startswith("rollout")]) == 1
    assert "apply Deployment/order-service-worker" not in cluster.steps()


def test_a_slow_start_is_waited_for(cluster: Cluster) -> None:
    cluster.responses["rollout status"] = [(1, "error: timed out"), (0, "successfully rolled out")]
    done = cluster.make("deploy", OVERLAY="staging", RELEASE=RELEASE)
    assert done.returncode == 0, done.stderr
    assert "successfully rolled out" in done.stdout
