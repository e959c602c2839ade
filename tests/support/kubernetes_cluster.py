"""The local Kubernetes cluster, created by kind or k3d."""

import fcntl
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from .template import ROOT

Object = dict[str, Any]
T = TypeVar("T")

LOADERS = {
    "kind-": ["kind", "load", "docker-image", "--name"],
    "k3d-": ["k3d", "image", "import", "--cluster"],
}
"""Commands that load an image into the nodes, by the prefix of the context."""
CLIENT_IMAGE = "python:3.14-slim"
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
CLIENT = f"client-{PROCESS}"
"""The pods from which this process of the tests sends requests, one per namespace."""
LIMIT_SECONDS = 120


@cache
def unavailable() -> str:
    """Return the reason why no local cluster can be used, or an empty string."""
    try:
        context = attempt("config", "current-context").stdout.strip()
    except FileNotFoundError:
        return "kubectl is not installed"
    if not context.startswith(tuple(LOADERS)):
        return f"the context of kubectl, {context!r}, does not begin with {' or '.join(LOADERS)}"
    if attempt("get", "--raw=/readyz", "--request-timeout=5s").returncode:
        return f"the cluster {context} does not respond"
    return ""


def attempt(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run kubectl."""
    return subprocess.run(
        ["kubectl", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def kubectl(*arguments: str, stdin: str = "") -> str:
    """Run kubectl, which must succeed; return its standard output."""
    done = attempt(*arguments, stdin=stdin)
    assert done.returncode == 0, f"kubectl {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def get(*arguments: str) -> list[Object]:
    """Return objects of the cluster."""
    found = json.loads(kubectl("get", *arguments, "--output=json"))
    items: list[Object] = found.get("items", [found])
    return items


def pull(name: str) -> None:
    """Pull an image that the engine does not have."""
    done = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
    if done.returncode:
        subprocess.run(["docker", "pull", "--quiet", name], check=True, capture_output=True)


def load_image(*names: str) -> None:
    """Load images of the engine into the nodes."""
    context = kubectl("config", "current-context").strip()
    (prefix,) = (prefix for prefix in LOADERS if context.startswith(prefix))
    command = [*LOADERS[prefix], context.removeprefix(prefix), *names]
    subprocess.run(command, check=True, capture_output=True)


def until(read: Callable[[], T], condition: Callable[[T], bool], seconds: float = 60) -> T:
    """Read a value until it meets a condition; return it."""
    end = time.monotonic() + seconds
    while not condition(value := read()):
        assert time.monotonic() < end, value
        time.sleep(0.5)
    return value


def create_namespace(name: str) -> None:
    """Create a namespace, and wait for the service account of its pods."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(namespace))
    wait = ["wait", "serviceaccount/default", "--for=create", "--timeout=60s"]
    kubectl(f"--namespace={name}", *wait)


def delete_namespaces(*names: str) -> None:
    """Start to delete namespaces."""
    kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait=false")


@contextmanager
def exclusively() -> Iterator[None]:
    """Run the block in one process of the tests at a time."""
    file = ROOT / ".reports" / "cluster.lock"
    file.parent.mkdir(exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for_deletions(*names: str) -> None:
    """Wait until none of these namespaces is being deleted."""
    until(
        lambda: [each["metadata"]["name"] for each in get("namespaces") if terminates(each)],
        lambda found: not {*names} & {*found},
        LIMIT_SECONDS,
    )


def empty_volumes() -> None:
    """Empty volumes that are kept when the namespace of a service is deleted."""
    for volume in get("persistentvolumes"):
        claim = volume["spec"].get("claimRef", {}).get("namespace", "")
        if volume["status"]["phase"] == "Released" and re.fullmatch("orders-[a-z]+-local", claim):
            empty(volume)
            patch = '[{"op": "remove", "path": "/spec/claimRef"}]'
            name = volume["metadata"]["name"]
            kubectl("patch", "persistentvolume", name, "--type=json", f"--patch={patch}")


def empty(volume: Object) -> None:
    """Delete the data in a folder of the node."""
    mounted = {"name": "data", "hostPath": volume["spec"]["hostPath"]}
    container = {
        "name": "empty",
        "image": CLIENT_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "rm -rf /data/*"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    overrides = json.dumps({"spec": {"containers": [container], "volumes": [mounted]}})
    run = [
        "run",
        f"empty-{PROCESS}",
        f"--image={CLIENT_IMAGE}",
        "--rm",
        "--attach",
        "--restart=Never",
    ]
    kubectl("--namespace=default", *run, f"--overrides={overrides}")


def terminates(found: Object) -> bool:
    return "deletionTimestamp" in found["metadata"]
