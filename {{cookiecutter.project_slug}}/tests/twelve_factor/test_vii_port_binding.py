"""VII. Port binding: the service is its own web server, on the port in the environment."""

import json
import re
import socket
import subprocess
import sys

import psutil
import pytest

from ..support.service import Service, free_ports, run
from . import project
from .project import FAILED_START_SECONDS, docker
from .report import Measure


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports on which a process listens."""
    connections = psutil.Process(pid).net_connections("tcp")
    return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}


def test_the_process_listens_on_the_configured_ports_only(
    environment: dict[str, str], measure: Measure
) -> None:
    for _ in range(3):
        ports = free_ports()
        with Service(environment | ports) as service:
            assert service.get("/livez").status_code == 200
            open_ports = {port for _, port in listening_addresses(service.process.pid)}
        assert open_ports == {int(port) for port in ports.values()}
    measure("listening on", len(open_ports), "ports, both from the environment")


def test_the_process_listens_on_all_addresses_unless_host_is_set(
    environment: dict[str, str],
) -> None:
    del environment["HOST"]
    with Service(environment) as service:
        port = int(environment["PORT"])
        assert ("0.0.0.0", port) in listening_addresses(service.process.pid)  # noqa: S104  # The default.
    with Service(environment | {"HOST": "127.0.0.1"}) as service:
        assert ("127.0.0.1", port) in listening_addresses(service.process.pid)


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
def test_a_port_in_use_is_reported(
    environment: dict[str, str], variable: str, measure: Measure
) -> None:
    port = int(environment[variable])
    with (
        socket.create_server(("127.0.0.1", port)),
        measure.seconds(f"exit with {variable} in use", at_most=FAILED_START_SECONDS),
    ):
        done = run(environment, "web")
    assert done.returncode == 71
    assert json.loads(done.stdout.splitlines()[-1])["port"] == port


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_a_host_that_does_not_resolve_is_reported(environment: dict[str, str], host: str) -> None:
    done = run(environment | {"HOST": host}, "web")
    assert (done.returncode, done.stderr) == (78, "")
    assert json.loads(done.stdout.splitlines()[-1])["problems"].keys() == {"HOST"}


@pytest.mark.parametrize("port", ["abc", "-1", "70000"])
def test_an_invalid_port_is_rejected(environment: dict[str, str], port: str) -> None:
    done = run(environment | {"PORT": port}, "web")
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"PORT"}


def health_check(process_type: str) -> list[str]:
    """Return the command that a container of this process type runs as its health check."""
    of_image = dict(project.runtime_stage())["HEALTHCHECK"].partition(" CMD ")[2]
    in_compose = project.compose_services()[process_type].get("healthcheck", {})
    command: list[str] = in_compose.get("test", ["CMD", *json.loads(of_image)])
    return command[1:]


def test_health_checks_use_the_configured_ports_and_no_proxy(environment: dict[str, str]) -> None:
    unusable = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    for name in project.long_running():
        variables = environment | free_ports()
        command, env = [sys.executable, *health_check(name)[1:]], variables | unusable
        with Service(variables, name):
            healthy = subprocess.run(command, env=env, capture_output=True, check=False)
            assert healthy.returncode == 0, healthy.stderr
        assert subprocess.run(command, env=env, capture_output=True, check=False).returncode == 1


def test_the_image_runs_as_an_unprivileged_user_on_unprivileged_ports(image: str) -> None:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    assert re.fullmatch(r"\d{5,}(:\d+)?", config["User"])
    assert min(int(port.partition("/")[0]) for port in config["ExposedPorts"]) >= 1024
