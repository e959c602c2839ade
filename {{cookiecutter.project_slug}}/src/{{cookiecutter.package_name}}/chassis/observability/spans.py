"""Spans within requests and jobs, and of calls made with httpx, if traces are exported."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, StatusCode

from ..config.settings import BaseServiceSettings
from .tracing import exports

FIRST_ERROR_STATUS = 400
tracer = trace.get_tracer(__name__)


@contextmanager
def span(name: str, kind: SpanKind, attributes: Mapping[str, str | int]) -> Iterator[Span]:
    """Create the current span; of an error it has the type, since messages may hold values."""
    with tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            fail(current, type(error).__qualname__)
            raise


def fail(current: Span, error: str) -> None:
    """Mark a span as failed, for this reason."""
    current.set_status(StatusCode.ERROR)
    current.set_attribute("error.type", error)


@contextmanager
def open_spans(settings: BaseServiceSettings) -> Iterator[None]:
    """Until the context ends, create a span for each call with httpx, and pass its context on.

    The package of OpenTelemetry for httpx requires another version of its SDK.
    """
    if not exports(settings) or find_spec("httpx") is None:
        yield
        return
    transport = resolve_name("httpx:AsyncHTTPTransport")
    send = transport.handle_async_request

    async def send_traced(self: object, request: Any) -> Any:
        url = request.url
        attributes = {
            "http.request.method": request.method,
            "server.address": url.host,
            "server.port": url.port or {"http": 80}.get(url.scheme, 443),
            "url.full": str(url.copy_with(userinfo=b"", query=None, fragment=None)),
        }
        with span(request.method, SpanKind.CLIENT, attributes) as current:
            inject(request.headers)
            response = await send(self, request)
            current.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= FIRST_ERROR_STATUS:
                fail(current, str(response.status_code))
            return response

    transport.handle_async_request = send_traced
    try:
        yield
    finally:
        transport.handle_async_request = send
