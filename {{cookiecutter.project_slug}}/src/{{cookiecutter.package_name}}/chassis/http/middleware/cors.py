"""Cross-origin resource sharing (CORS) for the origins in the settings."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class CorsMiddleware(CORSMiddleware):
    """ASGI middleware that allows `origins`, without credentials."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Idempotency-Key", "Traceparent", "X-Request-ID"),
            expose_headers=("Location", "Retry-After", "X-Request-ID"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add headers to responses, and respond to preflights unless they are malformed."""
        if "rejection" in scope:
            return await self.simple_response(scope, receive, send, Headers(scope=scope))
        return await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Respond with 204 and the allowed values in any case; the browser enforces them."""
        headers = super().preflight_response(request_headers).headers
        del headers["content-length"], headers["content-type"]
        return Response(status_code=204, headers=dict(headers))
