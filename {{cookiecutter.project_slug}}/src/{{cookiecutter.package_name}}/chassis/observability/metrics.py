"""Prometheus metrics, named as in OpenTelemetry, on a separate port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import REGISTRY, Histogram, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from .stdout import stdout

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
WITHOUT_METHOD = {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS}
"""Statuses that are counted without the method, which may be any text."""
MOST_SCRAPES = 16
"""Connections to the metrics port, each with a thread; more are closed."""

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


class _MetricsHandler(WSGIRequestHandler):
    timeout = 5  # For each read, so that a silent client does not keep its thread.

    def log_message(self, *_: object) -> None: ...


class _MetricsServer(ThreadingWSGIServer):
    """Closes a connection at once while too many others are open."""

    def __init__(self, address: tuple[str, int], *given: Any) -> None:
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        super().__init__(address, *given)
        self._free = threading.BoundedSemaphore(MOST_SCRAPES)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


@contextmanager
def open_metrics_server(host: str, port: int) -> Iterator[None]:
    """Serve `GET /metrics` in a thread; raise `OSError` if the port is in use."""
    server = make_server(host, port, make_wsgi_app(), _MetricsServer, _MetricsHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
