"""Request id, canonical log line and duration metric."""

import re
from http import HTTPStatus
from logging import DEBUG, ERROR, INFO
from random import getrandbits

from opentelemetry import trace
from starlette.types import Scope
from structlog.contextvars import bind_contextvars

from ..observability.logs import log
from ..observability.metrics import request_duration
from .health import PROBES

CLIENT_CLOSED_REQUEST = 499
"""Status that is logged if the client disconnects before the response, as in nginx."""

_request_id = re.compile(rb"[A-Za-z0-9._:-]{1,128}").fullmatch
_traceparent = re.compile(
    rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
).fullmatch


class RequestLog:
    """Logs and measures requests."""

    def __init__(self) -> None:
        self._log = log.bind()  # Once, because it is slow.

    def identify(self, scope: Scope) -> str:
        """Return the request id; bind it and the trace id to the log records of this request."""
        headers = dict(scope["headers"])
        traced = "fastapi.telemetry" in scope  # To look up the current span is slow.
        span = (trace.get_current_span() if traced else trace.INVALID_SPAN).get_span_context()
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

    def record(self, scope: Scope, method: str, path: str, seconds: float) -> None:
        """Log and measure a request, which had this method and path when it arrived."""
        status = scope.get("status", CLIENT_CLOSED_REQUEST)
        route = getattr(scope.get("route"), "path", "")
        request_duration(method, route, status).observe(seconds)
        level = DEBUG if route in PROBES else INFO
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or "exception" in scope:
            level = ERROR
        details = {"exc_info": scope["exception"]} if "exception" in scope else {}
        if "failure" in scope:
            details |= {"failure": scope["failure"]}
        self._log.log(
            level,
            "request",
            method=method,
            route=route,
            path=path,
            status=status,
            duration_ms=round(seconds * 1000, 3),
            **details,
        )
