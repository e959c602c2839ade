"""How a worker works: it takes jobs until told to stop, through outages, and those of the dead."""

import asyncio
from contextlib import suppress

from procrastinate.exceptions import ConnectorException

from .domain.errors import Unavailable
from .job_observation import ObserveJobs
from .jobs import ATTEMPTS, add_jobs
from .lifecycle import Resources
from .logs import log
from .settings import Settings

PAUSE_SECONDS = 1
"""How long to wait before asking again: for a job where there was none, or for the database."""


async def work(settings: Settings, resources: Resources) -> None:
    """Do jobs until cancelled; then take no new one, finish what is begun or give it back."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_do_jobs(settings, resources))
        group.create_task(_take_over(settings, resources))


async def _do_jobs(settings: Settings, resources: Resources) -> None:
    app = await resources.jobs.app()
    add_jobs(app, settings, resources)
    away = False
    while True:
        try:
            await app.run_worker_async(
                concurrency=settings.worker_concurrency,
                delete_jobs="successful",
                fetch_job_polling_interval=PAUSE_SECONDS,
                install_signal_handlers=False,
                listen_notify=False,
                shutdown_graceful_timeout=settings.shutdown_seconds / 2,
                stalled_worker_timeout=settings.job_lease_seconds,
                update_heartbeat_interval=settings.job_lease_seconds / 3,
                worker_middleware=[ObserveJobs(settings.job_seconds)],
            )
            away = False
        except (ConnectorException, Unavailable) as error:
            if not away:
                failure = error.failure if isinstance(error, Unavailable) else type(error).__name__
                log.warning("takes no jobs", failure=failure)
            away = True
        await asyncio.sleep(PAUSE_SECONDS)


async def _take_over(settings: Settings, resources: Resources) -> None:
    lease = settings.job_lease_seconds
    while True:
        with suppress(Unavailable):
            if taken := await resources.jobs.take_over(lease, ATTEMPTS):
                log.warning("took over jobs of a worker that is gone", jobs=taken)
        await asyncio.sleep(lease / 3)
