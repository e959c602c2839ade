"""Spans of SQL statements."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from psycopg import AsyncCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import scalar_row
from psycopg.sql import SQL, Literal

from {{ cookiecutter.package_name }}.chassis.observability import spans
from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.chassis.postgres.spans import trace_statements
from {{ cookiecutter.package_name }}.settings import Settings


def statement(span: ReadableSpan) -> tuple[str, object]:
    assert span.attributes
    assert span.kind == SpanKind.CLIENT
    assert span.attributes["db.system.name"] == "postgresql"
    return span.name, span.attributes.get("db.query.text")


async def test_each_statement_of_a_request_has_a_span(
    exported: InMemorySpanExporter, tracing: Settings
) -> None:
    with trace_statements(tracing):
        async with open_database(tracing, "test") as opened, opened.pool.connection() as connection:
            await connection.execute("SELECT 1")  # Outside of a request, like a poll.
            with spans.span("GET /orders", SpanKind.SERVER, {}):
                await connection.execute("\n  select %s", ("hunter2",))
                cursor = connection.cursor(row_factory=scalar_row)
                await cursor.execute("SELECT 2")
                assert await cursor.fetchone() == 2
                await connection.execute(SQL("SELECT {}").format(Literal("hunter2")))
                await connection.execute("CREATE TEMPORARY TABLE t (n int PRIMARY KEY)")
                await cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
                with pytest.raises(UniqueViolation):
                    await connection.execute("INSERT INTO t VALUES (%s)", (1,))
    *made, failed, parent = exported.get_finished_spans()
    assert [statement(span) for span in made] == [
        ("SELECT", "select %s"),
        ("SELECT", "SELECT 2"),
        ("SQL", None),
        ("CREATE", "CREATE TEMPORARY TABLE t (n int PRIMARY KEY)"),
        ("INSERT", "INSERT INTO t VALUES (%s)"),
    ]
    assert {span.parent and span.parent.span_id for span in (*made, failed)} == {
        parent.context and parent.context.span_id
    }
    assert failed.attributes
    assert failed.attributes["error.type"] == "UniqueViolation"
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, None)
    assert failed.events == ()


async def test_without_export_the_cursor_is_that_of_the_driver(settings: Settings) -> None:
    with trace_statements(settings):
        async with (
            open_database(settings, "test") as opened,
            opened.pool.connection() as connection,
        ):
            assert connection.cursor_factory is AsyncCursor
