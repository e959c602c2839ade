"""A web process while its real database or Redis server is killed, frozen and restarted.

Conformance (factor IV) interrupts connections at a proxy; these tests stop the servers themselves.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import make
from tests.support.running import TIMEOUT_SECONDS, Installed, Web, install, until
from tests.support.servers import RedisServer, Server, postgres_server
from tests.support.template_releases import commit
from tools import mongodb

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Attached:
    """A service and its database server."""

    service: Installed
    server: Server
    settings: dict[str, object]


@pytest.fixture(scope="module")
def with_postgresql(cookies_session: Cookies) -> Iterator[Attached]:
    service = install(Baker(cookies_session).bake())
    with postgres_server(service) as server:
        yield Attached(service, server, {"database_url": server.url, "drain_seconds": 0})


@pytest.fixture(scope="module")
def with_mongodb(cookies_session: Cookies) -> Iterator[Attached]:
    service = install(Baker(cookies_session).bake(database="mongodb"))
    with mongodb.server() as server:
        assert service.run("migrate", mongodb_url=server.url).returncode == 0
        yield Attached(service, server, {"mongodb_url": server.url, "drain_seconds": 0})


@pytest.fixture(params=["with_postgresql", "with_mongodb"])
def attached(request: pytest.FixtureRequest) -> Attached:
    found: Attached = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("outage", ["killed", "frozen"])
def test_a_web_process_survives_an_outage_of_its_database(attached: Attached, outage: str) -> None:
    server = attached.server
    stop, resume = {
        "killed": (server.kill, server.start),
        "frozen": (server.freeze, server.thaw),
    }[outage]
    with Web(attached.service, **attached.settings) as web:
        web.wait_until_ready()
        placed = web.place("tea")
        stop()
        try:
            assert web.get("/livez").status_code == 200
            assert web.get("/readyz").status_code == 503
            assert web.place("coffee").status_code == 503
            assert web.get("/orders").status_code == 503
        finally:
            resume()
        web.wait_until_ready()
        assert web.get(placed.headers["location"]).json() == placed.json()
        assert {web.place("tea").status_code for _ in range(20)} == {201}
        assert web.stop() == 0


def test_a_restart_of_mongodb_between_two_requests_has_no_effect(with_mongodb: Attached) -> None:
    with Web(with_mongodb.service, **with_mongodb.settings) as web:
        placed = web.place("tea")
        with_mongodb.server.kill()
        with_mongodb.server.start()
        assert web.get(placed.headers["location"]).json() == placed.json()


def test_wrong_credentials_for_mongodb_are_an_outage_and_not_logged(with_mongodb: Attached) -> None:
    service, url = with_mongodb.service, with_mongodb.server.url
    credentials, at, _ = url.removeprefix("mongodb://").rpartition("@")
    if not at:
        pytest.skip("mongod runs without users here")
    wrong = url.replace(credentials, "app:hunter2")
    with Web(service, mongodb_url=wrong, drain_seconds=0) as web:
        assert web.get("/livez").status_code == 200
        ready = web.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "auth")
        assert web.place("tea").status_code == 503
        web.stop()
        assert "hunter2" not in str(web.lines)
    done = service.run("migrate", mongodb_url=wrong)
    assert done.returncode == 69
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.minutes
def test_a_service_with_mongodb_passes_conformance(with_mongodb: Attached) -> None:
    folder = with_mongodb.service.folder
    commit(folder)
    variables = {"MONGODB_URL": with_mongodb.server.url, "CONFORMANCE_DOCKER": "no"}
    done = make(folder, "conformance", **variables)
    assert done.returncode == 0, done.stdout + done.stderr


class Client(threading.Thread):
    """Places orders and reads them from both replicas, without pause."""

    def __init__(self, replicas: list[Web], stop: threading.Event) -> None:
        super().__init__()
        self._replicas, self._stop_requested = replicas, stop
        self.rounds = 0
        self.unexpected: list[list[int]] = []

    def run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as http:
            while not self._stop_requested.is_set() and not self.unexpected:
                self._round(http)
                self.rounds += 1

    def _round(self, http: httpx.Client) -> None:
        url = f"{self._replicas[0].url}/orders"
        placed = http.post(url, json={"item": "tea", "quantity": 1})
        path = placed.headers.get("location", "/none")
        found = [http.get(web.url + path).status_code for web in self._replicas]
        if [placed.status_code, *found] != [201, 200, 200]:
            self.unexpected.append([placed.status_code, *found])


@pytest.fixture(scope="module")
def with_redis(cookies_session: Cookies) -> Iterator[Attached]:
    service = install(Baker(cookies_session).bake(redis=True))
    with postgres_server(service, redis_url="redis://127.0.0.1:1") as server:
        settings = {"database_url": server.url, "rate_limit_per_minute": 1_000_000}
        yield Attached(service, server, settings)


def test_no_request_fails_while_redis_is_killed_and_frozen(with_redis: Attached) -> None:
    redis, stop = RedisServer(), threading.Event()
    settings = with_redis.settings | {"redis_url": redis.url, "drain_seconds": 0}
    with Web(with_redis.service, **settings) as web, Web(with_redis.service, **settings) as other:
        clients = [Client([web, other], stop) for _ in range(6)]

        def wait_for_rounds() -> None:
            """Wait until each client has completed ten more rounds."""
            goals = [client.rounds + 10 for client in clients]
            while any(c.rounds < goal for c, goal in zip(clients, goals, strict=True)):
                assert all(client.is_alive() for client in clients)

        def health() -> str:
            ready = web.get("/readyz")
            assert ready.status_code == 200
            state: str = ready.json()["checks"]["redis"]
            return state

        def is_health(expected: str) -> bool:
            return health() == expected

        for client in clients:
            client.start()
        changes: list[tuple[Callable[[], None], str]] = [
            (redis.kill, "degraded"),
            (redis.start, "ok"),
            (redis.freeze, "degraded"),
            (redis.thaw, "ok"),
        ]
        for change, expected in [*changes, *changes]:
            wait_for_rounds()
            change()
            until(partial(is_health, expected))
        wait_for_rounds()
        stop.set()
        for client in clients:
            client.join()
        assert web.stop() == 0
        events = [line["event"] for line in web.lines if "redis" in line["event"]]
    redis.kill()
    assert [client.unexpected for client in clients] == [[]] * 6
    assert events == ["redis unavailable", "redis available"] * 4
