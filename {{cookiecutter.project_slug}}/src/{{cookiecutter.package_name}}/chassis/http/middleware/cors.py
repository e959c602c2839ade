"""Cross-origin requests from browsers (CORS), for the origins that the settings name."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp


class CorsMiddleware(CORSMiddleware):
    """ASGI middleware that allows these origins, without credentials."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Idempotency-Key", "Traceparent", "X-Request-ID"),
            expose_headers=("Location", "Retry-After", "X-Request-ID"),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """List what is allowed with 204; the browser compares."""
        answer = super().preflight_response(request_headers)
        told = {name: value for name, value in answer.headers.items() if name != "content-length"}
        told.pop("content-type", None)
        return Response(status_code=204, headers=told)
