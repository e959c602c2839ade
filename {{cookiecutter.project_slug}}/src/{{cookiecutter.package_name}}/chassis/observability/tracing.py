"""OpenTelemetry traces, exported by OTLP; the SDK reads its variables, `OTEL_*`, itself."""

import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from logging.handlers import BufferingHandler
from typing import TYPE_CHECKING
from urllib.parse import unquote

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


def validate_propagators(environ: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` for `OTEL_PROPAGATORS`, which is read when it is imported."""
    if environ.get("OTEL_PROPAGATORS"):
        try:
            import opentelemetry.propagate  # noqa: F401, PLC0415
        except ValueError as error:
            raise ConfigurationError({"OTEL_PROPAGATORS": str(error)}) from None


def validate(settings: BaseServiceSettings, environ: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` for an invalid variable that only the SDK reads."""
    if not exports(settings):
        return
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := environ.get(name):
            if protocol == "http/protobuf":
                break
            raise ConfigurationError({name: "only `http/protobuf` is supported"})
    problems = {
        name: "HTTP headers cannot hold these characters"
        for name in ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
        if not re.fullmatch(r"[\x20-\x7e]*", unquote(environ.get(name, "")))
    }
    # The SDK only warns of values that it ignores, and its warnings quote them.
    logger, warnings = logging.getLogger("opentelemetry"), BufferingHandler(capacity=1000)
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        _provider(settings, "").shutdown()
    except ValueError as error:
        problems["OTEL_*"] = str(error)
    finally:
        logger.removeHandler(warnings)
        logger.propagate = True
    for warning in warnings.buffer:
        problems |= dict.fromkeys(_quoted(warning, environ), warning.msg.partition(" %")[0])
    if problems:
        raise ConfigurationError(problems)


def _quoted(warning: logging.LogRecord, environ: Mapping[str, str]) -> list[str]:
    """Return the variables that a warning quotes by name or value, or else a general name."""
    if not isinstance(warning.args, tuple) or not warning.args:
        return ["OTEL_*"]
    first = str(warning.args[0]).strip().lower()
    otel = {name: value.lower() for name, value in environ.items() if name.startswith("OTEL_")}
    names = [n for n, v in otel.items() if first in {n.lower(), *re.split(" *, *", v)}]
    return names or ["OTEL_*"]


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
