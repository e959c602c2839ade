"""The middleware of every request: headers, timeout, error responses, log line, metric."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..readiness import Readiness
from .middleware import with_cors
from .problems import CLOSE, RETRY, problem
from .request_log import RequestLog
from .settings import HttpSettings

type Headers = list[tuple[bytes, bytes]]

UNLESS_SET: Headers = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
"""Responses are data that browsers must not run, frame, sniff or store."""
SWAGGER_UI = b"https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
DOCS_POLICY = (
    b"default-src 'none'; connect-src 'self'; "
    b"script-src 'unsafe-inline' " + SWAGGER_UI + b"; "
    b"style-src 'unsafe-inline' " + SWAGGER_UI + b"; "
    b"img-src 'self' data: https://fastapi.tiangolo.com; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy for the framework's page at `/docs`."""

SLOW_BODY = HTTPStatus.REQUEST_TIMEOUT, CLOSE
SLOW_HANDLER = HTTPStatus.SERVICE_UNAVAILABLE, RETRY
"""Not 504, which is for gateways; 503 also asks the client to retry."""


class RequestMiddleware:
    """ASGI middleware, the outermost; a single layer, because each one slows every request."""

    def __init__(self, app: ASGIApp, settings: HttpSettings, readiness: Readiness) -> None:
        self._app = with_cors(app, settings.cors_origins)
        self._send_problem = with_cors(_send_problem, settings.cors_origins)
        self._seconds = settings.request_seconds
        self._readiness = readiness
        self._log = RequestLog()
        self._always: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
        if age := settings.hsts_seconds:
            self._always.append((b"strict-transport-security", b"max-age=%d" % age))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log it exactly once, also if it fails."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = perf_counter()
        scope["request_id"] = self._log.identify(scope)
        method, path, root_path = scope["method"], scope["path"], scope.get("root_path", "")
        routed = scope
        if method == "HEAD" or root_path:
            # A copy: the server omits the body of a response to HEAD by the method in its scope.
            get = "GET" if method == "HEAD" else method
            routed = {**scope, "method": get, "path": root_path + path}
        try:
            await self._respond(routed, receive, send)
        finally:
            self._log.record(routed, method, path, perf_counter() - started)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; turn an exception or a timeout into a problem document."""
        reads_body, arrived = False, False

        async def receive_tracked() -> Message:
            nonlocal reads_body, arrived
            reads_body = True
            message = await receive()
            arrived = not message.get("more_body")
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["status"] = message["status"]
                message["headers"] = self._headers(scope, message["headers"])
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if ended and "problem" not in scope:
                timeout.reschedule(None)  # Background tasks may take longer.

        app = self._app
        if "rejection" in scope:  # The server rejects a malformed request.
            app = self._send_problem
            scope["problem"] = problem(Request(scope), scope["rejection"], headers=CLOSE)
        try:
            async with asyncio.timeout(self._seconds) as timeout:
                await app(scope, receive_tracked, send_with_headers)
        except Exception as error:  # noqa: BLE001  # Logged, whatever its type.
            if isinstance(error, TimeoutError) and timeout.expired():
                scope["failure"] = "request timeout"
                status, headers = SLOW_BODY if reads_body and not arrived else SLOW_HANDLER
            else:
                scope["exception"] = error
                status, headers = HTTPStatus.INTERNAL_SERVER_ERROR, {}
            if "status" not in scope:  # Otherwise the server aborts the unfinished response.
                scope["problem"] = problem(Request(scope), status, headers=headers)
                await self._send_problem(scope, receive, send_with_headers)

    def _headers(self, scope: Scope, given: Headers) -> Headers:
        """Return the headers of a response: those that are given, and those of every response."""
        headers = [*given, *self._always, (b"x-request-id", scope["request_id"].encode())]
        if self._readiness.draining:
            headers.append((b"connection", b"close"))
        names = {name for name, _ in given}
        if scope["path"] == scope.get("root_path", "") + "/docs":
            headers.append((b"content-security-policy", DOCS_POLICY))
            names.add(b"content-security-policy")
        headers += [header for header in UNLESS_SET if header[0] not in names]
        return headers


async def _send_problem(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application that responds with `problem`."""
    await scope["problem"](scope, receive, send)
