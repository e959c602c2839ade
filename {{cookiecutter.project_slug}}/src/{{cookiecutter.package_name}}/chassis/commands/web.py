"""Serve HTTP."""

from argparse import Namespace

from ..http.server import Server, serve
from ..http.settings import HttpSettings
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: HttpSettings, _: Namespace) -> int:
    """Serve until SIGTERM, with metrics on a separate port."""
    readiness = Readiness()
    app = service.target("web")(settings, readiness)
    server = Server(app, settings, readiness)
    return serve(server, settings.host, settings.port, settings.metrics_port)
