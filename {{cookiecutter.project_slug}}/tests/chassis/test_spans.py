"""Spans of calls with httpx."""

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from {{ cookiecutter.package_name }}.chassis.observability import spans
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import NO_TLS, Service


async def test_a_call_has_a_span_whose_context_is_passed_on(
    exported: InMemorySpanExporter, tracing: Settings, service: Service
) -> None:
    async with httpx.AsyncClient(verify=NO_TLS) as client:
        with spans.open_spans(tracing):
            url = service.url.replace("//", "//name:hunter2@")
            await client.get(f"{url}/version", params={"token": "hunter2"})
            line = service.wait_for("request", route="/version")
            await client.get(f"{service.url}/no/such/path")
        await client.get(f"{service.url}/version")
    first, failed = exported.get_finished_spans()
    assert (first.name, first.kind, first.status.status_code) == (
        "GET",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert first.context
    assert line["trace_id"] == trace.format_trace_id(first.context.trace_id)
    assert first.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(service.url.rpartition(":")[2]),
        "url.full": f"{service.url}/version",
    }
    assert failed.attributes
    assert failed.attributes["error.type"] == "404"
    assert failed.status.status_code == StatusCode.ERROR


async def test_a_failed_call_has_the_type_of_its_error(
    exported: InMemorySpanExporter, tracing: Settings
) -> None:
    with spans.open_spans(tracing):
        async with httpx.AsyncClient(verify=NO_TLS) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:1/hunter2")
    (failed,) = exported.get_finished_spans()
    assert failed.attributes
    assert failed.attributes["error.type"] == "ConnectError"
    assert (failed.status.description, failed.events) == (None, ())


def test_nothing_changes_unless_traces_are_exported(settings: Settings, tracing: Settings) -> None:
    send = httpx.AsyncHTTPTransport.handle_async_request
    with spans.open_spans(settings):
        assert httpx.AsyncHTTPTransport.handle_async_request is send
    with spans.open_spans(tracing):
        assert httpx.AsyncHTTPTransport.handle_async_request is not send
    assert httpx.AsyncHTTPTransport.handle_async_request is send
