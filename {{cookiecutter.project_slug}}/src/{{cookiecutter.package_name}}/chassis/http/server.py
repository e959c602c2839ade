"""uvicorn with a graceful shutdown: drain, close the listener, finish requests."""

import asyncio
import os
import socket
import threading
from argparse import Namespace
from contextlib import ExitStack, suppress
from functools import partial
from time import monotonic
from types import FrameType
from typing import cast

import uvicorn
import uvloop
from prometheus_client import make_asgi_app
from starlette.types import ASGIApp, Receive, Scope, Send

from ..observability.logs import log
from ..readiness import Readiness
from ..service import Service
from .connection import HttpConnection
from .middleware import ProxyMiddleware
from .settings import HttpSettings


class Server(uvicorn.Server):
    """Starting → serving → draining → stopping.

    The first SIGTERM or SIGINT starts the drain: requests are served, but `/readyz` returns 503
    and every response closes its connection. After `drain_seconds` the listener closes, and
    requests in flight have `shutdown_seconds` to finish. A second signal exits at once.
    """

    def __init__(self, app: ASGIApp, settings: HttpSettings, readiness: Readiness) -> None:
        # The last second of the shutdown is reserved for closing resources.
        reserve = min(1, settings.shutdown_seconds / 2)
        graceful = settings.shutdown_seconds - reserve
        config = uvicorn.Config(
            _with_metrics(ProxyMiddleware(app, settings), settings),
            http=partial(HttpConnection, settings),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # By `ProxyMiddleware`.
            timeout_graceful_shutdown=graceful,  # type: ignore[arg-type]  # Fractions work.
        )
        super().__init__(config)
        self._settings = settings
        self._readiness = readiness
        self._stop_at: float | None = None
        self._announced = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the resources, then accept connections."""
        await super().startup(sockets)
        log.info("listening", host=self._settings.host, port=self._settings.port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain; on a second signal, exit at once with 128 + its number."""
        del frame
        if self._stop_at is not None:
            os._exit(128 + sig)
        self._readiness.draining = True
        self._stop_at = monotonic() + self._settings.drain_seconds
        allowed = self._settings.drain_seconds + self._settings.shutdown_seconds
        guard = threading.Timer(allowed, os._exit, (os.EX_SOFTWARE,))
        guard.daemon = True
        guard.start()

    async def on_tick(self, counter: int) -> bool:
        """End the drain; once a second, enforce client timeouts. Called ten times a second."""
        if os.getpid() == 1:
            reap_zombies()
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast(HttpConnection, connection).expire(now)
        if self._stop_at is not None:
            if not self._announced:
                self._announced = True
                log.info("draining", seconds=self._settings.drain_seconds)
            self.should_exit = monotonic() >= self._stop_at
        return await super().on_tick(counter)


def _with_metrics(app: ASGIApp, settings: HttpSettings) -> ASGIApp:
    """Serve metrics, and nothing else, on a separate port; scrapes are not logged."""
    metrics = make_asgi_app()

    async def serve_by_port(scope: Scope, receive: Receive, send: Send) -> None:
        port = scope["server"][1] if scope["type"] == "http" else settings.port
        on_metrics_port = port == settings.metrics_port != settings.port
        serve = metrics if on_metrics_port and "rejection" not in scope else app
        await serve(scope, receive, send)

    return serve_by_port


def reap_zombies() -> None:
    """Reap orphaned processes as PID 1; children of this session are left to their parent code."""
    with suppress(ChildProcessError):  # No children.
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if os.getsid(ended.si_pid) == os.getsid(0):
                break
            os.waitpid(ended.si_pid, 0)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; raises `OSError` if the port is in use."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with_ipv4 = family == socket.AF_INET6
    return socket.create_server(address, family=family, dualstack_ipv6=with_ipv4)


def serve(server: Server, host: str, *ports: int) -> int:
    """Listen and serve until SIGTERM; return 0, 78 for an unknown host, 71 if binding fails."""
    with ExitStack() as stack:
        listeners = []
        for port in ports:
            try:
                listeners.append(stack.enter_context(bind(host, port)))
            except (socket.gaierror, UnicodeError):
                problems = {"HOST": "not an address of this host"}
                log.critical("invalid configuration", problems=problems)
                return os.EX_CONFIG
            except OSError as error:
                log.critical("bind failed", host=host, port=port, reason=error.strerror)
                return os.EX_OSERR
        uvloop.run(server.serve(sockets=listeners))
        log.info("stopped")
    return 0


def run(service: Service, settings: HttpSettings, _: Namespace) -> int:
    """Serve the web application until SIGTERM, with metrics on a separate port."""
    readiness = Readiness()
    app = service.target("web")(settings, readiness)
    server = Server(app, settings, readiness)
    return serve(server, settings.host, settings.port, settings.metrics_port)
