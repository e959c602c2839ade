"""An image registry that the engine and the nodes of the cluster reach at the same address."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .containers import docker
from .kubernetes_cluster import create_namespace, delete_namespaces, kubectl, load_image
from .needs import need_registry

NAMESPACE = "registry"
DOCKERFILE = """
FROM python:3.14-slim
COPY docker-registry registry.yaml /
ENTRYPOINT ["/docker-registry", "serve", "/registry.yaml"]
"""
SETTINGS = """
version: "0.1"
log: {level: error}
storage: {filesystem: {rootdirectory: /images}}
http: {addr: "ADDRESS"}
"""


@contextmanager
def running(folder: Path, address: str) -> Iterator[Callable[[], None]]:
    """Run an empty registry at an address such as `127.0.0.1:5000` for the engine to push to.

    The function that it yields runs a copy with all images in the node, where this address is
    another one. Such an address needs no TLS.
    """
    shutil.copy(need_registry(), folder / "docker-registry")
    (folder / "registry.yaml").write_text(SETTINGS.replace("ADDRESS", address))
    (folder / "Dockerfile").write_text(DOCKERFILE)
    docker("build", "--quiet", "--tag=cluster-registry", str(folder))
    container = docker("run", "--detach", "--network=host", "cluster-registry")
    try:
        yield lambda: copy_to_node(container, address)
    finally:
        docker("rm", "--force", container)
        docker("image", "rm", "--force", "cluster-registry", "cluster-registry:full")
        delete_namespaces(NAMESPACE)


def copy_to_node(container: str, address: str) -> None:
    docker("commit", container, "cluster-registry:full")
    load_image("cluster-registry:full")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "registry"},
        "spec": {
            "hostNetwork": True,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "registry",
                    "image": "cluster-registry:full",
                    "imagePullPolicy": "Never",
                    "readinessProbe": {
                        "httpGet": {
                            "host": "127.0.0.1",
                            "port": int(address.split(":")[1]),
                            "path": "/v2/",
                        },
                        "periodSeconds": 1,
                    },
                }
            ],
        },
    }
    create_namespace(NAMESPACE)
    kubectl(f"--namespace={NAMESPACE}", "apply", "--filename=-", stdin=json.dumps(pod))
    wait = ["wait", "pod/registry", "--for=condition=Ready", "--timeout=60s"]
    kubectl(f"--namespace={NAMESPACE}", *wait)
