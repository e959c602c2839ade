"""START HERE for the worker: what the process is made of, and how it starts, works and stops."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import exits
from .api import health, problems
from .api.browser_headers import SetBrowserHeaders
from .api.deadline import LimitTime
from .api.observe import ObserveRequests
from .job_observation import count_jobs, tell_only_of_unknown_jobs
from .lifecycle import open_resources
from .logs import log
from .server import Server, bind
from .settings import Settings
from .tracing import REQUEST_SPANS
from .work import work


def create_app(settings: Settings) -> FastAPI:
    """Build what answers probes and metrics; it works for as long as it is open."""
    readiness = health.Readiness()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "worker") as resources:
            readiness.pings = resources.pings
            app.state.jobs = resources.jobs
            app.state.work = asyncio.create_task(work(settings, resources))
            yield

    app = FastAPI(
        lifespan=lifespan, openapi_url=None, redirect_slashes=False, telemetry=REQUEST_SPANS
    )
    app.state.readiness = readiness
    app.add_middleware(LimitTime, seconds=settings.request_seconds)
    app.add_middleware(ObserveRequests, readiness=readiness)
    app.add_middleware(SetBrowserHeaders, hsts_seconds=settings.hsts_seconds)
    problems.install(app)
    identity = {"service": settings.otel_service_name, "revision": settings.revision}
    app.include_router(health.routes(readiness, identity))

    @app.get("/metrics")
    async def metrics() -> Response:
        await count_jobs(app.state.jobs)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def serve(settings: Settings) -> int:
    """Work until SIGTERM and return the exit status: 0, or 71 where the port is taken."""
    tell_only_of_unknown_jobs()
    app = create_app(settings)
    server = WorkerServer(app, settings, app.state.readiness)
    try:
        listener = bind(settings.host, settings.metrics_port)
    except OSError as error:
        port, reason = settings.metrics_port, error.strerror
        log.critical("cannot listen", host=settings.host, port=port, reason=reason)
        return exits.OSERR
    with listener:
        uvloop.run(server.serve(sockets=[listener]))
    log.info("stopped")
    return 0


class WorkerServer(Server):
    """Answers probes until the last job is done.

    What is not done in time is left to other workers, as if this one had been killed.
    """

    def __init__(self, app: FastAPI, settings: Settings, readiness: health.Readiness) -> None:
        # Half of the time is for finishing jobs (see `work.py`), the rest for giving back others.
        closing = min(1, settings.shutdown_seconds / 4)
        probes = {
            "port": settings.metrics_port,
            "drain_seconds": settings.shutdown_seconds - closing,
            "shutdown_seconds": closing,
        }
        super().__init__(app, settings.model_copy(update=probes), readiness)
        self._app = app

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether all is done; raises what has brought down the work."""
        late = await super().on_tick(counter)
        doing: asyncio.Task[None] = self._app.state.work
        if not self._readiness.draining:
            if doing.done():
                doing.result()
            return late
        doing.cancel()  # A group of tasks heeds it once.
        self.should_exit = doing.done()
        if late and not self.should_exit:
            log.warning("left jobs to other workers")
            os._exit(0)
        return self.should_exit
