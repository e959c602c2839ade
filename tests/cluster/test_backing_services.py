"""A deployed service survives changes of its database without a restart."""

import base64
import json
from functools import partial

import pytest

from tests.support.deployed_service import Deployed, restarts
from tests.support.kubernetes_cluster import until

pytestmark = pytest.mark.cluster
in_variants = pytest.mark.parametrize(
    "rendered_service", ["plain", "mongodb"], indirect=True, scope="session"
)
plain = pytest.mark.parametrize("rendered_service", ["plain"], indirect=True, scope="session")
NEW = "a-new-password"
DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@plain
def test_a_new_database_password_needs_no_restart(deployed: Deployed) -> None:
    before, order = identities(deployed), deployed.place_order()
    secret = f"{deployed.name}-secrets"
    encoded = deployed.get(f"secret/{secret}")[0]["data"]
    values = {name: base64.b64decode(value).decode() for name, value in encoded.items()}
    values = {name: value.replace(values["password"], NEW) for name, value in values.items()}
    deployed.kubectl("patch", "secret", secret, "--patch", json.dumps({"stringData": values}))
    # A change of the pod makes the kubelet update its files now, not within a minute.
    selector = f"--selector=app.kubernetes.io/name={deployed.name}"
    deployed.kubectl("annotate", "pods", selector, "rotated=yes")
    for pod in deployed.pods("web"):
        read = ["exec", pod["metadata"]["name"], "--", "cat", "/run/secrets/database_url"]
        until(partial(deployed.kubectl, *read), lambda url: NEW in url)
    psql = ["exec", "postgres-0", "--", "psql", "--username=app", "--host=/var/run/postgresql"]
    for statement in (f"ALTER ROLE app PASSWORD '{NEW}'", DISCONNECT):
        deployed.kubectl(*psql, "--command", statement)
    until(lambda: deployed.request("GET", f"/orders/{order}")[0], lambda status: status == 200)
    deployed.place_order()
    assert identities(deployed) == before


@in_variants
def test_requests_recover_after_the_database_was_unavailable(deployed: Deployed) -> None:
    before, order = identities(deployed), deployed.place_order()
    scale = ["scale", f"statefulset/{deployed.database}"]
    statuses = deployed.statuses(f"/orders/{order}", last=0)
    assert next(statuses) == 200
    deployed.kubectl(*scale, "--replicas=0")
    # Once no pod is ready, the Service rejects connections.
    assert [*statuses] == [503, 0]
    deployed.kubectl(*scale, "--replicas=1")
    until(lambda: deployed.request("GET", f"/orders/{order}")[0], lambda status: status == 200)
    deployed.until_ready(2)
    deployed.place_order()
    assert identities(deployed) == before


def identities(deployed: Deployed) -> tuple[set[str], int]:
    """Return the pods of all processes and the number of their restarts."""
    pods = [pod for component in deployed.components for pod in deployed.pods(component)]
    return {pod["metadata"]["uid"] for pod in pods}, restarts(pods)
