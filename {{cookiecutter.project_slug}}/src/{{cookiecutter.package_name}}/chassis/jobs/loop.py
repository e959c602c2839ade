"""Main loop of the worker: runs jobs, survives outages, requeues jobs of crashed workers."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from ..errors import Unavailable
from ..observability.logs import log
from ..postgres.failures import category
from .observability import JobLogMiddleware
from .queue import JobQueue
from .settings import WorkerSettings
from .tasks import ATTEMPTS, Tasks

type Middleware = Callable[[Callable[[], Awaitable[Any]], JobContext, Worker], Awaitable[Any]]
"""Runs an attempt at a job, by awaiting the first argument."""

PAUSE_SECONDS = 1
"""Polling interval: for jobs without a notification, and after an outage."""


async def run_jobs(
    settings: WorkerSettings,
    queue: JobQueue,
    add_tasks: Sequence[Callable[[Tasks], None]],
    middleware: Sequence[Middleware] = (),
) -> None:
    """Run jobs until cancelled; then fetch no more, and finish or release those running."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_run(settings, queue, add_tasks, middleware))
        group.create_task(_requeue_stalled(settings.job_lease_seconds, queue))


async def _run(
    settings: WorkerSettings,
    queue: JobQueue,
    add_tasks: Sequence[Callable[[Tasks], None]],
    middleware: Sequence[Middleware],
) -> None:
    connector = await queue.connect()
    # The last tick is never too late: without a limit, a long outage would skip it in silence.
    app = App(connector=connector, periodic_defaults={"max_delay": math.inf})
    tasks = Tasks(app, settings.job_retry_seconds)
    for add in add_tasks:
        add(tasks)
    while True:
        try:
            await app.run_worker_async(
                concurrency=settings.worker_concurrency,
                delete_jobs="successful",
                fetch_job_polling_interval=PAUSE_SECONDS,
                install_signal_handlers=False,
                shutdown_graceful_timeout=settings.shutdown_seconds / 2,
                stalled_worker_timeout=settings.job_lease_seconds,
                update_heartbeat_interval=settings.job_lease_seconds / 3,
                worker_middleware=[JobLogMiddleware(settings.job_seconds), *middleware],
            )
        except (ConnectorException, Unavailable) as error:
            if connector.responded:
                if isinstance(error, Unavailable):
                    failure = error.failure
                else:
                    failure = category(error.__cause__ or error)
                log.warning("job fetch failed", failure=failure)
            connector.responded = False
        await asyncio.sleep(PAUSE_SECONDS)


async def _requeue_stalled(lease: float, queue: JobQueue) -> None:
    while True:
        with suppress(Unavailable):
            if jobs := await queue.requeue_stalled(lease, ATTEMPTS):
                log.warning("stalled jobs requeued", jobs=jobs)
        await asyncio.sleep(lease / 3)
