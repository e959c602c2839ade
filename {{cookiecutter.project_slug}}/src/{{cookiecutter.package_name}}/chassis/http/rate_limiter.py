"""The rate limiter that the middleware needs, and its decisions."""

from typing import NamedTuple, Protocol


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
