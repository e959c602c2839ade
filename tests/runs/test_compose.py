"""The Compose project: started, used, scaled and stopped."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
import pytest
import yaml

from tests.support.containers import (
    Run,
    docker,
    in_every_combination,
    in_some,
    in_the_default,
    ours,
    state,
)
from tests.support.needs import engine_answers
from tests.support.running import PATIENCE, free_ports

pytestmark = [
    pytest.mark.containers,
    pytest.mark.xdist_group("containers"),  # They share the containers of a service.
    pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers `docker info`"),
]


@pytest.fixture
def started_again_afterwards(compose: Run, up: str) -> Iterator[None]:
    """Leave the containers as `up` has started them, for the tests that follow."""
    yield
    compose("up", "--no-build", "--wait", "--scale", "web=1", PORT=up.rpartition(":")[2])


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
@pytest.mark.usefixtures("started_again_afterwards")
def test_an_idle_process_stops_soon_after_its_drain(compose: Run, up: str) -> None:
    del up
    for name in ours(compose):
        (container,) = compose("ps", "--quiet", name).split()
        # Two seconds more than it drains; then it would be killed.
        docker("stop", "--time", "4", container)
        assert state(container, "ExitCode") == "0"
        docker("start", container)


@in_every_combination
def test_cleanup_is_a_container_that_ends(compose: Run, up: str) -> None:
    if "migrate" not in compose("config", "--services").split():
        assert "cleanup" not in compose("run", "--rm", "-T", "web", "--help")
        return
    httpx.post(f"{up}/orders", json={"item": "tea", "quantity": 1})
    for _ in range(2):
        command = ["cleanup", "--older-than-days", "1"]
        (line,) = compose("run", "--rm", "-T", "web", *command).splitlines()
        assert json.loads(line)["event"] == "old orders deleted"
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
@pytest.mark.usefixtures("started_again_afterwards")
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
