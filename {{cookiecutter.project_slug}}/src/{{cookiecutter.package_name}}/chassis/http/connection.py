"""Client connection: responds in order, rejects malformed requests, enforces timeouts."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

import httptools
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..observability.logs import log
from .problems import CLOSE
from .request_parser import Reading, RequestError, RequestParser
from .settings import HttpSettings

LINGER_SECONDS = 2
"""Lingering close: time for a rejected client to stop sending, or it may lose the response."""


class HttpConnection(HttpToolsProtocol):
    """Runs the application for each request, with `rejection` in the scope of a malformed one."""

    def __init__(self, settings: HttpSettings, **given: Any) -> None:
        super().__init__(**given)
        self._requests = RequestParser(self, settings)
        self.parser = self._requests.parser
        self._settings = settings
        self._reading_paused = False
        self._body_error: int | None = None
        self._lingering = False
        self._written_at = self.loop.time()
        self._task: asyncio.Task[None] | None = None
        self._responding: RequestResponseCycle | None = None

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; respond to a malformed request and close the connection."""
        try:
            if not self._reading_paused:
                self._requests.feed_data(data)
        except RequestError as error:
            self._reject(error.status)
        except httptools.HttpParserUpgrade:
            # Upgrades are not supported, and the parser cannot find the next request.
            self._reading_paused, self.cycle.keep_alive = True, False

    def _reject(self, status: int) -> None:
        """Respond with a problem document, in order, and close the connection."""
        self._reading_paused = True
        if self._requests.reading is Reading.BODY:
            # The application is running; its next read of the body raises the error.
            self._body_error, self.cycle.keep_alive = status, False
            self.cycle.message_event.set()
            if self.cycle.response_complete:
                self.transport.close()
            return
        if self._requests.reading is Reading.START:
            self.on_message_begin()
        method = self.parser.get_method().decode() if self.url else ""
        self.url = b"/"
        self.on_headers_complete()
        self.cycle.keep_alive = False
        cast(Scope, self.scope).update(rejection=status, method=method, path="")

    def expire(self, now: float) -> None:
        """Close the connection if the client exceeds a timeout; called once a second."""
        if not self.transport.get_write_buffer_size():
            self._written_at = now
        idle = self.cycle is not None and self._requests.reading is Reading.START
        longest = self._settings.keep_alive_seconds if idle else self._settings.header_seconds
        waited = now - self._requests.since
        if now - self._written_at > self._settings.send_seconds + 1:
            self.transport.abort()
        elif self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            pass
        elif self._lingering:
            if waited > LINGER_SECONDS:
                self.transport.abort()
        elif waited > longest and self._requests.reading is Reading.HEADERS:
            self._reject(HTTPStatus.REQUEST_TIMEOUT)
        elif waited > longest:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request of a client that has disconnected."""
        super().connection_lost(exc)
        self._requests.close()
        self.pipeline.clear()
        if self._task and self._responding and not self._responding.response_complete:
            self._responding.disconnected = True
            self._task.cancel()

    def on_response_complete(self) -> None:
        """Start the next pipelined request, or wait for one; `expire` limits the wait."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._lingering:
            self._reading_paused, self._requests.since = True, self.loop.time()
            self.transport.write_eof()
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._requests.reading is not Reading.HEADERS:
            self._requests.since = self.loop.time()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._responding, self._task = cycle, self.loop.create_task(self._respond(cycle, app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    async def _respond(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:
        """Run the application; abort the connection if its response is incomplete."""

        async def receive() -> Message:
            message = await cycle.receive()
            if self._body_error and cycle is self.cycle:
                raise HTTPException(self._body_error, headers=CLOSE)
            return cast(Message, message)

        async def send(message: Message) -> None:
            await cycle.send(cast(Any, message))
            if message["type"] == "http.response.start" and not cycle.keep_alive:
                unread = self._reading_paused or self._requests.reading is Reading.BODY
                if unread and cycle is self.cycle:
                    # Send `Connection: close`, but let `on_response_complete` close.
                    cycle.keep_alive = self._lingering = True

        try:
            await app(cast(Scope, cycle.scope), receive, send)
        except asyncio.CancelledError:
            pass  # The client disconnected, or the process stops.
        except Exception as error:  # noqa: BLE001  # Other connections are not affected.
            log.error("unhandled exception", exc_info=error)
        finally:
            cycle.on_response = lambda: None
            if not cycle.response_complete and not cycle.disconnected:
                self.transport.abort()
            self._forget(cycle)

    def _forget(self, cycle: RequestResponseCycle) -> None:
        """Free the memory of the request: the connection may stay idle for long."""
        if self._responding is cycle:
            self._task = self._responding = None
        if self.scope is cycle.scope:
            self.scope, self.headers = cast(Any, None), []
        cycle.scope = cast(Any, None)
