"""The life of the default service, with a real database: work, outages, stops and kills."""

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.running import PATIENCE, Database, Installed, Web, database, install

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    return install(Baker(cookies_session).bake())


@pytest.fixture(scope="module")
def postgres(service: Installed) -> Iterator[Database]:
    # Not in a folder of pytest's: where root runs the tests, the server is another user's.
    with TemporaryDirectory() as folder, database(service, Path(folder, "data")) as running:
        yield running


@pytest.fixture
def web(service: Installed, postgres: Database) -> Iterator[Web]:
    with Web(service, database_url=postgres.url, drain_seconds=0) as running:
        yield running


def is_ready(web: Web) -> None:
    """Ask until it is ready."""
    deadline = monotonic() + PATIENCE
    while web.get("/readyz").status_code != 200:
        assert monotonic() < deadline


def test_orders_are_placed_once_found_and_listed(web: Web) -> None:
    first, again = (web.place("tea", key="only-once") for _ in range(2))
    assert (first.status_code, first.text) == (201, again.text)
    assert web.get(first.headers["location"]).json() == first.json()
    others = [web.place(f"cup {number}").json()["id"] for number in range(4)]
    page = web.get("/orders?limit=3").json()
    rest = web.get(f"/orders?limit=2&after={page['next']}").json()
    listed = [order["id"] for order in page["items"] + rest["items"]]
    assert listed == [*others[::-1], first.json()["id"]]


def test_errors_are_problems(web: Web) -> None:
    for answer, status in (
        (web.get("/no/such/path"), 404),
        (httpx.delete(f"{web.url}/orders"), 405),
        (web.place(""), 422),
        (httpx.post(f"{web.url}/orders", content=b"x" * 2_000_000), 413),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_what_one_process_stores_another_finds(
    service: Installed, postgres: Database, web: Web
) -> None:
    with Web(service, database_url=postgres.url) as other:
        for writer, reader in ((web, other), (other, web)):
            placed = writer.place("tea")
            location = placed.headers["location"]
            assert reader.get(location).json() == placed.json()
            assert httpx.delete(reader.url + location).status_code == 204
            assert writer.get(location).status_code == 404


def test_a_database_that_is_killed_and_comes_back(postgres: Database, web: Web) -> None:
    placed = web.place("tea")
    postgres.kill()
    assert web.get("/livez").status_code == 200
    assert web.get("/readyz").status_code == 503
    assert web.place("coffee").status_code == 503
    postgres.start()
    is_ready(web)
    assert web.get(placed.headers["location"]).json() == placed.json()
    assert {web.place("coffee").status_code for _ in range(20)} == {201}


def test_a_database_that_freezes_and_goes_on(postgres: Database, web: Web) -> None:
    is_ready(web)
    postgres.freeze()
    try:
        assert web.get("/livez").status_code == 200
        assert web.get("/readyz").status_code == 503
        assert web.place("tea").status_code == 503
    finally:
        postgres.thaw()
    is_ready(web)
    assert {web.place("tea").status_code for _ in range(20)} == {201}


def test_what_was_acknowledged_survives_a_kill(service: Installed, postgres: Database) -> None:
    acknowledged = []
    for _ in range(3):
        with Web(service, database_url=postgres.url) as web:
            acknowledged += [web.place("tea").headers["location"] for _ in range(20)]
            web.process.kill()
    with Web(service, database_url=postgres.url) as web:
        assert {web.get(location).status_code for location in acknowledged} == {200}


class Client(threading.Thread):
    """Places orders as fast as it can, until the balancer finds that the service is not ready."""

    def __init__(self, url: str, leave: threading.Event, *, keep_alive: bool) -> None:
        super().__init__()
        self._url, self._leave, self._keep_alive = url, leave, keep_alive
        self.statuses: list[int] = []
        self.failures: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=PATIENCE) as kept:
            while not self._leave.is_set():
                post = kept.post if self._keep_alive else httpx.post
                path = "/orders" if self._keep_alive else f"{self._url}/orders"
                try:
                    answer = post(path, json={"item": "tea", "quantity": 1})
                    self.statuses.append(answer.status_code)
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))


def test_a_stop_under_load_loses_no_request(service: Installed, postgres: Database) -> None:
    leave = threading.Event()
    with Web(service, database_url=postgres.url, drain_seconds=2) as web:
        is_ready(web)
        clients = [Client(web.url, leave, keep_alive=number % 2 == 0) for number in range(8)]
        for client in clients:
            client.start()
        while min(len(client.statuses) for client in clients) < 20:
            assert not any(client.failures for client in clients)
        web.process.terminate()
        while web.get("/readyz").status_code == 200:
            pass
        served = sum(len(client.statuses) for client in clients)
        while sum(len(client.statuses) for client in clients) < served + 50:
            assert web.process.poll() is None
        leave.set()
        for client in clients:
            client.join()
        assert web.process.wait(PATIENCE) == 0
        assert web.process.stderr
        assert web.process.stderr.read() == b""
    assert [client.failures for client in clients] == [[]] * 8
    assert {status for client in clients for status in client.statuses} == {201}
