"""START HERE for the worker process, made of resources and tasks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from .chassis.jobs.queue import JobQueue
from .chassis.jobs.server import Jobs, create_worker_app
from .chassis.readiness import Readiness
from .orders.tasks import add_tasks
from .resources import open_resources
from .settings import Settings


def create_app(settings: Settings, readiness: Readiness) -> FastAPI:
    """Create the application, which runs jobs and serves probes."""

    @asynccontextmanager
    async def open_jobs() -> AsyncIterator[Jobs]:
        async with open_resources(settings, "worker") as resources:
            tasks = partial(
                add_tasks,
                orders=resources.orders,
                cleanup_schedule=settings.cleanup_schedule,
                keep_days=settings.keep_days,
            )
            yield Jobs(JobQueue(resources.database.pool), tasks, resources.pings)

    return create_worker_app(settings, readiness, open_jobs)
