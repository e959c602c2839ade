"""Spans of SQL statements, if traces are exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from opentelemetry.trace import SpanKind, get_current_span
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from ..observability.spans import span
from ..observability.tracing import exports
from .connection import Connection, Connector
from .settings import PostgresSettings


class TracedCursor(AsyncCursor[TupleRow]):
    """A cursor that creates a span for each statement of a request or a job.

    There are none for statements outside of a recorded span, such as polling the job queue.
    """

    async def execute(self, query: Any, *given: Any, **options: Any) -> Self:
        if not get_current_span().is_recording():
            return await super().execute(query, *given, **options)
        with _span(query):
            return await super().execute(query, *given, **options)

    async def executemany(self, query: Any, *given: Any, **options: Any) -> None:
        if not get_current_span().is_recording():
            return await super().executemany(query, *given, **options)
        with _span(query):
            return await super().executemany(query, *given, **options)


@contextmanager
def _span(query: object) -> Iterator[None]:
    attributes = {"db.system.name": "postgresql"}
    name = "SQL"  # Of a composed statement, whose text may hold values.
    if isinstance(query, str) and (words := query.split(maxsplit=1)):
        name, attributes["db.query.text"] = words[0].upper(), query.strip()
    with span(name, SpanKind.CLIENT, attributes):
        yield


@contextmanager
def trace_statements(settings: PostgresSettings) -> Iterator[None]:
    """Create spans on connections that are opened before the context ends."""
    if not exports(settings):
        yield
        return
    connect = Connector.connect

    async def connect_traced(self: Connector, *given: object, **options: object) -> Connection:
        connection = await connect(self, *given, **options)
        connection.cursor_factory = TracedCursor
        return connection

    Connector.connect = connect_traced  # type: ignore[method-assign]  # On purpose.
    try:
        yield
    finally:
        Connector.connect = connect  # type: ignore[method-assign]  # On purpose.
