"""How often a client may ask: what is decided, and what that needs."""

from typing import NamedTuple, Protocol


class Decision(NamedTuple):
    """Whether one more request may pass, and what its client has left."""

    allowed: bool
    limit: int
    """Requests that a client may make in a window."""
    window: int
    """Seconds of a window."""
    remaining: int
    """Requests that it may make at once after this one."""
    reset: int
    """Seconds after which it has the whole limit again."""
    retry_after: int
    """Seconds after which a refused request would be allowed."""


class RateLimiter(Protocol):
    """Counts requests by client; if it cannot, it raises `Unavailable` in bounded time."""

    async def hit(self, client: str) -> Decision:
        """Count one request of this client, unless it is refused."""
