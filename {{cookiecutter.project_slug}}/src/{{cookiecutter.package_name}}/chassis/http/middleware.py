"""Middleware of libraries, adapted: headers of trusted proxies, cross-origin requests (CORS)."""

import re
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from .settings import ROOT_PATH, HttpSettings


class ProxyMiddleware(ProxyHeadersMiddleware):
    """ASGI middleware: also sets `root_path`, by `X-Forwarded-Prefix` or else by the settings."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        super().__init__(app, settings.forwarded_allow_ips)  # type: ignore[arg-type]
        self._root_path = settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        """Trust the headers if the connection is from a proxy in `FORWARDED_ALLOW_IPS`."""
        if scope["type"] == "http":
            scope["root_path"] = self._root_path
            host, port = scope["client"] or ("", 0)
            # An IPv6 listener reports IPv4 clients as `::ffff:192.0.2.1`.
            scope["client"] = (host.removeprefix("::ffff:"), port)
            if scope["client"][0] in self.trusted_hosts:
                prefix = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").rstrip(b"/")
                if prefix and re.fullmatch(ROOT_PATH.encode(), prefix):
                    scope["root_path"] = prefix.decode()
        given: Any = (scope, receive, send)
        await super().__call__(*given)


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
