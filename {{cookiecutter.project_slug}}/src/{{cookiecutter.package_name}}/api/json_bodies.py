"""JSON as RFC 8259 has it: UTF-8, no NaN, no lone surrogates; of equal keys the last one counts."""

from collections.abc import Callable, Coroutine
from json import JSONDecodeError
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute


class JsonRequest(Request):
    """A request of which the body is read strictly, whereas Python's parser lets much pass."""

    async def json(self) -> Any:
        """Return what the body holds; the framework answers a `JSONDecodeError` with 422."""
        try:
            return msgspec.json.decode(await self.body())
        except (ValueError, RecursionError) as error:
            raise JSONDecodeError(type(error).__name__, "", 0) from error


class JsonRoute(APIRoute):
    """A route that reads its bodies so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        serve = super().get_route_handler()
        if self.body_field is None:
            return serve

        async def serve_json(request: Request) -> Response:
            return await serve(JsonRequest(request.scope, request.receive))

        return serve_json
