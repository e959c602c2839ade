"""Request id, canonical log line and duration metric."""

import re
from http import HTTPStatus
from logging import DEBUG, ERROR, INFO
from random import getrandbits
from time import perf_counter
from typing import Any

from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from ...observability.logs import log
from ...observability.metrics import request_duration
from ...readiness import Readiness
from ..health import PROBES

CLIENT_CLOSED_REQUEST = 499
"""Status that is logged if the client disconnects before the response, as in nginx."""

_request_id = re.compile(rb"[A-Za-z0-9._:-]{1,128}").fullmatch
_traceparent = re.compile(
    rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
).fullmatch


class RequestLogMiddleware:
    """ASGI middleware: logs and measures each request exactly once, also one that fails."""

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness
        self._log = log.bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and log one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = perf_counter()
        headers = dict(scope["headers"])
        scope["request_id"] = _identify(headers)
        status = None

        async def send_logged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                message["headers"].append((b"x-request-id", scope["request_id"].encode()))
                if self._readiness.draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_logged)
        finally:
            self._record(scope, status or CLIENT_CLOSED_REQUEST, perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        failure: Exception | None = scope.get("exception")
        route = getattr(scope.get("route"), "path", "")
        request_duration(scope["method"], route, status).observe(seconds)
        level = DEBUG if route in PROBES else INFO
        if failure or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            level = ERROR
        details: dict[str, Any] = {"exc_info": failure} if failure else {}
        if "failure" in scope:
            details |= {"failure": scope["failure"]}
        self._log.log(
            level,
            "request",
            method=scope["method"],
            route=route,
            path=scope["path"],
            status=status,
            duration_ms=round(seconds * 1000, 3),
            **details,
        )


def _identify(headers: dict[bytes, bytes]) -> str:
    """Return the request id; bind it and the trace id to every log record of this request."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        trace_id = trace.format_trace_id(span.trace_id)
    elif parent := _traceparent(headers.get(b"traceparent", b"")):
        trace_id = parent[1].decode()
    else:
        trace_id = f"{getrandbits(128):032x}"
    given = headers.get(b"x-request-id", b"")
    request_id = given.decode() if _request_id(given) else trace_id
    bind_contextvars(request_id=request_id, trace_id=trace_id)
    return request_id
