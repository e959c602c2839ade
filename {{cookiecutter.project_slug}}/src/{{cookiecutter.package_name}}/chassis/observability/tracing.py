"""OpenTelemetry traces, exported by OTLP; off unless an endpoint is set."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from ..config.settings import BaseServiceSettings

REQUEST_SPANS: TelemetryConfig = {
    "auto_configure": False,
    "logs": False,
    "metrics": False,
    "operation_spans": False,
}
"""The framework creates a span per request and nothing else."""
FLUSH_SECONDS = 0.5
"""Flush timeout of a stopping process; the collector may be unavailable."""


@contextmanager
def open_tracing(settings: BaseServiceSettings, process: str) -> Iterator[None]:
    """Export spans until the context ends, then flush the last ones."""
    if settings.otel_exporter_otlp_endpoint is None:
        yield
        return
    # Imported only by processes that export traces.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    identity = {
        "service.name": settings.otel_service_name,
        "service.version": settings.revision,
        "process.command": process,
    }
    provider = TracerProvider(resource=Resource.create(identity), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        flush = threading.Thread(target=provider.shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)
