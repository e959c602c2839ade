"""The API server accepts every overlay, under the Pod Security Standard `restricted`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kubernetes_cluster import (
    attempt,
    create_namespace,
    get,
    kubectl,
    until,
)

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize(
        "rendered_service", ["plain", "worker", "mongodb"], indirect=True, scope="session"
    ),
    pytest.mark.parametrize("overlay", ["staging", "production"]),
]


@pytest.fixture
def namespace(rendered_service: Path, overlay: str) -> Iterator[str]:
    name = f"{rendered_service.name}-{overlay}-admission"
    create_namespace(name)
    yield name
    kubectl("delete", "namespace", name)  # Waits until no pod requests CPU any more.


def test_overlays_are_applied_without_warnings(
    rendered_service: Path, overlay: str, namespace: str
) -> None:
    """The cluster stores custom resources without their controllers; the image does not exist."""
    folder = rendered_service / "deploy/overlays" / overlay
    file = folder / "kustomization.yaml"
    original = file.read_text()
    file.write_text(original.replace(f"{rendered_service.name}-{overlay}\n", f"{namespace}\n"))
    apply = ["apply", "--server-side", "--force-conflicts", "--kustomize", str(folder)]
    for options in (["--dry-run=server"], []):
        done = attempt(*apply, *options)
        assert (done.returncode, done.stderr) == (0, "")
    file.write_text(original)
    types = "deployments,jobs,httproutes,externalsecrets"
    stored = {each["kind"] for each in get(types, f"--namespace={namespace}")}
    assert stored == {"Deployment", "Job", "HTTPRoute", "ExternalSecret"}
    expected = {"web", "migrate"} | ({"worker"} if rendered_service.match("*-worker") else set())
    until(lambda: components(namespace), lambda found: found == expected)
    pod = '{"spec": {"hostNetwork": true}}'
    options = ["--image=other", "--restart=Never", f"--overrides={pod}"]
    rejected = attempt(f"--namespace={namespace}", "run", "other", *options)
    assert "violates PodSecurity" in rejected.stderr


def components(namespace: str) -> set[str]:
    pods = get("pods", f"--namespace={namespace}")
    return {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods}
