"""Spans of attempts at jobs, if traces are exported."""

from collections.abc import Awaitable, Callable
from typing import Any

from opentelemetry.trace import SpanKind, format_trace_id
from procrastinate import JobContext
from procrastinate.worker import Worker
from structlog.contextvars import bind_contextvars, get_contextvars

from ..config.settings import BaseServiceSettings
from ..observability.spans import span
from ..observability.tracing import exports
from .loop import Middleware


def span_middleware(settings: BaseServiceSettings) -> list[Middleware]:
    """Return the middleware of the worker that creates a span for each attempt at a job."""
    return [_in_span] if exports(settings) else []


async def _in_span(proceed: Callable[[], Awaitable[Any]], context: JobContext, _: Worker) -> None:
    """Run the job in a span, a child of that of the request which deferred it."""
    job = context.job
    attributes: dict[str, str | int] = {
        "messaging.system": "procrastinate",
        "messaging.operation.type": "process",
        "messaging.destination.name": job.queue,
        "messaging.message.id": str(job.id),
        "job.attempt": job.attempts + 1,
    }
    with span(job.task_name, SpanKind.CONSUMER, attributes) as current:
        if "trace_id" not in get_contextvars():  # A scheduled job.
            bind_contextvars(trace_id=format_trace_id(current.get_span_context().trace_id))
        await proceed()
