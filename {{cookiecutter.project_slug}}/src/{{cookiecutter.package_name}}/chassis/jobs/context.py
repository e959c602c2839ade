"""Context of the request that deferred a job: the log records of both have the same ids."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import attach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars, get_contextvars

CONTEXT = "_context"
"""Reserved argument of a job, which its task does not get."""
IDS = ("request_id", "trace_id")

_w3c = TraceContextTextMapPropagator()


def with_context(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Add the ids of the current request, and its `traceparent` if traces are exported."""
    bound = get_contextvars()
    context = {name: bound[name] for name in IDS if name in bound}
    _w3c.inject(context)
    return {**arguments, CONTEXT: context} if context else {**arguments}


def restore_context(arguments: dict[str, Any]) -> None:
    """Remove the context from the arguments; make it that of the current task of asyncio.

    Scheduled jobs have none.
    """
    given = arguments.pop(CONTEXT, None)
    if isinstance(given, dict):
        context = {name: value for name, value in given.items() if isinstance(value, str)}
        bind_contextvars(**{name: context[name] for name in IDS if name in context})
        attach(_w3c.extract(context))
