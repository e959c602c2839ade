"""Services that are deployed to the cluster of this machine, one after the other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import must_run
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
    """Sort the tests by their variant, so that each is deployed once."""
    order = ["", *VARIANTS]
    items.sort(key=lambda item: order.index(variant_of(item)))


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
    wait_for_deletions()


@pytest.fixture(scope="session")
def rendered_service(
    request: pytest.FixtureRequest, neighbours: None, cookies_session: Cookies
) -> Iterator[Path]:
    """Render a variant into a repository, as a developer would."""
    del neighbours
    folder = Baker(cookies_session).bake(
        project_slug=f"orders-{request.param}",
        python_version=OPTIONS["python_version"][0],
        kubernetes=True,
        **VARIANTS[request.param],
    )
    commit(folder)
    with mongodb_image(list(folder.glob("compose/*.yaml"))):
        yield folder
    listed = must_run("docker", "images", "--format={{.Repository}}:{{.Tag}}", cwd=folder)
    names = [name for name in listed.split() if f"{folder.name}:" in name]
    must_run("docker", "image", "rm", "--force", *names, cwd=folder)


@pytest.fixture(scope="session")
def deployed(rendered_service: Path, measurements: list[dict[str, Any]]) -> Iterator[Deployed]:
    """Deploy a variant from empty: `make image`, `make deploy OVERLAY=local`."""
    variant = rendered_service.name.removeprefix("orders-")
    service = Deployed(variant, rendered_service, measurements)
    if service.database == "mongodb":
        load_image("mongo:8")
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
