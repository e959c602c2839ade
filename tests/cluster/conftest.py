"""Services that are deployed to the cluster of this machine, one after the other."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import make, must_run
from tests.support.deployed_service import Deployed
from tests.support.kubernetes_cluster import (
    CLIENT_IMAGE,
    Object,
    create_namespace,
    delete_namespaces,
    kubectl,
    load_image,
    pull,
    unavailable,
    wait_for_deletions,
)
from tests.support.template import OPTIONS, ROOT
from tests.support.template_releases import commit
from tools.images import mongodb_image

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"ci": "gitlab", "release": True},
    "worker": {"worker": True, "redis": True},
    "mongodb": {"database": "mongodb"},
}
TWO_REPLICAS = """patches:
  - target: {kind: HorizontalPodAutoscaler}
    patch: |-
      - {op: replace, path: /spec/maxReplicas, value: 2}
"""
"""The autoscaler leaves two replicas, whatever the load."""
NEIGHBOURS = ("ingress", "monitoring", "elsewhere")
"""Namespaces with a client: those that network policies name, and another one."""
CLIENT = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "client",
                "image": CLIENT_IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-c", "import signal; signal.pause()"],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by their variant, so that each is deployed once.

    Tests of renders that are not deployed come first, while images are built.
    """
    order = ["", *VARIANTS]
    items.sort(key=lambda item: ("deployed" in fixtures(item), order.index(variant_of(item))))


def fixtures(item: pytest.Item) -> list[str]:
    names: list[str] = getattr(item, "fixturenames", [])
    return names


def variant_of(item: pytest.Item) -> str:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get("rendered_service", ""))


@pytest.fixture(scope="session")
def measurements() -> Iterator[list[dict[str, Any]]]:
    """Collect what tests measure, for `python -m tools.cluster_report`."""
    collected: list[dict[str, Any]] = []
    yield collected
    file = ROOT / ".reports" / "cluster.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(collected))


@pytest.fixture(scope="session")
def neighbours() -> Iterator[None]:
    """Create the namespaces around a service, each with a client."""
    if reason := unavailable():
        pytest.skip(reason)
    pull(CLIENT_IMAGE)
    load_image(CLIENT_IMAGE)
    wait_for_deletions()
    for name in NEIGHBOURS:
        create_namespace(name)
        kubectl(f"--namespace={name}", "apply", "--filename=-", stdin=json.dumps(CLIENT))
    for name in NEIGHBOURS:
        kubectl(f"--namespace={name}", "wait", "pod/client", "--for=condition=Ready")
    yield
    delete_namespaces(*NEIGHBOURS)


@dataclass
class Render:
    """A variant, and the build of its image in the background."""

    folder: Path
    build: "Future[subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="session")
def renders(
    request: pytest.FixtureRequest, neighbours: None, cookies_session: Cookies
) -> Iterator[dict[str, Render]]:
    """Render the variants into repositories, as a developer would, and build their images."""
    del neighbours
    baker, found = Baker(cookies_session), dict[str, Render]()
    with ThreadPoolExecutor(1) as pool:
        for variant in sorted({*map(variant_of, request.session.items)}, key=[*VARIANTS].index):
            folder = baker.bake(
                project_slug=f"orders-{variant}",
                python_version=OPTIONS["python_version"][0],
                kubernetes=True,
                **VARIANTS[variant],
            )
            commit(folder)
            overlay = folder / "deploy/overlays/local/kustomization.yaml"
            overlay.write_text(overlay.read_text() + TWO_REPLICAS)
            build = pool.submit(make, folder, "image", REVISION="one")
            found[variant] = Render(folder, build)
        files = [file for each in found.values() for file in each.folder.glob("compose/*.yaml")]
        with mongodb_image(files):
            yield found
    listed = must_run("docker", "images", "--format={{.Repository}}:{{.Tag}}", cwd=ROOT).split()
    slugs = tuple(f"{each.folder.name}:" for each in found.values())
    names = [name for name in listed if name.split("/")[-1].startswith(slugs)]
    must_run("docker", "image", "rm", "--force", *names, cwd=ROOT)


@pytest.fixture(scope="session")
def rendered_service(request: pytest.FixtureRequest, renders: dict[str, Render]) -> Path:
    return renders[request.param].folder


@pytest.fixture(scope="session")
def deployed(
    rendered_service: Path, renders: dict[str, Render], measurements: list[dict[str, Any]]
) -> Iterator[Deployed]:
    """Deploy a variant from empty: `make image`, `make deploy OVERLAY=local`."""
    variant = rendered_service.name.removeprefix("orders-")
    service = Deployed(variant, rendered_service, measurements)
    if service.database == "mongodb":
        load_image("mongo:8")
    built = renders[variant].build.result()
    assert built.returncode == 0, built.stderr
    try:
        service.deploy("one")
        service.until_ready(2)
        yield service
    finally:
        delete_namespaces(service.namespace)


@pytest.fixture
def other_pod(deployed: Deployed) -> Iterator[Object]:
    """Run a pod beside the service that no policy names."""
    deployed.kubectl("apply", "--filename=-", stdin=json.dumps(CLIENT))
    deployed.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
    yield deployed.get("pod/client")[0]
    deployed.kubectl("delete", "pod", "client")
