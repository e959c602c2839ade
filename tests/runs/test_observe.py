"""`make observe`: logs, metrics and traces of running containers are found, and none is lost.

Grafana is not started: its image has no stand-in. What its panels ask is asked here.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import must_run
from tests.support.containers import Run
from tests.support.dashboards import Query, queries
from tests.support.needs import needs_docker
from tests.support.running import free_ports, install, until
from tools.images import images

pytestmark = [*needs_docker, pytest.mark.xdist_group("containers")]

SERVERS = ("collector", "logs", "prometheus", "traces")
ANSWERS: dict[str, Any] = {"worker": True, "events": True, "redis": True, "observe": True}
FAILURES = """
INSERT INTO events (stream, version, type, type_version, data, metadata)
    VALUES ('order-x', 1, 'OrderLost', 1, '{}', '{}');
INSERT INTO procrastinate_jobs (queue_name, task_name, args)
    VALUES ('default', 'fulfil', '{"a": 1}');
"""
"""An event and a job that nothing can process."""
GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
SELECTOR = re.compile(r"\b([a-z][a-z0-9_:]*)[{\[]")
FILES = ("--file", "compose.yaml", "--file", "observe/compose.yaml")


@pytest.fixture(scope="module")
def folder(cookies_session: Cookies) -> Iterator[Path]:
    baked = Baker(cookies_session).bake(project_slug="observed", **ANSWERS)
    install(baked)
    with images(list(baked.glob("*/compose.yaml"))):
        yield baked


@pytest.fixture(scope="module")
def compose(folder: Path) -> Run:
    def run(*arguments: str, **variables: str) -> str:
        variables = {"REVISION": "unknown"} | variables  # That of `make` outside of git.
        return must_run("docker", "compose", *FILES, *arguments, cwd=folder, **variables)

    return run


@pytest.fixture(scope="module")
def url(folder: Path, compose: Run) -> Iterator[str]:
    """Start all containers but Grafana; yield the URL of web."""
    port, grafana, logs = map(str, free_ports(3))
    started = f"CONTAINERS=web worker redis {' '.join(SERVERS)}"
    variables = {"PORT": port, "GRAFANA_PORT": grafana, "LOGS_PORT": logs}
    try:
        printed = must_run("make", "observe", started, cwd=folder, **variables)
        assert [line.split()[1] for line in printed.splitlines()[-3:]] == [
            f"http://127.0.0.1:{port}",
            f"http://localhost:{grafana}",
            f"http://localhost:{logs}/select/vmui",
        ]
        yield f"http://127.0.0.1:{port}"
    finally:
        must_run("make", "down", cwd=folder)
        assert compose("ps", "--services").split() == []
        compose("down", "--volumes", "--rmi", "local")


@pytest.fixture(scope="module")
def get(url: str, compose: Run) -> Callable[..., Any]:
    """Return a function that sends a GET request to a server of the stack."""
    del url

    def ask(address: str, **parameters: str) -> str:
        asked = f"http://{address}?{urlencode(parameters)}"
        return compose("exec", "-T", "worker", "python", "-c", GET, asked)

    return ask


def found(get: Callable[..., str], query: str) -> list[dict[str, str]]:
    """Return the log records that a query of VictoriaLogs finds."""
    lines = get("logs:9428/select/logsql/query", query=query).splitlines()
    return [json.loads(line) for line in lines if line]


def place(url: str, count: int) -> set[str]:
    """Place orders; return the ids of the requests."""
    ids = {uuid4().hex for _ in range(count)}
    for request_id in ids:
        headers = {"X-Request-ID": request_id}
        body = {"item": "tea", "quantity": 1}
        response = httpx.post(f"{url}/orders", json=body, headers=headers)
        assert response.status_code == 201
    return ids


def is_ready(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False


def are_logged(get: Callable[..., str], ids: set[str]) -> bool:
    logged = found(get, f"request_id:in({','.join(ids)}) _msg:=request")
    return sorted(each["request_id"] for each in logged) == sorted(ids)


def test_logs_of_a_killed_process_are_found(
    url: str, compose: Run, get: Callable[..., str]
) -> None:
    ids = place(url, 30)
    compose("kill", "--signal", "KILL", "web")
    until(lambda: are_logged(get, ids))
    compose("start", "web")
    until(lambda: is_ready(url))


def test_logs_are_kept_and_shipped_after_a_restart_of_the_store(
    url: str, compose: Run, get: Callable[..., str]
) -> None:
    before = place(url, 5)
    until(lambda: are_logged(get, before))
    compose("stop", "logs")
    meanwhile = place(url, 5)
    compose("start", "logs")
    until(lambda: are_logged(get, before | meanwhile))


def test_the_service_is_not_affected_without_the_stack_and_no_log_is_lost(
    url: str, compose: Run, get: Callable[..., str]
) -> None:
    compose("stop", *SERVERS)
    ids = place(url, 50)
    assert httpx.get(f"{url}/readyz").status_code == 200
    compose("start", *SERVERS)
    until(lambda: are_logged(get, ids))


def asked(get: Callable[..., str], query: str) -> list[dict[str, Any]]:
    """Return the series that a query of Prometheus finds."""
    answer = json.loads(get("prometheus:9090/api/v1/query", query=query))
    return list(answer["data"]["result"])


def test_a_request_is_found_in_the_log_with_its_job_in_its_trace_and_as_a_metric(
    url: str, compose: Run, get: Callable[..., str]
) -> None:
    (request_id,) = place(url, 1)

    def records() -> dict[str, dict[str, str]]:
        return {each["_msg"]: each for each in found(get, f"request_id:={request_id}")}

    until(lambda: records().keys() >= {"request", "job"})
    request, job = records()["request"], records()["job"]
    assert (request["process"], job["process"]) == ("web", "worker")
    assert request["trace_id"] == job["trace_id"]

    def names() -> set[str]:
        printed = compose("logs", "--no-log-prefix", "traces").split("Trace ID")[1:]
        return {
            line.partition(":")[2].strip()
            for span in printed
            if span.partition("\n")[0].endswith(request["trace_id"])
            for line in span.splitlines()
            if line.strip().startswith("Name  ")
        }

    until(lambda: names() >= {"POST /orders", "INSERT", "fulfil"})
    labels = 'job="web", http_route="/orders", http_request_method="POST"'
    until(lambda: bool(asked(get, f"http_server_request_duration_seconds_count{{{labels}}} > 0")))


def test_every_replica_is_scraped(url: str, compose: Run, get: Callable[..., str]) -> None:
    del url
    compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "worker=2", "worker")

    def jobs() -> list[str]:
        return sorted(each["metric"]["job"] for each in asked(get, "up == 1"))

    until(lambda: jobs() == ["web", "worker", "worker"])


@pytest.fixture(scope="module")
def traffic(url: str, compose: Run) -> None:
    """Let requests, jobs and projections succeed and fail; check a wrong configuration."""
    misspelt = ["--env", "DRAIN_SECOND=3"]
    compose("run", "-T", "--no-deps", *misspelt, "worker", "check")
    compose("exec", "-T", "postgres", "psql", "--username=app", "--quiet", "--command", FAILURES)
    place(url, 20)
    for path in ("/orders", "/orders/none", "/orders?limit=0"):
        httpx.get(f"{url}{path}")
    compose("stop", "postgres")
    assert httpx.get(f"{url}/orders", timeout=30).status_code == 503
    compose("start", "postgres")
    until(lambda: is_ready(url))


@pytest.mark.usefixtures("traffic")
def test_every_query_of_the_dashboards_has_data(folder: Path, get: Callable[..., str]) -> None:
    def has_data(query: Query) -> bool:
        return bool((found if query.source == "logs" else asked)(get, query.text))

    every = list(queries(folder))
    assert {query.source for query in every} == {"logs", "prometheus"}
    empty: list[Query] = []

    def all_have_data() -> bool:
        empty[:] = [query for query in empty or every if not has_data(query)]
        return not empty

    with suppress(AssertionError):
        until(all_have_data, seconds=60)
    assert empty == []


@pytest.mark.usefixtures("traffic")
def test_every_alert_is_evaluated_on_series_that_exist(get: Callable[..., str]) -> None:
    groups = json.loads(get("prometheus:9090/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 10
    assert {rule["health"] for rule in rules} == {"ok"}
    names = json.loads(get("prometheus:9090/api/v1/label/__name__/values"))["data"]
    selectors = {name for rule in rules for name in SELECTOR.findall(rule["query"])}
    assert selectors - set(names) == set()
