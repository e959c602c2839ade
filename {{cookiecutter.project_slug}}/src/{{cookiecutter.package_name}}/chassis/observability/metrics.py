"""Prometheus metrics, named as in OpenTelemetry."""

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus

from prometheus_client import REGISTRY, Histogram
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from .stdout import stdout

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
WITHOUT_METHOD = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS}
"""Statuses that are counted without the method, which may be any text."""

_request_duration = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, from the first byte to the last.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)


@cache
def request_duration(method: str, route: str, status: int) -> Histogram:
    """Return the series of a method, route and status; cached, because `labels` is slow."""
    if method not in METHODS or status in WITHOUT_METHOD:
        method = "_OTHER"
    return _request_duration.labels(method, route, status)


class _LogLines(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        text = "Log records dropped because standard output was not read in time."
        yield CounterMetricFamily("log_records_dropped", text, stdout.dropped)


REGISTRY.register(_LogLines())
