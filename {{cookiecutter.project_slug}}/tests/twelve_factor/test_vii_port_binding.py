"""VII. Port binding: it is its own web server, on the port that the environment names."""

import json
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from ..support.service import TIMEOUT, Service, free_ports, run
from .project import REFUSAL_SECONDS, docker
from .report import Measure

linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
LISTENS = "0A"


def listening(pid: int) -> set[tuple[str, int]]:
    """Return the addresses, in hexadecimal, and ports on which a process listens."""
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # It was closed meanwhile.
            links.append(str(link.readlink()))
    ours = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for table in (Path(f"/proc/{pid}/net/tcp"), Path(f"/proc/{pid}/net/tcp6")):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in ours and fields[3] == LISTENS:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


@linux
def test_it_listens_where_it_is_told_and_nowhere_else(
    environment: dict[str, str], measure: Measure
) -> None:
    for _ in range(3):
        ports = free_ports()
        with Service(environment | ports) as service:
            assert service.get("/livez").status_code == 200
            open_ports = {port for _, port in listening(service.process.pid)}
        assert open_ports == {int(port) for port in ports.values()}
    measure("open", len(open_ports), "ports, both named by the environment")


@linux
def test_it_can_be_reached_from_outside_unless_told_otherwise(environment: dict[str, str]) -> None:
    del environment["HOST"]
    with Service(environment) as service:
        port = int(environment["PORT"])
        assert ("00000000", port) in listening(service.process.pid)
    with Service(environment | {"HOST": "127.0.0.1"}) as service:
        assert ("0100007F", port) in listening(service.process.pid)


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
def test_a_port_that_is_taken_is_named(
    environment: dict[str, str], variable: str, measure: Measure
) -> None:
    started = perf_counter()
    with socket.create_server(("127.0.0.1", int(environment[variable]))):
        done = run(environment, "web")
    measure("refused within", perf_counter() - started, "s", at_most=REFUSAL_SECONDS)
    assert done.returncode == 71
    assert json.loads(done.stdout.splitlines()[-1])["port"] == int(environment[variable])


@pytest.mark.parametrize("port", ["abc", "-1", "70000"])
def test_what_is_no_port_is_refused(environment: dict[str, str], port: str) -> None:
    done = run(environment | {"PORT": port}, "web")
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"PORT"}


def test_no_other_web_server_stands_before_it(service: Service) -> None:
    answer = httpx.get(f"{service.url}/version", timeout=TIMEOUT)
    assert answer.status_code == 200
    assert not {"server", "via", "x-powered-by"} & answer.headers.keys()


def test_the_image_serves_as_nobody_on_a_port_of_the_unprivileged(image: str) -> None:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    assert re.fullmatch(r"\d{5,}(:\d+)?", config["User"])
    assert min(int(port.partition("/")[0]) for port in config["ExposedPorts"]) >= 1024
