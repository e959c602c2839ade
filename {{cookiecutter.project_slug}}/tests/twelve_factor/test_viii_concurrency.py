"""VIII. Concurrency: it scales by processes of several types, which the platform looks after."""

import os
import subprocess
from contextlib import ExitStack
from time import perf_counter

import httpx

from ..support.service import COMMAND, TIMEOUT, Service, connect, free_ports, started
from .project import (
    BYSTANDER_SECONDS,
    command_of_record,
    commands,
    compose,
    endless,
    processes,
    resource,
)
from .report import Measure


def test_every_process_type_is_a_command_of_the_menu(measure: Measure) -> None:
    measure("process types", len(processes()), "in Compose", at_least=1)
    assert command_of_record()[-1] == "web"
    for name, command in processes().items():
        assert command[:1] == [name]
        assert name in commands()


def test_every_process_type_runs_alone_and_stays_in_the_foreground(
    environment: dict[str, str], measure: Measure
) -> None:
    for name in endless():
        with Service(environment | free_ports(), name) as service:
            assert os.getpgid(service.process.pid) == os.getpgid(0)
            assert listed("args", "--ppid", service.process.pid) == []
            service.terminate()
            assert service.wait() == 0
    measure("endless", len(endless()), "process types", at_least=1)


def listed(column: str, option: str, pid: int) -> list[str]:
    """Return this column of the processes that `ps` finds by this option."""
    ps = ["ps", "-o", f"{column}=", option, str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.split()


def test_the_platform_can_run_any_number_of_them() -> None:
    for name in endless():
        made = compose()[name]
        assert not {"container_name", "hostname"} & made.keys(), name
        for port in made.get("ports", []):
            assert "-" in port.split(":8000")[0], "one port of the host is room for one replica"


def test_a_request_that_is_held_up_holds_up_no_other(service: Service, measure: Measure) -> None:
    held, _ = resource().halves()
    slowest = 0.0
    with ExitStack() as stack, httpx.Client(base_url=service.url, timeout=TIMEOUT) as client:
        for _ in range(50):
            stack.enter_context(connect(service, held))
        client.get("/livez")
        for _ in range(100):
            started = perf_counter()
            assert client.get("/livez").status_code == 200
            slowest = max(slowest, perf_counter() - started)
    measure("beside 50 held up", slowest, "s", at_most=BYSTANDER_SECONDS)


def test_what_ends_leaves_nothing_running(environment: dict[str, str]) -> None:
    with started([*COMMAND, "web"], environment) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.kill()
        process.wait(TIMEOUT)
        assert listed("pid", "-s", process.pid) == []
