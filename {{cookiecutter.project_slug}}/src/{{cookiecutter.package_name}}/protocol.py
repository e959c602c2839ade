"""A connection: in order it answers what was asked, and no client may keep it waiting for long."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from .api.problems import problem
from .logs import log
from .parsing import Parsing, Reading

LINGER_SECONDS = 2
"""How long a client that is cut short may go on sending: without, it may lose our answer."""
CLOSE = {"Connection": "close"}


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application that answers in the place of the real one what is no proper request."""
    await problem(Request(scope), scope["refusal"], headers=CLOSE)(scope, receive, send)


class Protocol(Parsing):
    """Runs the application for each request and ends it when its client has gone.

    `refusal` is `refuse`, observed as the application is.
    """

    def __init__(self, refusal: ASGIApp, **given: Any) -> None:
        super().__init__(**given)
        self._refusal = refusal
        self._broken: int | None = None
        self._lingers = False
        self._unsent_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._answering: RequestResponseCycle | None = None

    def refuse(self, status: int) -> None:
        """Answer with a problem document, in its turn, and close the connection."""
        self.deaf = True
        if self.reading is Reading.BODY:
            # The application has the request already, and hears of it where it reads the body.
            self._broken, self.cycle.keep_alive = status, False
            self.cycle.message_event.set()
            if self.cycle.response_complete:
                self.transport.close()
            return
        if self.reading is Reading.START:
            super().on_message_begin()
        method = self.parser.get_method().decode() if self.url else ""
        self.app, self.url = cast(Any, self._refusal), b"/"
        super(Parsing, self).on_headers_complete()
        self.cycle.keep_alive = False
        cast(Scope, self.scope).update(refusal=status, method=method, path="")

    def expire(self, now: float) -> None:
        """Give up a client that has kept us waiting for too long; `now` is the loop's time."""
        limits = self.settings
        if not self.transport.get_write_buffer_size():
            self._unsent_since = None
        elif self._unsent_since is None:
            self._unsent_since = now
        elif now - self._unsent_since > limits.send_seconds:
            return self.transport.abort()
        if self.transport.is_closing():
            return None
        waited = now - self.since
        if self._lingers and self.cycle.response_complete:
            if waited > LINGER_SECONDS:
                self.transport.abort()
        elif self.cycle is None or self.cycle.response_complete:
            idle = self.cycle is not None and self.reading is Reading.START
            if waited <= (limits.keep_alive_seconds if idle else limits.header_seconds):
                return None
            if self.reading is Reading.HEAD and not self.deaf:
                self.refuse(HTTPStatus.REQUEST_TIMEOUT)
            else:
                self.transport.close()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel what nobody waits for any more."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._task and self._answering and not self._answering.response_complete:
            self._answering.disconnected = True
            self._task.cancel()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it; `expire` sees to it that it comes."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._lingers:
            self.deaf, self.since = True, self.loop.time()
            self.transport.write_eof()
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.reading is not Reading.HEAD:
            self.since = self.loop.time()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering, self._task = cycle, self.loop.create_task(self._answer(cycle, app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    async def _answer(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:
        """Run the application; what it leaves without a whole answer is cut off."""

        async def receive() -> Message:
            message = await cycle.receive()
            if self._broken and cycle is self.cycle:
                raise HTTPException(self._broken, headers=CLOSE)
            return cast(Message, message)

        async def send(message: Message) -> None:
            await cycle.send(cast(Any, message))
            if message["type"] == "http.response.start" and not cycle.keep_alive:
                unread = self.deaf or self.reading is Reading.BODY
                if unread and cycle is self.cycle:
                    # That the connection closes is said; doing it is for `on_response_complete`.
                    cycle.keep_alive = self._lingers = True

        try:
            await app(cast(Scope, cycle.scope), receive, send)
        except asyncio.CancelledError:
            pass  # The client has gone, or the process stops: nobody else cancels.
        except Exception:  # noqa: BLE001  # One connection is no reason for more to fail.
            log.exception("failed outside of the application")
        finally:
            cycle.on_response = lambda: None
            if not cycle.response_complete and not cycle.disconnected:
                self.transport.abort()
            self._forget(cycle)

    def _forget(self, cycle: RequestResponseCycle) -> None:
        """Keep nothing of what was asked: a connection may be idle for long."""
        if self._answering is cycle:
            self._task = self._answering = None
        if self.scope is cycle.scope:
            self.scope, self.headers = cast(Any, None), []
        cycle.scope = cast(Any, None)
