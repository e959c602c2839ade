"""Services that are deployed to the cluster of this machine, one after the other."""

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import make, must_run
from tests.support.deployed_service import Deployed, group_of_service
from tests.support.kubernetes_cluster import (
    CLIENT,
    CLIENT_IMAGE,
    Object,
    create_namespace,
    delete_namespaces,
    empty_volumes,
    exclusively,
    get,
    kubectl,
    load_image,
    pull,
    unavailable,
    wait_for_deletions,
)
from tests.support.template import OPTIONS, ROOT
from tests.support.template_releases import commit
from tools.images import images, with_standins

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "guide": {"ci": "gitlab", "release": True},
    "worker": {"worker": True, "redis": True},
    "mongodb": {"database": "mongodb"},
}
PATCHES = """patches:
  - target: {kind: HorizontalPodAutoscaler}
    patch: |-
      - {op: replace, path: /spec/maxReplicas, value: 2}
"""
"""The autoscaler leaves two replicas, whatever the load."""
SMALL = """\
  - target: {kind: Deployment}
    patch: |-
      - {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: 50m}
"""
"""Two services fit on a node with two cores. The autoscaler is tested with the other requests."""
NEIGHBOURS = ("ingress", "monitoring", "elsewhere")
"""Namespaces with a client: those that network policies name, and another one."""
CLIENT_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": CLIENT},
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
    folder = ROOT / ".reports" / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    for variant in {each["variant"] for each in collected}:
        measured = [each for each in collected if each["variant"] == variant]
        (folder / f"{variant}.json").write_text(json.dumps(measured))


@pytest.fixture(scope="session")
def neighbours() -> Iterator[None]:
    """Create the namespaces around a service, each with a client."""
    if reason := unavailable():
        pytest.skip(reason)
    with exclusively():
        pull(CLIENT_IMAGE)
        load_image(CLIENT_IMAGE)
        wait_for_deletions(*NEIGHBOURS)
        for name in NEIGHBOURS:
            create_namespace(name)
            kubectl(f"--namespace={name}", "apply", "--filename=-", stdin=json.dumps(CLIENT_POD))
    for name in NEIGHBOURS:
        kubectl(f"--namespace={name}", "wait", f"pod/{CLIENT}", "--for=condition=Ready")
    yield
    with exclusively():
        for name in NEIGHBOURS:
            kubectl(f"--namespace={name}", "delete", "pod", CLIENT)
            # Another process may still use the namespace.
            if not get("pods", f"--namespace={name}"):
                delete_namespaces(name)


@dataclass
class Render:
    """A variant, and the build of its image in the background."""

    folder: Path
    build: "Future[subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="session")
def renders(neighbours: None, cookies_session: Cookies) -> Iterator[Callable[[str], Render]]:
    """Return a function that renders the variants of a group, and builds their images."""
    del neighbours
    baker, found = Baker(cookies_session), dict[str, Render]()

    def render_of(variant: str) -> Render:
        for name in VARIANTS if variant not in found else ():
            if group_of_service(name) == group_of_service(variant):
                folder = render(baker, name)
                found[name] = Render(folder, pool.submit(make, folder, "image", REVISION="one"))
                files = list(folder.glob("compose/*.yaml"))
                stack.enter_context(images(files))
        return found[variant]

    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        yield render_of
    listed = must_run("docker", "images", "--format={{.Repository}}:{{.Tag}}", cwd=ROOT).split()
    slugs = tuple(f"{each.folder.name}:" for each in found.values())
    names = [name for name in listed if name.split("/")[-1].startswith(slugs)]
    must_run("docker", "image", "rm", "--force", *names, cwd=ROOT)


def render(baker: Baker, variant: str) -> Path:
    """Render a variant into a repository, as a developer would."""
    folder = baker.bake(
        project_slug=f"orders-{variant}",
        python_version=OPTIONS["python_version"][0],
        kubernetes=True,
        **VARIANTS[variant],
    )
    commit(folder)
    overlay = folder / "deploy/overlays/local/kustomization.yaml"
    overlay.write_text(overlay.read_text() + PATCHES + ("" if variant == "plain" else SMALL))
    return folder


@pytest.fixture(scope="session")
def rendered_service(request: pytest.FixtureRequest, renders: Callable[[str], Render]) -> Path:
    return renders(request.param).folder


@pytest.fixture(scope="session")
def built_service(
    rendered_service: Path,
    renders: Callable[[str], Render],
    measurements: list[dict[str, Any]],
) -> Iterator[Deployed]:
    """Return a variant with its image; what is deployed to its local overlay is deleted."""
    variant = rendered_service.name.removeprefix("orders-")
    service = Deployed(variant, rendered_service, measurements)
    built = renders(variant).build.result()
    assert built.returncode == 0, built.stderr
    wait_for_deletions(service.namespace)
    with exclusively():
        empty_volumes()
    try:
        yield service
    finally:
        delete_namespaces(service.namespace)


@pytest.fixture(scope="session")
def deployed(built_service: Deployed) -> Deployed:
    """Deploy a variant from empty: `make image`, `make deploy OVERLAY=local`."""
    for image in with_standins(list(built_service.folder.glob("compose/*.yaml"))):
        load_image(image)
    built_service.deploy("one")
    built_service.until_ready(2)
    return built_service


@pytest.fixture
def other_pod(deployed: Deployed) -> Iterator[Object]:
    """Run a pod beside the service that no policy names."""
    deployed.kubectl("apply", "--filename=-", stdin=json.dumps(CLIENT_POD))
    deployed.kubectl("wait", f"pod/{CLIENT}", "--for=condition=Ready", "--timeout=60s")
    yield deployed.get(f"pod/{CLIENT}")[0]
    deployed.kubectl("delete", "pod", CLIENT)
