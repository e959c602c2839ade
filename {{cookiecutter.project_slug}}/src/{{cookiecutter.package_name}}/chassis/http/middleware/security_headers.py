"""Security headers: responses are data that browsers must not run, frame, sniff or store."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

UNLESS_SET: Headers = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
SWAGGER_UI = b"https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
DOCS_POLICY = (
    b"default-src 'none'; connect-src 'self'; "
    b"script-src 'unsafe-inline' " + SWAGGER_UI + b"; "
    b"style-src 'unsafe-inline' " + SWAGGER_UI + b"; "
    b"img-src 'self' data: https://fastapi.tiangolo.com; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy for the framework's page at `/docs`."""


class SecurityHeadersMiddleware:
    """ASGI middleware, the outermost: adds headers to every response."""

    def __init__(self, app: ASGIApp, hsts_seconds: int) -> None:
        self._app = app
        self._always: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
        if hsts_seconds:
            self._always.append((b"strict-transport-security", b"max-age=%d" % hsts_seconds))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers that the application has not set."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *self._always]
                names = {name for name, _ in headers}
                if scope["path"] == "/docs":
                    headers.append((b"content-security-policy", DOCS_POLICY))
                    names.add(b"content-security-policy")
                headers += [field for field in UNLESS_SET if field[0] not in names]
                message["headers"] = headers
            await send(message)

        return await self._app(scope, receive, send_with_headers)
