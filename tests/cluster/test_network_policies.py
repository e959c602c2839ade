"""Network policies allow the connections that processes need, and no others."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import CLIENT, Object, get, kubectl

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.parametrize(
        "rendered_service", ["plain", "worker", "mongodb"], indirect=True, scope="session"
    ),
]

CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def reaches(target):
    try:
        socket.create_connection(target, timeout=6).close()
    except ConnectionRefusedError:  # Nothing listens there.
        return True
    except OSError:
        return False
    return True

targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(dict(zip(targets, pool.map(reaches, targets.values())))))
"""
PORTS = {"postgres": 5432, "mongodb": 27017, "redis": 6379}


def test_only_allowed_connections_are_open(deployed: Deployed, other_pod: Object) -> None:
    pods = {name: deployed.ready(name)[0] for name in deployed.components}
    servers = {
        pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod
        for pod in deployed.pods("backing-service")
    }
    other = get(f"pod/{CLIENT}", "--namespace=elsewhere")[0]
    targets = {
        **{name: (address(pod), PORTS[name]) for name, pod in servers.items()},
        **{f"{name} metrics": (address(pod), 9090) for name, pod in pods.items()},
        "web": (address(pods["web"]), 8000),
        "another pod": (address(other), 8000),
        "pod beside the service": (address(other_pod), 8000),
        "another database": (address(other), PORTS[deployed.database]),
    }
    outside = {"another pod", "another database"}
    expected = {
        "ingress": {*outside, "web"},
        "monitoring": {*outside, *(f"{name} metrics" for name in pods)},
        "elsewhere": outside,
    }
    sources = {name: (name, CLIENT) for name in expected}
    for component in deployed.components:
        # Not the pod that is a target: a pod can always connect to itself.
        name = deployed.ready(component)[1]["metadata"]["name"]
        sources[component] = (deployed.namespace, name)
        expected[component] = {*servers, "another database"}
    with ThreadPoolExecutor(len(sources)) as pool:
        found = pool.map(lambda pod: reached(pod, targets), sources.values())
        assert dict(zip(sources, found, strict=True)) == expected


def address(pod: Object) -> str:
    return str(pod["status"]["podIP"])


def reached(pod: tuple[str, str], targets: dict[str, tuple[str, int]]) -> set[str]:
    """Return the targets that a pod can connect to."""
    namespace, name = pod
    run = ["exec", name, "--", "python", "-c", CONNECT, json.dumps(targets)]
    connected = json.loads(kubectl(f"--namespace={namespace}", *run))
    return {target for target, is_reached in connected.items() if is_reached}
