"""The job queue: procrastinate's tables in the service's own database."""

from dataclasses import dataclass
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row, tuple_row

from ..postgres.pool import Pool
from .connector import Connector
from .context import CONTEXT, with_context

_deferring = App(connector=PsycopgConnector())  # Never connects: it uses the caller's connection.

OLDEST = """
SELECT extract(epoch FROM now() - least(
    (SELECT min(scheduled_at) FROM procrastinate_jobs
        WHERE status = 'todo' AND scheduled_at <= now()),
    (SELECT min(at) FROM procrastinate_events WHERE job_id = (
        SELECT min(id) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL
    ))
))::float
"""
"""A job without a schedule is due when it is deferred; its event has the time."""
FAILED = """
SELECT id, task_name AS task, attempts,
    CASE jsonb_typeof(args) WHEN 'object' THEN args - %s ELSE args END AS arguments
FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id
"""


async def defer(connection: AsyncConnection, task: str, **arguments: str | int) -> None:
    """Defer a job in the transaction of `connection`: both are committed, or neither.

    The log records of the job have the `request_id` and the `trace_id` of the current request.
    """
    deferrer = _deferring.configure_task(task, connection=connection)
    await deferrer.defer_async(**with_context(arguments))


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that has failed for good."""

    id: int
    task: str
    arguments: dict[str, Any]
    attempts: int


class JobQueue:
    """The queue that workers fetch jobs from and operators inspect."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def connect(self) -> Connector:
        """Return procrastinate's connector, whose statements all go through the pool."""
        connector = Connector(self.pool)
        await connector.open_pool()
        return connector

    async def counts(self) -> dict[str, int]:
        """Count jobs by status; finished ones are deleted."""
        async with self.pool.connection(seconds=1) as connection:
            cursor = connection.cursor(row_factory=tuple_row)
            await cursor.execute("SELECT status, count(*) FROM procrastinate_jobs GROUP BY status")
            return dict(await cursor.fetchall())

    async def oldest_seconds(self) -> float:
        """Return how long the oldest job that no worker has begun is due; 0 if none is due."""
        async with self.pool.connection(seconds=1) as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            await cursor.execute(OLDEST)
            return await cursor.fetchone() or 0

    async def failed(self) -> list[FailedJob]:
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(FailedJob))
            await cursor.execute(FAILED, (CONTEXT,))
            return await cursor.fetchall()

    async def retry(self, job_id: int) -> bool:
        """Queue a failed job again, for one more attempt; return whether there was such a job."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)"
                " FROM procrastinate_jobs WHERE id = %s AND status = 'failed'",
                (job_id,),
            )
        return cursor.rowcount == 1

    async def discard(self, job_id: int) -> bool:
        """Delete a failed job; return whether there was such a job."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'failed'", (job_id,)
            )
        return cursor.rowcount == 1

    async def requeue_stalled(self, lease_seconds: float, attempts: int) -> list[int]:
        """Requeue the jobs of workers without a heartbeat within the lease; return their ids.

        A crashed worker counts as an attempt: after the last one the job fails, so that it cannot
        crash one worker after the other.
        """
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            await cursor.execute(
                """
                WITH stalled AS (
                    SELECT job.id, job.attempts
                    FROM procrastinate_jobs AS job
                    LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
                    WHERE job.status = 'doing' AND (
                        worker.id IS NULL
                        OR worker.last_heartbeat < now() - make_interval(secs => %s)
                    )
                    FOR UPDATE OF job SKIP LOCKED
                )
                SELECT id, CASE
                    WHEN attempts + 1 < %s
                    THEN procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)
                    ELSE procrastinate_finish_job_v1(id, 'failed', false)
                END
                FROM stalled
                """,
                (lease_seconds, attempts),
            )
            return await cursor.fetchall()
