"""Traces by OpenTelemetry, sent where the environment says; without such a place, none are made."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from .settings import Settings

REQUEST_SPANS: TelemetryConfig = {
    "auto_configure": False,
    "logs": False,
    "metrics": False,
    "operation_spans": False,
}
"""What the framework does by itself: a span for each request, and nothing else."""
FLUSH_SECONDS = 0.5
"""How long a stopping process tries to send the last traces; a collector may be down as well."""


@contextmanager
def open_tracing(settings: Settings) -> Iterator[None]:
    """Let the framework's spans be sent from now on, and the last of them at the end."""
    if settings.otel_exporter_otlp_endpoint is None:
        yield
        return
    # What most processes do without is not imported by all.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    identity = {"service.name": settings.otel_service_name, "service.version": settings.revision}
    provider = TracerProvider(resource=Resource.create(identity), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        flush = threading.Thread(target=provider.shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)
