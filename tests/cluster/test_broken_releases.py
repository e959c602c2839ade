"""A broken release does not replace pods that serve, and its deployment ends with the reason."""

import json
import subprocess
import time

import pytest

from tests.support.deployed_service import Deployed

pytestmark = pytest.mark.cluster

START = """
import os, sys
if sys.argv[1] == {process!r}:
    sys.exit("no module named example")
os.execvp("python", ["python", "-m", {package!r}, *sys.argv[1:]])
"""
"""Starts every process but one."""


@pytest.fixture
def broken(deployed: Deployed, request: pytest.FixtureRequest) -> str:
    """Build a revision of which one process cannot start; later tests deploy a working one."""
    package = deployed.name.replace("-", "_")
    start = ["python", "-c", START.format(process=request.param, package=package)]
    dockerfile = f"FROM {deployed.name}:one\nENTRYPOINT {json.dumps(start)}\n"
    build = ["docker", "build", "--quiet", f"--tag={deployed.name}:broken", "-"]
    subprocess.run(build, input=dockerfile.encode(), check=True, capture_output=True)
    return str(request.param)


@pytest.mark.parametrize("rendered_service", ["plain"], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("broken", "error"),
    [("web", "make deploy with its REVISION"), ("migrate", "The migration failed")],
    indirect=["broken"],
)
def test_a_broken_release_leaves_all_pods(deployed: Deployed, broken: str, error: str) -> None:
    assert_stopped(deployed, broken, error, deployed.components)


@pytest.mark.parametrize("rendered_service", ["worker"], indirect=True, scope="session")
@pytest.mark.parametrize("broken", ["worker"], indirect=True)
def test_a_broken_worker_leaves_the_previous_workers(deployed: Deployed, broken: str) -> None:
    # The web process, which works, is replaced before.
    assert_stopped(deployed, broken, "did not become ready", ["worker"], seconds=90)


def assert_stopped(
    deployed: Deployed, broken: str, error: str, kept: list[str], seconds: float = 60
) -> None:
    """Deploy the broken release, which fails in time and leaves the pods of some components."""
    before = {name: identities(deployed, name) for name in kept}
    with deployed.light_load(f"Broken release ({broken})") as load:
        begun = time.monotonic()
        done = deployed.make("deploy", OVERLAY="local", REVISION="broken")
        assert time.monotonic() - begun < seconds
    load.assert_none_failed()
    assert done.returncode != 0
    assert "no module named example" in done.stdout
    assert error in done.stderr
    assert {name: identities(deployed, name) for name in kept} == before


def identities(deployed: Deployed, component: str) -> set[str]:
    """Return the pods that are ready."""
    return {pod["metadata"]["uid"] for pod in deployed.ready(component)}
