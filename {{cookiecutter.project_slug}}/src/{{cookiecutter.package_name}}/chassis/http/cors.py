"""Cross-origin resource sharing (CORS) for the origins in the settings."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


def with_cors(app: ASGIApp, origins: str) -> ASGIApp:
    """Allow these comma-separated origins, without credentials; return `app` if there are none."""
    if not origins:
        return app
    return _CorsMiddleware(
        app,
        allow_origins=origins.split(","),
        allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=("Authorization", "Idempotency-Key", "Traceparent", "X-Request-ID"),
        expose_headers=("Location", "Retry-After", "X-Request-ID"),
    )


class _CorsMiddleware(CORSMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "problem" in scope:  # Not a preflight, even if it has the headers of one.
            return await self.simple_response(scope, receive, send, Headers(scope=scope))
        return await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Respond with 204 and the allowed values in any case; the browser enforces them."""
        headers = super().preflight_response(request_headers).headers
        del headers["content-length"], headers["content-type"]
        return Response(status_code=204, headers=dict(headers))
