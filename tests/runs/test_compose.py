"""The Compose project: started, used, scaled and stopped."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.commands import must_run
from tests.support.containers import (
    Run,
    docker,
    every_answer,
    only_default,
    only_fullest,
    processes,
)
from tests.support.needs import needs_docker
from tests.support.running import free_ports, until
from tools.tour.step import read_all

# All tests of a service share its containers, so they run in one process.
pytestmark = [*needs_docker, pytest.mark.xdist_group("containers")]


@pytest.fixture
def restored(compose: Run, up: str) -> Iterator[None]:
    """Restore the containers of `up` after the test."""
    yield
    compose("up", "--no-build", "--wait", "--scale", "web=1", PORT=up.rpartition(":")[2])


@every_answer
def test_docker_has_no_findings_in_the_dockerfile_and_the_compose_files(
    service: Path, compose: Run
) -> None:
    subprocess.run(["docker", "build", "--check", "."], cwd=service, check=True)
    compose("config", "--quiet")


@every_answer
def test_a_new_render_serves_in_compose(up: str) -> None:
    assert httpx.get(f"{up}/readyz").status_code == 200
    assert httpx.get(f"{up}/version").json()["revision"] == "abc123"


@only_default
def test_the_commands_of_the_tour_run_in_containers(service: Path, up: str, restored: None) -> None:
    """Other tests run what `make up` and `make image smoke` do."""
    del up, restored
    commands = [step.docker for step in read_all() if step.docker.startswith("docker ")]
    for command in commands:
        must_run(*shlex.split(command), cwd=service, REVISION="abc123")
    assert len(commands) > 1


@every_answer
def test_every_container_is_read_only_and_without_capabilities(compose: Run, up: str) -> None:
    del up
    for container in compose("ps", "--all", "--quiet").split():
        found = json.loads(docker("inspect", container))[0]
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"], found["Name"]
        assert host["CapDrop"] == ["ALL"], found["Name"]
        assert "no-new-privileges:true" in host["SecurityOpt"], found["Name"]
        for bindings in (host["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


SHOW = """
from containers_0.chassis.postgres.connection import Connector
connection = run(Connector(settings, "test").connect())
query = "SELECT current_database(), current_setting('search_path'), current_setting('TimeZone')"
print(run(run(connection.execute(query)).fetchone()))
run(connection.close())
"""


@only_default
def test_the_url_in_a_file_with_its_options_precedes_variables_of_libpq(
    compose: Run, up: str, tmp_path: Path
) -> None:
    del up
    file = tmp_path / "database_url"
    file.write_text(
        compose("exec", "-T", "web", "cat", "/run/secrets/database_url")
        + "?options=-csearch_path%3Dteam,public"
    )
    variables = {
        "DATABASE_URL_FILE": "/run/url",  # As Kubernetes and Compose set it.
        "PGDATABASE": "other",
        "PGHOST": "other.invalid",
        "PGOPTIONS": "-csearch_path=other",
        "PGPASSWORD": "wrong",
        "PGTZ": "Asia/Tokyo",
    }
    options = [word for pair in variables.items() for word in ("--env", "=".join(pair))]
    options += ["--volume", f"{file}:/run/url:ro"]
    run = ["run", "--rm", "-T", "--no-deps", *options, "web"]
    assert compose(*run, "shell", "-c", SHOW).strip() == "('app', 'team,public', 'UTC')"
    assert "database migrated" in compose(*run, "migrate")


@only_default
def test_concurrent_cleanups_delete_each_order_once(compose: Run, up: str) -> None:
    for number in range(5):
        httpx.post(f"{up}/orders", json={"item": "old", "quantity": number + 1})
    age = "UPDATE orders SET placed_at = now() - interval '9 days' WHERE item = 'old'"
    compose("exec", "-T", "postgres", "psql", "-U", "app", "-c", age)
    with ThreadPoolExecutor() as threads:
        command = ["run", "--rm", "-T", "--no-deps", "web", "cleanup", "--older-than-days", "8"]
        printed = list(threads.map(lambda _: compose(*command), range(2)))
    assert sum(json.loads(line)["deleted"] for line in printed) == 5


@only_fullest
def test_events_are_listed_and_published(compose: Run, up: str) -> None:
    assert httpx.post(f"{up}/orders", json={"item": "tea", "quantity": 1}).status_code == 201

    def lag() -> dict[str, int]:
        lines = compose("run", "--rm", "-T", "--no-deps", "worker", "project").splitlines()
        return {found["projection"]: found["lag_events"] for found in map(json.loads, lines)}

    until(lambda: lag() == {"order_list": 0, "outbox": 0})


@every_answer
def test_the_database_has_enough_connections_for_all_replicas(service: Path) -> None:
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
    per_process = int(settings["DATABASE_POOL_SIZE"]) + 1
    operators = per_process + 10
    assert (high - low + 1) * len(types) * per_process + operators <= allowed


@every_answer
@pytest.mark.usefixtures("restored")
def test_two_replicas_share_orders_and_stop_with_status_0(compose: Run, up: str) -> None:
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
        placed = httpx.post(f"http://{addresses[0]}/orders", json={"item": "tea", "quantity": 1})
        url = f"http://{addresses[1]}{placed.headers['location']}"
        assert httpx.get(url).json() | {"status": "placed"} == placed.json()
        if "worker" in services:
            until(lambda: httpx.get(url).json()["status"] == "fulfilled")
    containers = compose("ps", "--quiet", *processes(compose)).split()
    compose("stop", *processes(compose), **ports)
    codes = {docker("inspect", "--format", "{{.State.ExitCode}}", one) for one in containers}
    assert codes == {"0"}
