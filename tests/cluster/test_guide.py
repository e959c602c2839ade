"""The commands of deploy/README.md run as they are printed there, in order.

The placeholders are replaced: the release, the public URLs and the subject in access.yaml. `kind`
is not run, since the cluster exists already.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import cluster_registry
from tests.support.cluster_guide import DATABASE, SERVICE, Guide, kubernetes_access, repeated
from tests.support.containers import docker
from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import (
    Object,
    attempt,
    create_namespace,
    delete_namespaces,
    get,
    kubectl,
    load_image,
    terminates,
    until,
)
from tests.support.running import free_ports

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize("rendered_service", ["guide"], indirect=True, scope="session"),
]

QUICK = """
  - target: {kind: Deployment}
    patch: |-
      - {op: replace, path: /spec/minReadySeconds, value: 0}
      - {op: remove, path: /spec/template/spec/containers/0/lifecycle}
      - {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: 50m}
  - target: {kind: HorizontalPodAutoscaler}
    patch: |-
      - {op: replace, path: /spec/maxReplicas, value: 4}
"""
"""Patches that shorten rollouts and leave CPU to other services; these pods are not under load."""
CI_USER = "system:serviceaccount:ci:default"
"""The cluster trusts tokens of service accounts, as it would trust those of a CI system."""


@pytest.fixture(scope="module")
def releases(
    built_service: Deployed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Publish two releases to a registry, from which the cluster pulls them."""
    address, found = f"127.0.0.1:{free_ports(1)[0]}", {}
    image = f"{address}/team/{built_service.name}"
    with cluster_registry.running(tmp_path_factory.mktemp("registry"), address) as copy_to_node:
        for name in ("one", "two"):
            built_service.must_make("image", "publish", IMAGE=image, REVISION=name)
            found[name] = (built_service.folder / ".reports/release").read_text().strip()
        copy_to_node()
        yield found


@pytest.fixture(scope="module")
def guide(built_service: Deployed, releases: dict[str, str], busybox: None) -> Iterator[Guide]:
    """Run the commands."""
    del busybox
    guide = Guide(built_service, kubernetes_access(), releases)
    local, probe, kind, access, secret, deploy, *operation = guide.blocks()
    assert kind == [f"kind delete cluster --name {built_service.name}"]
    forward = local.pop()
    create_namespace("database")
    for objects in (DATABASE, SERVICE):
        kubectl("--namespace=database", "apply", "--filename=-", stdin=json.dumps(objects))
    try:
        guide.run(local[1:])
        with repeated(
            forward,
            forward.replace("-local", "-staging").replace("8000", "8001"),
            forward.replace("-local", "-production").replace("8000", "8002"),
            cwd=built_service.folder,
        ):
            guide.run(probe)
            prepare(built_service.folder)
            for overlay in ("staging", "production"):
                for block in (access, secret):
                    guide.run([line.replace("staging", overlay) for line in block])
            guide.run(deploy)
            built_service.must_make("deploy", OVERLAY="production", RELEASE=releases["two"])
            for block in operation:
                wait_for_pods(guide.namespace("production"))
                guide.run(block)
            yield guide
    finally:
        delete_namespaces(
            "database", "ci", *(guide.namespace(o) for o in ("staging", "production"))
        )


@pytest.fixture(scope="module")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Provide an image with a shell where busybox cannot be pulled."""
    folder = tmp_path_factory.mktemp("busybox")
    (folder / "Dockerfile").write_text('FROM python:3.14-slim\nCMD ["sh"]\n')
    docker("build", "--quiet", "--tag=busybox:1", str(folder))
    load_image("busybox:1")
    yield
    docker("image", "rm", "busybox:1")


def wait_for_pods(namespace: str) -> None:
    """Wait until the previous command has replaced all pods."""
    kubectl(f"--namespace={namespace}", "rollout", "status", "deployment", "--timeout=60s")
    until(
        lambda: [terminates(pod) for pod in get("pods", f"--namespace={namespace}")],
        lambda found: True not in found,
    )


def prepare(service: Path) -> None:
    """Do what the page describes: the subject of CI, and a Secret without an operator."""
    access = service / "deploy/access.yaml"
    access.write_text(access.read_text().replace("ci:SUBJECT", CI_USER))
    for overlay in ("staging", "production"):
        file = service / f"deploy/overlays/{overlay}/kustomization.yaml"
        text = file.read_text()
        assert "  - ../../components/external-secrets\n" in text
        text = text.replace("  - ../../components/external-secrets\n", "")
        assert "    literals: [" in text
        file.write_text(text.replace("    literals: [", "    literals: [DRAIN_SECONDS=1, ") + QUICK)
    (service / "secrets").mkdir()
    url = "postgresql://app:password@postgres.database:5432/app"
    (service / "secrets/database_url").write_text(url)


def test_every_command_has_its_effect(guide: Guide) -> None:
    for path in ("/livez", "/readyz", "/version"):
        for port in ("8000", "8001", "8002"):
            assert f"http://localhost:{port}{path}: ok" in "".join(guide.outputs.values())
    assert guide.printed_by("logs deployment").count('"event"')
    # Without a terminal, it may run on.
    (state,) = until(
        lambda: debug_containers(guide.namespace("production")),
        lambda states: states != [] and "waiting" not in states[0],
    )
    assert state.keys() == {"running"} or state["terminated"]["exitCode"] == 0


def debug_containers(namespace: str) -> list[Object]:
    """Return the states of containers that were added to pods."""
    statuses = [pod["status"] for pod in get("pods", f"--namespace={namespace}")]
    return [c["state"] for each in statuses for c in each.get("ephemeralContainerStatuses", [])]


def test_the_release_is_that_of_the_registry(guide: Guide) -> None:
    for overlay in ("staging", "production"):
        found = kubectl(
            f"--namespace={guide.namespace(overlay)}",
            "get",
            "pods",
            "--selector=app.kubernetes.io/component=web",
            "--output=jsonpath={.items[*].spec.containers[*].image}",
        )
        assert set(found.split()) == {guide.releases["one"]}


@pytest.mark.parametrize(
    ("arguments", "namespace"),
    [
        ("get secrets", "staging"),
        ("get pods", "local"),
        ("get configmaps", "local"),
        ("get namespaces", ""),
        ("delete deployment/orders-guide-web", "staging"),
        ("exec deployment/orders-guide-web -- python --version", "staging"),
        ("create rolebinding more --clusterrole=admin --user=me", "staging"),
        ("create token default", "staging"),
        ("run other --image=other", "staging"),
    ],
)
def test_ci_may_do_no_more_than_deploy(guide: Guide, arguments: str, namespace: str) -> None:
    access = [f"--as={CI_USER}", f"--namespace={guide.namespace(namespace)}"]
    done = attempt(*access, *arguments.split())
    assert done.returncode != 0, done.stdout
    assert "(Forbidden)" in done.stderr or "forbidden" in done.stderr
