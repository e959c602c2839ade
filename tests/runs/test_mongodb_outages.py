"""The life of a service with MongoDB: the server is killed, frozen and restarted under it."""

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import PATIENCE, Installed, Web, free_ports, install
from tests.support.template import DECLARED
from tools.mongodb import Server, server
from tools.pythons import UV, outside

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(database="mongodb"))


@pytest.fixture(scope="module")
def mongodb(service: Installed) -> Iterator[Server]:
    with server() as running:
        done = service.run("migrate", mongodb_url=running.url)
        assert done.returncode == 0, done.stdout
        yield running


@pytest.fixture
def web(service: Installed, mongodb: Server) -> Iterator[Web]:
    with Web(service, mongodb_url=mongodb.url, drain_seconds=0) as running:
        is_ready(running)
        yield running


def is_ready(web: Web) -> None:
    """Ask until it is ready."""
    deadline = monotonic() + PATIENCE
    while web.get("/readyz").status_code != 200:
        assert monotonic() < deadline


def is_out_of_order(web: Web) -> None:
    assert web.get("/livez").status_code == 200
    assert web.get("/readyz").status_code == 503
    assert web.place("coffee").status_code == 503
    assert web.get("/orders").status_code == 503
    assert web.get("/livez").status_code == 200


def is_in_order(web: Web) -> None:
    is_ready(web)
    assert {web.place("tea").status_code for _ in range(20)} == {201}
    assert {web.get("/orders").status_code for _ in range(20)} == {200}


def test_a_server_that_is_killed_and_comes_back(mongodb: Server, web: Web) -> None:
    placed = web.place("tea")
    mongodb.kill()
    try:
        is_out_of_order(web)
    finally:
        mongodb.start()
    is_in_order(web)
    assert web.get(placed.headers["location"]).json() == placed.json()


def test_a_server_that_freezes_and_goes_on(mongodb: Server, web: Web) -> None:
    mongodb.freeze()
    try:
        is_out_of_order(web)
    finally:
        mongodb.thaw()
    is_in_order(web)


def test_a_server_that_was_restarted_between_two_requests(mongodb: Server, web: Web) -> None:
    placed = web.place("tea")
    mongodb.kill()
    mongodb.start()
    assert web.get(placed.headers["location"]).json() == placed.json()
    is_in_order(web)


def test_a_server_that_is_down_at_the_start(service: Installed, mongodb: Server) -> None:
    mongodb.kill()
    try:
        with Web(service, mongodb_url=mongodb.url, drain_seconds=0) as web:
            is_out_of_order(web)
            mongodb.start()
            is_in_order(web)
            assert web.stop() == 0
    finally:
        mongodb.kill()
        mongodb.start()


def test_what_was_acknowledged_survives_a_kill(service: Installed, mongodb: Server) -> None:
    with Web(service, mongodb_url=mongodb.url) as web:
        is_ready(web)
        acknowledged = [web.place("tea").headers["location"] for _ in range(20)]
        web.process.kill()
        mongodb.kill()
        mongodb.start()
    with Web(service, mongodb_url=mongodb.url) as web:
        is_ready(web)
        assert {web.get(location).status_code for location in acknowledged} == {200}


def test_wrong_credentials_are_an_outage(service: Installed, mongodb: Server) -> None:
    login, at, _ = mongodb.url.removeprefix("mongodb://").rpartition("@")
    if not at:
        pytest.skip("mongod, as it is run here, knows no users")
    wrong = mongodb.url.replace(login, "app:hunter2")
    with Web(service, mongodb_url=wrong, drain_seconds=0) as web:
        is_out_of_order(web)
        web.stop()
        assert "hunter2" not in str(web.lines)
    done = service.run("migrate", mongodb_url=wrong)
    assert done.returncode == 69
    assert "hunter2" not in done.stdout + done.stderr


def test_names_of_installed_packages_are_refused_for_the_service(service: Installed) -> None:
    site = next(service.folder.glob(".venv/lib/python*/site-packages"))
    found = importlib.metadata.distributions(path=[str(site)])
    tops = {file.parts[0].removesuffix(".py") for one in found for file in one.files or []}
    ours = {path.name for path in service.folder.glob("src/*")}
    possible = {name for name in tops - ours if re.fullmatch("[a-z](_?[a-z0-9])*", name)}
    assert {"bson", "dns", "gridfs", "pymongo"} <= possible
    assert possible - sys.stdlib_module_names <= set(DECLARED["_reserved"])


def test_make_run_serves_from_the_server_that_the_environment_names(
    service: Installed, mongodb: Server
) -> None:
    web, metrics = (str(port) for port in free_ports(2))
    variables = {"PORT": web, "METRICS_PORT": metrics, "MONGODB_URL": mongodb.url}
    with subprocess.Popen(
        ["make", f"UV={UV}", "run"],
        cwd=service.folder,
        env=outside() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            assert any("listening" in line for line in process.stdout)
        finally:
            os.killpg(process.pid, 15)
            process.communicate(timeout=PATIENCE)


def test_without_any_server_make_run_says_in_one_line_what_to_do(
    service: Installed, tmp_path: Path
) -> None:
    ports = dict(zip(("PORT", "METRICS_PORT"), map(str, free_ports(2)), strict=True))
    done = subprocess.run(
        [service.python, "-m", "dev.run"],
        cwd=service.folder,
        env=service.environment(**ports) | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert all(way in line for way in ("MONGODB_URL", "mongod", "Docker"))
