"""A request has a deadline; what has not been answered by then is cancelled."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem


class LimitTime:
    """ASGI middleware: 408 where the client was still sending, or else 503, for we were too slow.

    It is not 504, which gateways say of another server; 503 also tells the client to come again.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, for as long as it may take; what follows the answer has all the time."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        asked = arrived = begun = False

        async def receive_noted() -> Message:
            nonlocal asked, arrived
            asked = True
            message = await receive()
            arrived = arrived or not message.get("more_body", False)
            return message

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            if whole and not deadline.expired():
                deadline.reschedule(None)

        try:
            async with asyncio.timeout(self._seconds) as deadline:
                return await self._app(scope, receive_noted, send_noted)
        except TimeoutError:
            if not deadline.expired():
                raise
        scope["failure"] = "deadline exceeded"
        if begun:
            return None  # The server cuts off what is not finished.
        if asked and not arrived:
            status, headers = HTTPStatus.REQUEST_TIMEOUT, {"Connection": "close"}
        else:
            status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "2"}
        return await problem(Request(scope), status, headers=headers)(scope, receive, send)
