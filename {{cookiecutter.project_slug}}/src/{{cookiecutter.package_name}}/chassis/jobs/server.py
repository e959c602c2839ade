"""Server of the worker: serves probes until the last job is done."""

import asyncio
import os
from argparse import Namespace

from fastapi import FastAPI

from ..http.server import Server, serve
from ..observability.logs import log
from ..readiness import Readiness
from ..service import Service
from .settings import WorkerSettings


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
