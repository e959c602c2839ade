"""Cancels requests that exceed a timeout."""

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem


class TimeoutMiddleware:
    """ASGI middleware: 408 if the client was still sending its body, or else 503.

    504 is for gateways; 503 also asks the client to retry. One timer for all requests is cheaper
    than an `asyncio.timeout` for each.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self._deadlines: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application until the timeout; background work after the response has none."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        task = asyncio.current_task()
        assert task  # noqa: S101  # What is awaited runs in one.
        asked = arrived = begun = False

        async def receive_tracked() -> Message:
            nonlocal asked, arrived
            asked = True
            message = await receive()
            arrived = arrived or not message.get("more_body", False)
            return message

        async def send_tracked(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._deadlines.pop(task, None)

        self._watch(task)
        try:
            return await self._app(scope, receive_tracked, send_tracked)
        except asyncio.CancelledError:
            if task not in self._overdue or task.uncancel():
                raise  # It was cancelled by someone else as well.
        finally:
            self._deadlines.pop(task, None)
            self._overdue.discard(task)
        scope["failure"] = "deadline exceeded"
        if begun:
            return None  # The server aborts an unfinished response.
        if asked and not arrived:
            status, headers = HTTPStatus.REQUEST_TIMEOUT, {"Connection": "close"}
        else:
            status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "2"}
        return await problem(Request(scope), status, headers=headers)(scope, receive, send)

    def _watch(self, task: asyncio.Task[Any]) -> None:
        loop = task.get_loop()
        self._deadlines[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._end_overdue, loop)

    def _end_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        for task, deadline in list(self._deadlines.items()):  # The oldest comes first.
            if deadline > loop.time():
                self._timer = loop.call_at(deadline, self._end_overdue, loop)
                return
            del self._deadlines[task]
            self._overdue.add(task)
            task.cancel()
