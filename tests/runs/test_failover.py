"""A service whose PostgreSQL primary is demoted to a standby while its standby is promoted."""

from functools import partial

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.failover import replicated
from tests.support.running import Web, Worker, install, until
from tests.support.servers import postgres_server

pytestmark = pytest.mark.slow


def test_processes_survive_a_failover_and_the_failback(cookies_session: Cookies) -> None:
    service = install(Baker(cookies_session).bake(worker=True))
    with (
        postgres_server(service) as server,
        replicated(server) as (first, second, endpoint),
        Web(service, database_url=endpoint.url, drain_seconds=0) as web,
        Worker(service, database_url=endpoint.url) as worker,
    ):
        for old, new in (first, second), (second, first):
            web.wait_until_ready()
            worker.wait_until_ready()
            placed = web.place("tea")
            worker.wait_for("job", outcome="done", task="fulfil")
            old.demote(new)
            worker.wait_for("job fetch failed")
            for process in (web, worker):
                until(partial(is_read_only, process))
                assert process.get("/livez").status_code == 200
            assert web.place("tea").status_code == web.get("/orders").status_code == 503
            assert service.run("cleanup", database_url=endpoint.url).returncode == 69
            new.promote()
            endpoint.move(new)
            web.wait_until_ready()
            worker.wait_until_ready()
            assert web.get(placed.headers["location"]).json()["status"] == "fulfilled"
            assert {web.place("tea").status_code for _ in range(20)} == {201}
            worker.wait_for("job", outcome="done", task="fulfil")
        assert web.stop() == worker.stop() == 0


def failure(process: Web) -> str:
    """Return the state of the database in `/readyz`, if the process is not ready."""
    ready = process.get("/readyz")
    state: str = ready.json()["checks"]["database"]
    return state if ready.status_code == 503 else ""


def is_read_only(process: Web) -> bool:
    return failure(process) == "read-only"
