"""An application of a test's own making, served by our server in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from fastapi import FastAPI

from {{ cookiecutter.package_name }}.chassis.http.server import Server, bind
from {{ cookiecutter.package_name }}.chassis.readiness import Readiness
from {{ cookiecutter.package_name }}.settings import Settings

from .service import PATIENCE, until


@contextmanager
def serving(app: FastAPI, settings: Settings) -> Iterator[Server]:
    """Serve `app` at the port of the settings."""
    server = Server(app, settings, Readiness())
    with bind(settings.host, settings.port) as listener:
        thread = threading.Thread(
            target=uvloop.run, args=[server.serve(sockets=[listener])], daemon=True
        )
        thread.start()
        until(lambda: server.started)
        try:
            yield server
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()
