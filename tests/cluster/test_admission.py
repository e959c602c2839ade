"""The API server accepts every overlay, under the Pod Security Standard `restricted`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import (
    attempt,
    create_namespace,
    delete_namespaces,
    get,
    until,
)

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize(
        "rendered_service", ["plain", "worker", "mongodb"], indirect=True, scope="session"
    ),
]
OVERLAYS = ("staging", "production")


@pytest.fixture
def namespaces(rendered_service: Path) -> Iterator[dict[str, str]]:
    """Return a namespace for each overlay."""
    names = {overlay: f"{rendered_service.name}-{overlay}-admission" for overlay in OVERLAYS}
    for name in names.values():
        create_namespace(name)
    yield names
    delete_namespaces(*names.values())


def test_overlays_are_applied_without_warnings(
    rendered_service: Path, namespaces: dict[str, str]
) -> None:
    """The cluster stores custom resources without their controllers; the image does not exist."""
    for overlay, namespace in namespaces.items():
        file = rendered_service / "deploy/overlays" / overlay / "kustomization.yaml"
        original = file.read_text()
        file.write_text(original.replace(f"{rendered_service.name}-{overlay}\n", f"{namespace}\n"))
        apply = ["apply", "--server-side", "--force-conflicts", "--kustomize", str(file.parent)]
        for options in (["--dry-run=server"], []):
            done = attempt(*apply, *options)
            assert (done.returncode, done.stderr) == (0, "")
        file.write_text(original)
        types = "deployments,jobs,httproutes,externalsecrets"
        stored = {each["kind"] for each in get(types, f"--namespace={namespace}")}
        assert stored == {"Deployment", "Job", "HTTPRoute", "ExternalSecret"}
    expected = {"web", "migrate"} | ({"worker"} if rendered_service.match("*-worker") else set())
    for namespace in namespaces.values():
        until(partial(components, namespace), lambda found: found == expected)


def test_pods_with_privileges_are_rejected(deployed: Deployed) -> None:
    pod = '{"spec": {"hostNetwork": true}}'
    options = ["--image=other", "--restart=Never", f"--overrides={pod}"]
    rejected = attempt(f"--namespace={deployed.namespace}", "run", "other", *options)
    assert "violates PodSecurity" in rejected.stderr


def components(namespace: str) -> set[str]:
    pods = get("pods", f"--namespace={namespace}")
    return {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods}
