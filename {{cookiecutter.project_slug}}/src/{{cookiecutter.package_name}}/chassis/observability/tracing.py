"""OpenTelemetry traces, exported by OTLP; the SDK reads its variables, `OTEL_*`, itself."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace

from ..config.loader import ConfigurationError
from ..config.settings import BaseServiceSettings

if TYPE_CHECKING:  # Slow to import.
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import TracerProvider

REQUEST_SPANS: "TelemetryConfig" = {
    "auto_configure": False,
    "logs": False,
    "metrics": False,
    "operation_spans": False,
}
"""The framework creates a span per request and nothing else."""
FLUSH_SECONDS = 0.5
"""Flush timeout of a stopping process; the collector may be unavailable."""


def exports(settings: BaseServiceSettings) -> bool:
    """Return whether to export: by default, if an endpoint is set."""
    endpoint = settings.otel_exporter_otlp_traces_endpoint or settings.otel_exporter_otlp_endpoint
    exporter = settings.otel_traces_exporter or ("otlp" if endpoint else "none")
    return exporter == "otlp" and not settings.otel_sdk_disabled


def validate(settings: BaseServiceSettings, environ: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` for an invalid variable that only the SDK reads."""
    if not exports(settings):
        return
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := environ.get(name):
            if protocol == "http/protobuf":
                break
            raise ConfigurationError({name: "only `http/protobuf` is supported"})
    try:
        _provider(settings, "").shutdown()
    except ValueError as error:
        raise ConfigurationError({"OTEL_*": str(error)}) from None


@contextmanager
def open_tracing(settings: BaseServiceSettings, process: str) -> Iterator[None]:
    """Export spans until the context ends, then flush the last ones."""
    if not exports(settings):
        yield
        return
    provider = _provider(settings, process)
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        flush = threading.Thread(target=provider.shutdown, daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)


def _provider(settings: BaseServiceSettings, process: str) -> "TracerProvider":
    # Imported only by processes that export traces.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    identity = {
        "service.name": settings.otel_service_name,
        "service.version": settings.revision,
        "process.command": process,
    }
    # `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` take precedence.
    resource = Resource.create(identity).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
