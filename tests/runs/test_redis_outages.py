"""A service with Redis, while a real one is killed, frozen and started again."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.needs import lack, redis_server
from tests.support.running import PATIENCE, Database, Installed, Web, database, free_ports, install

pytestmark = pytest.mark.slow


class RedisServer:
    """A `redis-server` on a port of its own, which keeps nothing."""

    def __init__(self) -> None:
        (self._port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start it, again after `kill`, and wait until it can be reached."""
        self._process = subprocess.Popen(
            [str(redis_server()), "--port", str(self._port), "--save", "", "--appendonly", "no"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert any("Ready to accept connections" in line for line in self._process.stdout)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def freeze(self) -> None:
        """Keep it from answering, its connections open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake(redis=True))


@pytest.fixture(scope="module")
def postgres(service: Installed) -> Iterator[Database]:
    nowhere = {"redis_url": "redis://127.0.0.1:1"}
    # Not in a folder of pytest's: where root runs the tests, the server is another user's.
    with (
        TemporaryDirectory() as folder,
        database(service, Path(folder, "data"), **nowhere) as running,
    ):
        yield running


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    if not redis_server():
        lack("no redis-server or valkey-server is installed")
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture
def variables(postgres: Database, redis: RedisServer) -> dict[str, object]:
    """Settings of every replica; nobody here asks too often."""
    return {
        "database_url": postgres.url,
        "redis_url": redis.url,
        "drain_seconds": 0,
        "rate_limit_per_minute": 1_000_000,
    }


@pytest.fixture
def web(service: Installed, variables: dict[str, object]) -> Iterator[Web]:
    with Web(service, **variables) as running:
        yield running


def redis_is(web: Web, health: str) -> None:
    """Ask until it is; it is ready all along."""
    deadline = monotonic() + PATIENCE
    answer = web.get("/readyz")
    while answer.json()["checks"]["redis"] != health:
        answer = web.get("/readyz")
        assert monotonic() < deadline
    assert answer.status_code == 200


def said(web: Web) -> list[str]:
    """Return what it said of Redis until now."""
    return [line["event"] for line in web.lines if "redis" in line["event"]]


def assert_served(web: Web) -> None:
    assert web.get("/livez").status_code == 200
    for _ in range(5):
        placed = web.place("tea")
        assert placed.status_code == 201
        location = placed.headers["location"]
        for _ in range(3):
            found = web.get(location)
            assert (found.status_code, found.json()) == (200, placed.json())
        assert httpx.delete(web.url + location, timeout=PATIENCE).status_code == 204
        assert web.get(location).status_code == 404


def test_a_redis_that_is_killed_and_comes_back(redis: RedisServer, web: Web) -> None:
    redis_is(web, "ok")
    assert_served(web)
    redis.kill()
    assert_served(web)
    redis_is(web, "degraded")
    redis.start()
    redis_is(web, "ok")
    assert_served(web)
    assert web.get("/orders").headers["ratelimit"]
    assert web.stop() == 0
    assert said(web) == ["redis unavailable", "redis available"]


def test_a_redis_that_is_frozen_and_goes_on(redis: RedisServer, web: Web) -> None:
    redis_is(web, "ok")
    redis.freeze()
    assert_served(web)
    redis_is(web, "degraded")
    redis.thaw()
    redis_is(web, "ok")
    assert_served(web)


def test_a_redis_that_is_not_there_yet(
    service: Installed, variables: dict[str, object], redis: RedisServer
) -> None:
    redis.kill()
    with Web(service, **variables) as web:
        assert_served(web)
        redis_is(web, "degraded")
        redis.start()
        redis_is(web, "ok")
        assert_served(web)


def test_a_frozen_redis_keeps_no_process_from_its_end(redis: RedisServer, web: Web) -> None:
    redis_is(web, "ok")
    redis.freeze()
    assert web.stop() == 0


def test_check_tells_of_a_redis_that_is_away(
    service: Installed, variables: dict[str, object], redis: RedisServer
) -> None:
    assert service.run("check", **variables).returncode == 0
    redis.kill()
    done = service.run("check", **variables)
    assert done.returncode == 69
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {a["name"]: a["result"] for a in answers if a["event"] == "backing service"} == {
        "database": "ok",
        "redis": "degraded",
    }


class Client(threading.Thread):
    """Places orders and reads them at both replicas, as fast as it can."""

    def __init__(self, one: Web, other: Web, leave: threading.Event) -> None:
        super().__init__()
        self._one, self._other, self._leave = one, other, leave
        self.rounds = 0
        self.surprises: list[str] = []

    def run(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not self._leave.is_set() and not self.surprises:
                self._round(http)
                self.rounds += 1

    def _round(self, http: httpx.Client) -> None:
        placed = http.post(f"{self._one.url}/orders", json={"item": "tea", "quantity": 1})
        location = placed.headers.get("location", "/none")
        statuses = [placed.status_code]
        statuses += [http.get(web.url + location).status_code for web in (self._one, self._other)]
        if statuses != [201, 200, 200]:
            self.surprises.append(str(statuses))


def test_no_request_is_lost_when_redis_is_killed_frozen_and_started_again_under_load(
    service: Installed, variables: dict[str, object], redis: RedisServer, web: Web
) -> None:
    leave = threading.Event()
    with Web(service, **variables) as other:
        clients = [Client(web, other, leave) for _ in range(6)]

        def go_on() -> None:
            """Let every client come round some times more."""
            goals = [client.rounds + 10 for client in clients]
            while any(c.rounds < goal for c, goal in zip(clients, goals, strict=True)):
                assert all(client.is_alive() for client in clients)

        for client in clients:
            client.start()
        changes: list[Callable[[], None]] = [redis.kill, redis.start, redis.freeze, redis.thaw]
        for change in [*changes, *changes]:
            go_on()
            change()
        go_on()
        leave.set()
        for client in clients:
            client.join()
        redis_is(other, "ok")
    assert [client.surprises for client in clients] == [[]] * 6
