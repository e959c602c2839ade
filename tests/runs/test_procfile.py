"""The processes of `Procfile` start under honcho, which runs them as Heroku and Dokku do."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import TIMEOUT_SECONDS, Installed, free_ports, install
from tests.support.servers import postgres_server

HONCHO = str(Path(sys.executable).with_name("honcho"))


@pytest.mark.parametrize(
    ("variant", "processes"),
    [
        ("default", "release, web"),
        ("bare", "web"),
        ("full", "release, web, worker"),
    ],
)
def test_the_procfile_lists_the_processes_of_a_variant(
    rendered: Callable[[str], Path], variant: str, processes: str
) -> None:
    done = subprocess.run(
        [HONCHO, "check"], cwd=rendered(variant), capture_output=True, text=True, check=True
    )
    assert f"Valid procfile detected ({processes})" in done.stderr


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(worker=True))


@pytest.fixture(scope="module")
def environment(service: Installed) -> Iterator[dict[str, str]]:
    """The variables that a platform sets, with a database."""
    with postgres_server(service) as server:
        port, metrics_port = free_ports(2)
        variables = service.environment(
            database_url=server.url, port=port, metrics_port=metrics_port
        )
        path = f"{Path(service.python).parent}:{variables['PATH']}"
        yield variables | {"PATH": path}


@contextmanager
def honcho(
    service: Installed, environment: dict[str, str], process: str
) -> Iterator[subprocess.Popen[str]]:
    """Run one process of `Procfile`; terminate it at the end if it is still running."""
    with subprocess.Popen(
        [HONCHO, "start", process],
        cwd=service.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.communicate(timeout=TIMEOUT_SECONDS)


@pytest.mark.slow
def test_the_release_process_migrates_and_ends(
    service: Installed, environment: dict[str, str]
) -> None:
    with honcho(service, environment, "release") as process:
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert "database migrated" in output
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("process", "port"), [("web", "PORT"), ("worker", "METRICS_PORT")])
def test_a_process_serves_on_the_port_of_the_platform(
    service: Installed, environment: dict[str, str], process: str, port: str
) -> None:
    with honcho(service, environment, process) as running:
        assert running.stdout
        assert any(re.search(rf"listening.*{environment[port]}", line) for line in running.stdout)
        ready = httpx.get(f"http://127.0.0.1:{environment[port]}/readyz", timeout=TIMEOUT_SECONDS)
        assert ready.status_code == 200
