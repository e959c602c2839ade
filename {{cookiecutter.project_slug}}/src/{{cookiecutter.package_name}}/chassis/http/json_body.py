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


class _JsonMode:
    """A type adapter in JSON mode: strict types accept text for a date, UUID, decimal or enum."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def validate_python(self, value: Any, **options: Any) -> Any:
        """Validate a parsed body; bytes are a body of another content type."""
        if isinstance(value, bytes):
            return self._adapter.validate_python(value, **options)
        return self._adapter.validate_json(msgspec.json.encode(value))


class JsonRoute(APIRoute):
    """A route whose JSON bodies are parsed strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()
        if self.body_field is None:
            return serve
        for field in self.dependant.body_params:
            vars(field)["_type_adapter"] = _JsonMode(vars(field)["_type_adapter"])

        async def serve_json(request: Request) -> Response:
            return await serve(JsonRequest(request.scope, request.receive))

        return serve_json
