"""The worker process: its application, which runs jobs, and its server, which drains them."""

import asyncio
import os
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ..http.app import create_http_app
from ..http.server import Server, serve
from ..observability.logs import log
from ..readiness import Ping, Readiness
from ..service import Service
from .loop import Middleware, run_jobs
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
    others: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """What runs beside the jobs, until cancelled."""
    middleware: Sequence[Middleware] = ()
    """Middleware of each attempt at a job, within that which logs it."""


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
            app.state.loop = asyncio.create_task(_run(settings, jobs))
            yield

    without_docs = settings.model_copy(update={"docs_enabled": False})
    app = create_http_app(without_docs, readiness, lifespan)

    @app.get("/metrics")
    async def metrics() -> Response:
        await update_metrics(app.state.queue)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


async def _run(settings: WorkerSettings, jobs: Jobs) -> None:
    async with asyncio.TaskGroup() as group:
        for other in jobs.others:
            group.create_task(other())
        group.create_task(run_jobs(settings, jobs.queue, jobs.add_tasks, jobs.middleware))


class WorkerServer(Server):
    """Drains by finishing jobs; unfinished ones are released to other workers."""

    def __init__(self, app: FastAPI, settings: WorkerSettings, readiness: Readiness) -> None:
        # The first half is for finishing jobs (see `loop.py`), the second for releasing others.
        closing = min(1, settings.shutdown_seconds / 4)
        probes = {
            "port": settings.metrics_port,
            "drain_seconds": settings.shutdown_seconds - closing,
            "shutdown_seconds": closing,
        }
        super().__init__(app, settings.model_copy(update=probes), readiness)
        self._app = app

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: raise the error of a failed loop; when draining, exit after it."""
        late = await super().on_tick(counter)
        loop: asyncio.Task[None] = self._app.state.loop
        if not self._readiness.draining:
            if loop.done():
                loop.result()
            return late
        loop.cancel()  # A task group ignores further cancellations.
        self.should_exit = loop.done()
        if late and not self.should_exit:
            log.warning("unfinished jobs released")
            os._exit(0)
        return self.should_exit


def run(service: Service, settings: WorkerSettings, _: Namespace) -> int:
    """Run jobs until SIGTERM, with probes and metrics on the metrics port."""
    readiness = Readiness()
    app = service.target("worker")(settings, readiness)
    server = WorkerServer(app, settings, readiness)
    return serve(server, settings.host, settings.metrics_port)
