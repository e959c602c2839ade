"""Rate limit per client, shared by all replicas."""

from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import NamedTuple, Protocol

from prometheus_client import Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import Unavailable
from .health import PROBES
from .problems import problem

UNLIMITED = PROBES | {"/version", "/__version__"}
"""Paths that are not limited."""

_decisions = Counter("rate_limit_decisions", "Requests by rate limit decision.", ["decision"])


class Decision(NamedTuple):
    """Whether one more request is allowed, and the remaining quota."""

    allowed: bool
    limit: int
    """Requests allowed per window."""
    window: int
    """Length of the window in seconds."""
    remaining: int
    """Requests left after this one."""
    reset: int
    """Seconds until the quota is full again."""
    retry_after: int
    """Seconds until a rejected request would be allowed."""


class RateLimiter(Protocol):
    """Counts requests by client; raises `Unavailable` in bounded time if it cannot."""

    async def hit(self, client: str) -> Decision:
        """Count one request of this client unless it is rejected."""


class RateLimitMiddleware:
    """ASGI middleware: adds quota headers, responds with 429 to a client over its limit.

    Fails open: while the limiter is unavailable, no request is limited.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests within the limit."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope["root_path"]) in UNLIMITED:
            return await self._app(scope, receive, send)
        request = Request(scope)
        decision = await _decide(request)
        if decision is None:
            _decisions.labels("unavailable").inc()
            return await self._app(scope, receive, send)

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += _headers(decision)
            await send(message)

        if decision.allowed:
            _decisions.labels("allowed").inc()
            return await self._app(scope, receive, send_with_limit)
        _decisions.labels("rejected").inc()
        response = problem(
            request,
            HTTPStatus.TOO_MANY_REQUESTS,
            f"More than {decision.limit} requests in {decision.window} seconds.",
            headers={"Retry-After": str(decision.retry_after)},
        )
        return await response(scope, receive, send_with_limit)


async def _decide(request: Request) -> Decision | None:
    if resources := getattr(request.app.state, "resources", None):  # Set at the start.
        limiter: RateLimiter = resources.rate_limiter
        with suppress(Unavailable):
            return await limiter.hit(client_key(request.client.host if request.client else ""))
    return None


def client_key(host: str) -> str:
    """Return the address that is limited; of IPv6, a client has a whole /64 network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))


def _headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the headers of draft-ietf-httpapi-ratelimit-headers."""
    policy = f'"default";q={decision.limit};w={decision.window}'
    left = f'"default";r={decision.remaining};t={decision.reset}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
