"""Strict JSON bodies (RFC 8259): UTF-8, no NaN, no lone surrogates; last duplicate key wins."""

from collections.abc import Callable, Coroutine
from json import JSONDecodeError
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute


class JsonRequest(Request):
    """A request with a strict JSON parser; Python's own accepts more."""

    async def json(self) -> Any:
        """Return the parsed body; the framework turns a `JSONDecodeError` into 422."""
        try:
            return msgspec.json.decode(await self.body())
        except (ValueError, RecursionError) as error:
            raise JSONDecodeError(type(error).__name__, "", 0) from error


class JsonRoute(APIRoute):
    """A route whose JSON bodies are parsed strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request."""
        serve = super().get_route_handler()
        if self.body_field is None:
            return serve

        async def serve_json(request: Request) -> Response:
            return await serve(JsonRequest(request.scope, request.receive))

        return serve_json
