"""The rate limit in Redis: one number a client and one round trip a request, for all replicas."""

from ..http.rate_limiter import Decision
from .client import Redis
from .settings import RedisSettings

WINDOW_SECONDS = 60

HIT = """
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000000
local cost = math.max(1, math.floor(window / limit))
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
local debt = free + cost - now
if debt > window then
    return {0, 0, free - now, debt - window}
end
redis.call('SET', KEYS[1], string.format('%.0f', free + cost), 'PX', math.ceil(debt / 1000))
return {1, math.floor((window - debt) / cost), debt, 0}
"""
"""The generic cell rate algorithm: a client is free of debt at the moment that is stored.

Each request costs its part of the window, which passes by itself; nobody may owe more than one
window. Time is the server's, in microseconds: clocks of replicas differ.
"""


class RedisRateLimiter:
    """`RateLimiter`, as one key for each client that asked within the window."""

    def __init__(self, redis: Redis, settings: RedisSettings) -> None:
        self._redis = redis
        self._hit = redis.client.register_script(HIT)
        self._prefix = f"{settings.otel_service_name}:rate:"
        self._limit = settings.rate_limit_per_minute

    async def hit(self, client: str) -> Decision:
        """See `RateLimiter.hit`; a client may use its window at once, or spread."""
        answer = await self._redis.ask(
            self._hit, [self._prefix + client], [self._limit, WINDOW_SECONDS]
        )
        allowed, remaining, reset, retry_after = answer
        return Decision(
            allowed=bool(allowed),
            limit=self._limit,
            window=WINDOW_SECONDS,
            remaining=remaining,
            reset=_seconds(reset),
            retry_after=_seconds(retry_after),
        )


def _seconds(microseconds: int) -> int:
    return -(-microseconds // 1_000_000)
