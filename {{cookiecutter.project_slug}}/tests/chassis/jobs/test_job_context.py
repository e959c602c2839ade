"""The log records of a job have the ids of the request that deferred it."""

import json
from contextvars import copy_context
from typing import Any

import psycopg
import pytest
from opentelemetry import trace
from structlog.contextvars import get_contextvars

from {{ cookiecutter.package_name }}.chassis.jobs.context import restore_context, with_context
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE

from ...support.job_fixtures import Worker, place_order
from ...support.service import Service, fetch, run

TRACE_ID = "ab" * 16
HEADERS = {"X-Request-ID": "abc-1", "traceparent": f"00-{TRACE_ID}-{'cd' * 8}-01"}
IDS = {"request_id": "abc-1", "trace_id": TRACE_ID}
ADD_JOB = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', %s, %s)"


def order(service: Service, item: str) -> None:
    fetch(f"{service.url}/orders", "POST", json=EXAMPLE | {"item": item}, headers=HEADERS)
    assert service.wait_for("request").items() >= IDS.items()


def restored(arguments: dict[str, Any]) -> tuple[dict[str, Any], trace.SpanContext]:
    """Restore the context of a job; return its ids and the parent of its span."""

    def restore() -> tuple[dict[str, Any], trace.SpanContext]:
        restore_context(arguments)
        return get_contextvars(), trace.get_current_span().get_span_context()

    return copy_context().run(restore)


@pytest.mark.usefixtures("failing_and_slow_jobs")
def test_each_attempt_has_the_ids_of_the_request(
    environment: dict[str, str], service: Service, worker: Worker
) -> None:
    order(service, "tea")
    worker.wait_for("job", outcome="done", task="fulfil", **IDS)
    order(service, "poison")
    for attempt, outcome in ((1, "retry"), (2, "retry"), (5, "failed")):
        worker.wait_for("job", outcome=outcome, attempt=attempt, **IDS)
    (failed,) = run(environment, "jobs").stdout.splitlines()
    assert json.loads(failed)["arguments"].keys() == {"order_id"}


def test_jobs_of_an_older_release_and_of_a_schedule_have_no_ids(
    environment: dict[str, str], service: Service, database: psycopg.Connection
) -> None:
    place_order(service)
    database.execute("UPDATE procrastinate_jobs SET args = args - '_context'")
    with Worker(environment | {"CLEANUP_SCHEDULE": "0 0 1 1 *"}) as worker:
        tasks = {worker.wait_for("job", outcome="done")["task"] for _ in range(2)}
        worker.terminate()
        worker.wait()
    assert tasks == {"fulfil", "cleanup"}
    logged = [json.loads(line) for line in worker.lines]
    assert not [line for line in logged if line["event"] == "job" and IDS.keys() & line.keys()]


def test_without_a_request_no_context_is_added() -> None:
    assert with_context({"number": 1}) == {"number": 1}


@pytest.mark.parametrize(
    ("context", "ids"),
    [
        (IDS, IDS),
        ({"request_id": 1, "trace_id": None, "traceparent": 2, "task": "x"}, {}),
        ("text", {}),
        (None, {}),
    ],
)
def test_a_malformed_context_is_ignored(context: Any, ids: dict[str, str]) -> None:
    arguments = {"number": 1, "_context": context}
    assert restored(arguments)[0] == ids
    assert arguments == {"number": 1}


def test_the_current_span_is_the_parent_of_the_job() -> None:
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    parent = trace.SpanContext(int(TRACE_ID, 16), 1, is_remote=False, trace_flags=sampled)
    with trace.use_span(trace.NonRecordingSpan(parent)):
        arguments = with_context({})
    _, found = restored(arguments)
    assert (found.trace_id, found.span_id, found.trace_flags) == (parent.trace_id, 1, sampled)
    assert found.is_remote
