"""uvicorn, taught to leave well: on SIGTERM first drain, then close the door, then finish."""

import asyncio
import os
import socket
import threading
from contextlib import suppress
from functools import partial
from time import monotonic
from types import FrameType
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from . import exits
from .api.browser_headers import SetBrowserHeaders
from .api.health import Readiness
from .api.observe import ObserveRequests
from .logs import log
from .protocol import Protocol, refuse
from .settings import Settings


class Server(uvicorn.Server):
    """Starting → serving → draining → stopping.

    The first SIGTERM or SIGINT begins the drain: `/readyz` says 503 and every answer asks the
    client to close its connection, while requests are still served. After `drain_seconds` the
    listener closes and requests in flight get `shutdown_seconds` to finish. A second signal
    ends it all at once.
    """

    def __init__(self, app: ASGIApp, settings: Settings, readiness: Readiness) -> None:
        # The last second of the shutdown is for closing what the process holds open.
        reserve = min(1, settings.shutdown_seconds / 2)
        graceful = settings.shutdown_seconds - reserve
        refusal = SetBrowserHeaders(ObserveRequests(refuse, readiness), settings.hsts_seconds)
        config = uvicorn.Config(
            app,
            http=partial(Protocol, refusal, settings=settings),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.forwarded_allow_ips,
            timeout_graceful_shutdown=graceful,  # type: ignore[arg-type]  # Fractions work.
        )
        super().__init__(config)
        self._settings = settings
        self._readiness = readiness
        self._stop_at: float | None = None
        self._announced = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the application, then the door, and say so."""
        await super().startup(sockets)
        log.info("listening", host=self._settings.host, port=self._settings.port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; or, where that has begun, exit at once with 128 + the signal's number."""
        del frame
        if self._stop_at is not None:
            os._exit(128 + sig)
        self._readiness.draining = True
        self._stop_at = monotonic() + self._settings.drain_seconds
        allowed = self._settings.drain_seconds + self._settings.shutdown_seconds
        guard = threading.Timer(allowed, os._exit, (exits.SOFTWARE,))
        guard.daemon = True
        guard.start()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether the drain is over; once a second, look after clients."""
        if os.getpid() == 1:
            bury_orphans()
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast(Protocol, connection).expire(now)
        if self._stop_at is not None:
            if not self._announced:
                self._announced = True
                log.info("draining", seconds=self._settings.drain_seconds)
            self.should_exit = monotonic() >= self._stop_at
        return await super().on_tick(counter)


def bury_orphans() -> None:
    """Let go of processes that have ended and were left to us, the first of a container.

    Those of our own session are ours: whoever started them waits for them.
    """
    with suppress(ChildProcessError):  # There are none.
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if os.getsid(ended.si_pid) == os.getsid(0):
                break
            os.waitpid(ended.si_pid, 0)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; raises `OSError` where the port is taken."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
