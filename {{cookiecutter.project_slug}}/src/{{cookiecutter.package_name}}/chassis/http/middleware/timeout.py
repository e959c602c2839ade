"""Cancels requests that exceed a timeout."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import CLOSE, problem


class TimeoutMiddleware:
    """ASGI middleware: 408 if the client was still sending its body, or else 503.

    504 is for gateways; 503 also asks the client to retry.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; the timeout ends with its response."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        asked = arrived = started = False

        async def receive_tracked() -> Message:
            nonlocal asked, arrived
            asked = True
            message = await receive()
            arrived = arrived or not message.get("more_body", False)
            return message

        async def send_tracked(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                timeout.reschedule(None)

        try:
            async with asyncio.timeout(self._seconds) as timeout:
                return await self._app(scope, receive_tracked, send_tracked)
        except TimeoutError:
            if not timeout.expired():
                raise
        scope["failure"] = "request timeout"
        if started:
            return None  # The server aborts an unfinished response.
        if asked and not arrived:
            status, headers = HTTPStatus.REQUEST_TIMEOUT, CLOSE
        else:
            status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "2"}
        return await problem(Request(scope), status, headers=headers)(scope, receive, send)
