"""Redis client with a circuit breaker: every wait has a timeout, and an outage costs few waits."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Literal

from redis.asyncio import BlockingConnectionPool, RedisError
from redis.asyncio import Redis as Client
from redis.maint_notifications import MaintNotificationsConfig

from ..errors import Unavailable
from ..observability.logs import log
from .connection import category, following
from .settings import RedisSettings

CALL_SECONDS = 0.5
"""Timeout for a command, including the wait for a connection."""
PAUSE_SECONDS = 2
"""After a failure, time in which commands fail at once; then a single one tries the server."""
MAX_CONNECTIONS = 20

OUTAGES = (RedisError, OSError)
"""Errors of an unavailable server, or of one with a response that cannot be used."""

WRITE = """
redis.call('TIME')
redis.call('SET', KEYS[1], '', 'PX', 1000)
redis.call('GET', KEYS[1])
return redis.call('DEL', KEYS[1])
"""
"""Does what requests do: a replica, and a user without rights, may respond to PING and to reads."""


class Redis:
    """Runs commands; after a failure, they fail at once for `PAUSE_SECONDS`."""

    def __init__(self, client: Client, key: str) -> None:
        self.client = client
        self.failed_at = 0.0
        self._write, self._key = client.register_script(WRITE), key
        self._failure = ""
        self._succeeded_at = self._next_attempt = 0.0

    async def call[**P, T](
        self, command: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Run a command; raise `Unavailable` if the server fails, or failed a moment ago."""
        if self._failure:
            if monotonic() < self._next_attempt:
                raise Unavailable("redis", self._failure)
            self._next_attempt = monotonic() + PAUSE_SECONDS
            await self._end_outage()
        return await self.call_always(command, *arguments, **options)

    async def call_always[**P, T](
        self, command: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Run a command even if the server failed a moment ago."""
        started = monotonic()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                result = await command(*arguments, **options)
        except OUTAGES as error:
            failure = category(error)
            # If another command succeeded meanwhile, this process is busy, not the server down; but
            # a demoted server still responds to commands that do not write.
            if failure == "read-only" or self._succeeded_at < started:
                if not self._failure:
                    log.warning("redis unavailable", failure=failure)
                self._failure, self.failed_at = failure, monotonic()
                self._next_attempt = self.failed_at + PAUSE_SECONDS
            raise Unavailable("redis", failure) from error
        self._succeeded_at = monotonic()
        return result

    async def _end_outage(self) -> None:
        """Write; only this ends an outage, so a command that does not write cannot."""
        await self.call_always(self._write, [self._key])
        if self._failure:
            self._failure = ""
            log.info("redis available")

    async def ping(self) -> Literal["ok", "degraded"]:
        """Return whether the server accepts writes; the service works without it."""
        try:
            await self.call(self._write, [self._key])
        except Unavailable:
            return "degraded"
        return "ok"


@asynccontextmanager
async def open_redis(settings: RedisSettings, process: str) -> AsyncIterator[Redis]:
    """Open a client without waiting for the server, which sees `process` in the client name."""

    def url() -> str:  # Read again for each connection.
        return str(settings.redis_url.get_secret_value())

    pool = BlockingConnectionPool.from_url(
        url(),
        # Redis allows printable ASCII without spaces in a client name.
        client_name=re.sub("[^!-~]", "-", f"{settings.otel_service_name}:{process}"),
        max_connections=MAX_CONNECTIONS,
        timeout=CALL_SECONDS,
        socket_connect_timeout=CALL_SECONDS,
        socket_timeout=CALL_SECONDS,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    pool.connection_class = following(url, lambda: redis.failed_at, pool.connection_class)
    client = Client.from_pool(pool)
    redis = Redis(client, f"{settings.otel_service_name}:ping")
    try:
        yield redis
    finally:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await client.aclose()
        except OUTAGES as error:
            log.warning("redis close failed", failure=category(error))
