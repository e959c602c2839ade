"""Metrics for Prometheus, named as OpenTelemetry names them, on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus

from prometheus_client import REGISTRY, Histogram, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from .stdout import stdout

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
WHATEVER_THE_METHOD = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS}
"""Refusals that would make a series per method, for as long as somebody tries one after another."""

_request_duration = Histogram(
    "http_server_request_duration_seconds",
    "How long requests took, from the first byte to the last.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)


@cache
def request_duration(method: str, route: str, status: int) -> Histogram:
    """Return the series of a method, route template and status, which `labels` finds slowly."""
    if method not in METHODS or status in WHATEVER_THE_METHOD:
        method = "_OTHER"
    return _request_duration.labels(method, route, status)


class _LogLines(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        text = "Lines that nobody read from standard output in time."
        yield CounterMetricFamily("log_lines_dropped", text, stdout.dropped)


REGISTRY.register(_LogLines())


@contextmanager
def open_metrics_server(host: str, port: int) -> Iterator[None]:
    """Answer `GET /metrics` from a thread of its own; raises `OSError` where the port is taken."""
    server, thread = start_http_server(port, host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
