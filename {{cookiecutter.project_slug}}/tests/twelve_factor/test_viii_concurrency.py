"""VIII. Concurrency: scale out by processes of several types, which the platform manages."""

import os
from contextlib import ExitStack
from time import perf_counter

import httpx
import psutil

from ..support.service import TIMEOUT, Service, assert_stops, connect, free_ports
from . import project
from .report import Measure


def test_every_process_type_is_a_command_of_the_service(measure: Measure) -> None:
    measure("in Compose", len(project.process_types()), "process types", at_least=1)
    assert project.image_command()[-1] == "web"
    for name, command in project.process_types().items():
        assert command[:1] == [name]
        assert name in project.commands()


def test_every_process_type_runs_alone_in_the_foreground(
    environment: dict[str, str], measure: Measure
) -> None:
    for name in project.long_running():
        with Service(environment | free_ports(), name) as service:
            assert os.getpgid(service.process.pid) == os.getpgid(0)
            assert psutil.Process(service.process.pid).children() == []
            assert_stops(service)
    measure("run alone in the foreground", len(project.long_running()), "process types", at_least=1)


def test_compose_can_run_several_replicas_of_each_process_type() -> None:
    for name in project.long_running():
        made = project.compose_services()[name]
        assert not {"container_name", "hostname"} & made.keys(), name
        for port in made.get("ports", []):
            assert "-" in port.split(":8000")[0], f"{name}: one host port allows one replica"


def test_a_slow_request_does_not_delay_others(service: Service, measure: Measure) -> None:
    incomplete, _ = project.example_resource().split_request()
    slowest = 0.0
    with ExitStack() as stack, httpx.Client(base_url=service.url, timeout=TIMEOUT) as client:
        for _ in range(50):
            stack.enter_context(connect(service, incomplete))
        client.get("/livez")
        for _ in range(100):
            start = perf_counter()
            assert client.get("/livez").status_code == 200
            slowest = max(slowest, perf_counter() - start)
    measure("response during 50 slow requests", slowest, "s", at_most=project.CONCURRENT_SECONDS)
