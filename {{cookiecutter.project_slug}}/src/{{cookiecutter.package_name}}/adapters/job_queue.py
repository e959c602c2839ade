"""The queue of jobs: rows in the service's own database, kept by procrastinate."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row, tuple_row

from .postgres_pool import Pool

_deferring = App(connector=PsycopgConnector())  # Connects to nothing: it writes what it is lent.


async def defer_fulfilment(connection: AsyncConnection, order_id: UUID) -> None:
    """Put the job of fulfilling this order into the transaction that `connection` is in."""
    job = _deferring.configure_task("fulfil", connection=connection)
    await job.defer_async(order_id=str(order_id))


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that was given up, with the arguments that it was deferred with."""

    id: int
    task: str
    arguments: dict[str, Any]
    attempts: int


class _Connector(PsycopgConnector):
    """Gives a name to arguments that have none, so that they are refused as any that do not fit."""

    async def execute_query_one_async(self, query: LiteralString, **values: Any) -> dict[str, Any]:
        row: dict[str, Any] = await super().execute_query_one_async(query, **values)
        if "args" in row and not isinstance(row["args"], dict):
            row["args"] = {"arguments": row["args"]}
        return row


class JobQueue:
    """What workers take jobs from, and operators look after."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def app(self) -> App:
        """Return the procrastinate application whose every statement goes through our pool."""
        connector = _Connector()
        await connector.open_async(pool=self.pool)  # type: ignore[arg-type]  # It lends as theirs.
        return App(connector=connector)

    async def counts(self) -> dict[str, int]:
        """Return how many jobs there are, by status; finished ones are deleted."""
        async with self.pool.connection(seconds=1) as connection:
            cursor = connection.cursor(row_factory=tuple_row)
            await cursor.execute("SELECT status, count(*) FROM procrastinate_jobs GROUP BY status")
            return dict(await cursor.fetchall())

    async def failed(self) -> list[FailedJob]:
        """Return the jobs that were given up, oldest first."""
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(FailedJob))
            await cursor.execute(
                "SELECT id, task_name AS task, args AS arguments, attempts"
                " FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id"
            )
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

    async def take_over(self, lease_seconds: float, attempts: int) -> list[int]:
        """Queue the jobs of workers that have said nothing for the lease; return their ids.

        The end of its worker counts as an attempt: a job that has had all of them is failed, so
        that none can bring down one worker after the other.
        """
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=scalar_row)
            await cursor.execute(
                """
                WITH left_behind AS (
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
                FROM left_behind
                """,
                (lease_seconds, attempts),
            )
            return await cursor.fetchall()
