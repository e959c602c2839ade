"""The 500 response to unhandled exceptions."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem


class ErrorMiddleware:
    """ASGI middleware: responds with 500 within CORS; the request log has the traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; the server aborts a response that has begun."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def send_tracked(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            return await self._app(scope, receive, send_tracked)
        except Exception as error:  # noqa: BLE001  # Logged, whatever its type.
            scope["exception"] = error
        if started:
            return None
        return await problem(Request(scope), HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)
