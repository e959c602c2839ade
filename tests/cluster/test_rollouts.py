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


def deploy_under_load(service: Deployed, step: str, revision: str) -> None:
    with service.load(step) as load:
        service.deploy(revision)
        service.until_ready(2)
    load.assert_none_failed()
    assert service.request("GET", "/version")[1]["revision"] == revision


@every_variant
def test_no_request_fails_during_an_update(deployed: Deployed) -> None:
    deploy_under_load(deployed, "Rolling update", "two")


@plain
def test_no_request_fails_during_a_rollback(deployed: Deployed) -> None:
    deploy_under_load(deployed, "Rollback", "one")


@plain
def test_no_request_fails_while_pods_are_deleted(deployed: Deployed) -> None:
    with deployed.load("Deletion of each pod") as load:
        for pod in deployed.pods("web"):
            deployed.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
            deployed.until_ready(2)
        deployed.until_stopped()
    load.assert_none_failed()


@every_variant
def test_no_request_fails_while_a_node_is_drained(deployed: Deployed) -> None:
    """The node is made schedulable again at once, since there may be no other one."""
    node = get("nodes")[0]["metadata"]["name"]
    before = {pod["metadata"]["uid"] for pod in deployed.pods("web")}
    selector = f"--pod-selector=app.kubernetes.io/name={deployed.name}"
    with deployed.load("Drain of the node") as load:
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
        deployed.until_ready(2)
    load.assert_none_failed()
    assert not before & {pod["metadata"]["uid"] for pod in deployed.pods("web")}
