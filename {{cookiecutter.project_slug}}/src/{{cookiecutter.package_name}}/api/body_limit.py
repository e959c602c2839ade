"""A request body has a greatest size; what is larger is refused, as soon as it is known to be."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.status import HTTP_413_CONTENT_TOO_LARGE
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

CLOSE = {"Connection": "close"}
"""The rest of the body is not waited for."""


class LimitBodies:
    """ASGI middleware: 413 for a body that says it is too large, or turns out to be."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        declared = next((value for name, value in scope["headers"] if name == b"content-length"), 0)
        if int(declared) > self._max_bytes:
            refusal = problem(Request(scope), HTTP_413_CONTENT_TOO_LARGE, headers=CLOSE)
            return await refusal(scope, receive, send)

        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(HTTP_413_CONTENT_TOO_LARGE, headers=CLOSE)
            return message

        return await self._app(scope, receive_limited, send)
