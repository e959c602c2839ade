"""Application of the worker process: probes, metrics, and the loop that runs jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ..http.app import create_http_app
from ..readiness import Ping, Readiness
from .loop import run_jobs
from .observability import silence_procrastinate, update_metrics
from .queue import JobQueue
from .settings import WorkerSettings
from .tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The queue, its tasks, and the pings of the backing services that these need."""

    queue: JobQueue
    add_tasks: Sequence[Callable[[Tasks], None]]
    pings: Mapping[str, Ping]


def create_worker_app(
    settings: WorkerSettings,
    readiness: Readiness,
    open_jobs: Callable[[], AbstractAsyncContextManager[Jobs]],
) -> FastAPI:
    """Create an application that runs jobs during its lifespan."""
    silence_procrastinate()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_jobs() as jobs:
            readiness.pings = jobs.pings
            app.state.queue = jobs.queue
            app.state.loop = asyncio.create_task(run_jobs(settings, jobs.queue, jobs.add_tasks))
            yield

    without_docs = settings.model_copy(update={"docs_enabled": False})
    app = create_http_app(without_docs, readiness, lifespan)

    @app.get("/metrics")
    async def metrics() -> Response:
        await update_metrics(app.state.queue)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
