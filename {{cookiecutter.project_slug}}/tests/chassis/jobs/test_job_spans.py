"""Spans of a request and of its job, as a collector receives them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ...support.job_fixtures import Worker, place_order
from ...support.service import Service, until


class Collector(ThreadingHTTPServer):
    """Keeps the spans that it receives."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        super().__init__(("127.0.0.1", 0), Receiver)

    def named(self, name: str) -> Span:
        """Wait for a span."""
        until(lambda: any(span.name == name for span in self.spans))
        return next(span for span in self.spans if span.name == name)

    def within(self, parent: Span) -> list[str]:
        return [span.name for span in self.spans if span.parent_span_id == parent.span_id]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


@pytest.fixture
def traced(environment: dict[str, str], collector: Collector) -> dict[str, str]:
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "10"}
    return environment | variables | {"CLEANUP_SCHEDULE": "0 0 1 1 *"}


def test_a_request_and_its_job_are_one_trace(collector: Collector, traced: dict[str, str]) -> None:
    with Service(traced) as service, Worker(traced) as worker:
        place_order(service)
        requested = service.wait_for("request", route="/orders")
        done = worker.wait_for("job", outcome="done", task="fulfil")
        scheduled = worker.wait_for("job", outcome="done", task="cleanup")
        request, job = collector.named("POST /orders"), collector.named("fulfil")
        cleanup = collector.named("cleanup")
        assert job.parent_span_id == request.span_id
        assert job.kind == Span.SPAN_KIND_CONSUMER
        assert request.trace_id.hex() == requested["trace_id"] == done["trace_id"]
        assert cleanup.trace_id.hex() == scheduled["trace_id"]
        assert (job.trace_id, cleanup.parent_span_id) == (request.trace_id, b"")
        attributes = {a.key: a.value.string_value or a.value.int_value for a in job.attributes}
        assert attributes == {
            "messaging.system": "procrastinate",
            "messaging.operation.type": "process",
            "messaging.destination.name": "default",
            "messaging.message.id": str(done["job_id"]),
            "job.attempt": 1,
        }
        assert "INSERT" in collector.within(request)
        assert {"SELECT", "UPDATE"} <= set(collector.within(job))


def test_a_worker_reports_readiness_and_saturation(worker: Worker) -> None:
    until(lambda: worker.get("/readyz").status_code == 200)
    assert worker.metric("service_ready") == 1
    assert worker.metric('backing_service_available{name="database"}') == 1
    assert worker.metric("http_server_active_requests") == 0
    assert worker.metric("event_loop_lag_seconds") >= 0
    assert worker.metric("db_client_connection_max") == 10
