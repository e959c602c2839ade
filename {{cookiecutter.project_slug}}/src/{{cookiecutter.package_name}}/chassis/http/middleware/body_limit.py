"""Limits the size of request bodies."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.status import HTTP_413_CONTENT_TOO_LARGE
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem

CLOSE = {"Connection": "close"}
"""The rest of the body is not read."""


class BodyLimitMiddleware:
    """ASGI middleware: 413 for a body that is declared or turns out to be too large."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on bodies within the limit."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        declared = next((value for name, value in scope["headers"] if name == b"content-length"), 0)
        if int(declared) > self._max_bytes:
            response = problem(Request(scope), HTTP_413_CONTENT_TOO_LARGE, headers=CLOSE)
            return await response(scope, receive, send)

        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(HTTP_413_CONTENT_TOO_LARGE, headers=CLOSE)
            return message

        return await self._app(scope, receive_limited, send)
