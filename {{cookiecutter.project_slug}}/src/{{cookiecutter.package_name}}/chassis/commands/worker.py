"""Run jobs."""

from argparse import Namespace

from ..http.server import serve
from ..jobs.server import WorkerServer
from ..jobs.settings import WorkerSettings
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: WorkerSettings, _: Namespace) -> int:
    """Run jobs until SIGTERM, with probes and metrics on the metrics port."""
    readiness = Readiness()
    app = service.target("worker")(settings, readiness)
    server = WorkerServer(app, settings, readiness)
    return serve(server, settings.host, settings.metrics_port)
