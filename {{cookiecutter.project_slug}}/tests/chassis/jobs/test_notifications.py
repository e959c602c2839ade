"""A worker is notified of new jobs; it does not wait for its next poll."""

import asyncio
from contextlib import suppress

import psycopg
import pytest

from {{ cookiecutter.package_name }}.chassis.jobs import loop
from {{ cookiecutter.package_name }}.chassis.jobs.queue import JobQueue, defer
from {{ cookiecutter.package_name }}.chassis.jobs.tasks import Tasks
from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.service import TIMEOUT, until

LISTENING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle' AND query ^@ 'LISTEN'
"""


async def test_a_job_starts_without_polling(
    settings: Settings, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 3600)
    started = asyncio.Event()

    def add_tasks(tasks: Tasks) -> None:
        @tasks.add("start")
        async def start() -> None:
            started.set()

    async with open_database(settings, "test") as opened:
        queue = JobQueue(opened.pool)
        running = asyncio.create_task(loop.run_jobs(settings, queue, add_tasks))
        await asyncio.to_thread(until, lambda: database.execute(LISTENING).fetchone() == (1,))
        async with asyncio.timeout(TIMEOUT):
            while not started.is_set():  # The worker may not be idle yet.
                async with opened.pool.connection() as connection:
                    await defer(connection, "start")
                with suppress(TimeoutError):
                    await asyncio.wait_for(started.wait(), 1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
