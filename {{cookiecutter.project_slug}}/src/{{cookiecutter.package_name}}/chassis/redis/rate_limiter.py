"""Rate limit in Redis, shared by all replicas: one key per client, one round trip per request."""

from ..http.rate_limit import Decision
from .client import Redis
from .settings import RedisSettings

WINDOW_SECONDS = 60

HIT = """
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000000
local cost = math.max(1, math.floor(window / limit))
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
if free > now + window then
    free = now
end
local debt = free + cost - now
if debt > window then
    return {0, 0, free - now, debt - window}
end
redis.call('SET', KEYS[1], string.format('%.0f', free + cost), 'PX', math.ceil(debt / 1000))
return {1, math.floor((window - debt) / cost), debt, 0}
"""
"""The generic cell rate algorithm (GCRA); the key holds the time at which the quota is full again.

A request costs its share of the window and is rejected if the debt would exceed the window. Times
are microseconds of the server's clock: those of the replicas differ. A stored time more than a
window ahead means that this clock was set back, or is that of another server: it is ignored.
"""


class RedisRateLimiter:
    """`RateLimiter` with one key per client, which expires when its quota is full again."""

    def __init__(self, redis: Redis, settings: RedisSettings) -> None:
        self._redis = redis
        self._hit = redis.client.register_script(HIT)
        self._prefix = f"{settings.otel_service_name}:rate:"
        self._limit = settings.rate_limit_per_minute

    async def hit(self, client: str) -> Decision:
        """See `RateLimiter.hit`; a client may use its quota in one burst."""
        allowed, remaining, reset, retry_after = await self._redis.call(
            self._hit, [self._prefix + client], [self._limit, WINDOW_SECONDS]
        )
        return Decision(
            allowed=bool(allowed),
            limit=self._limit,
            window=WINDOW_SECONDS,
            remaining=remaining,
            reset=_seconds(reset),
            retry_after=_seconds(retry_after),
        )


def _seconds(microseconds: int) -> int:
    """Round up to whole seconds."""
    return -(-microseconds // 1_000_000)
