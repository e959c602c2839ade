"""No request fails while pods of a deployed service are replaced."""

import subprocess

import pytest

from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import get, kubectl

pytestmark = pytest.mark.cluster

every_variant = pytest.mark.parametrize(
    "rendered_service", ["plain", "worker", "mongodb"], indirect=True, scope="session"
)
plain = pytest.mark.parametrize("rendered_service", ["plain"], indirect=True, scope="session")
TWO_REPLICAS = """
  - target: {kind: HorizontalPodAutoscaler}
    patch: |-
      - {op: replace, path: /spec/maxReplicas, value: 2}
"""


@pytest.fixture(scope="session")
def stable(deployed: Deployed) -> Deployed:
    """Return a service whose autoscaler leaves two replicas, whatever the load."""
    overlay = deployed.folder / "deploy/overlays/local/kustomization.yaml"
    overlay.write_text(f"{overlay.read_text()}patches:{TWO_REPLICAS}")
    return deployed


def deploy_under_load(service: Deployed, step: str, revision: str) -> None:
    with service.load(step) as load:
        service.deploy(revision)
        service.until_ready(2)
    load.assert_none_failed()
    assert service.request("GET", "/version")[1]["revision"] == revision


@every_variant
def test_no_request_fails_during_an_update(stable: Deployed) -> None:
    deploy_under_load(stable, "Rolling update", "two")


@plain
def test_no_request_fails_during_a_rollback(stable: Deployed) -> None:
    deploy_under_load(stable, "Rollback", "one")


@plain
def test_no_request_fails_while_pods_are_deleted(stable: Deployed) -> None:
    with stable.load("Deletion of each pod") as load:
        for pod in stable.pods("web"):
            stable.kubectl("delete", "pod", pod["metadata"]["name"])
            stable.until_ready(2)
    load.assert_none_failed()


@every_variant
def test_no_request_fails_while_a_node_is_drained(stable: Deployed) -> None:
    """The node is made schedulable again at once, since there may be no other one."""
    node = get("nodes")[0]["metadata"]["name"]
    before = {pod["metadata"]["uid"] for pod in stable.pods("web")}
    selector = f"--pod-selector=app.kubernetes.io/name={stable.name}"
    with stable.load("Drain of the node") as load:
        drain = subprocess.Popen(
            ["kubectl", "drain", node, selector, "--delete-emptydir-data", "--timeout=120s"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            kubectl("wait", f"node/{node}", "--for=jsonpath={.spec.unschedulable}=true")
        finally:
            kubectl("uncordon", node)
        output, _ = drain.communicate(timeout=150)
        assert drain.returncode == 0, output
        stable.until_ready(2)
    load.assert_none_failed()
    assert not before & {pod["metadata"]["uid"] for pod in stable.pods("web")}
