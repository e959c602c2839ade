"""Redis, which this service can do without: no wait is long, and an outage costs few of them."""

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
from .connection import following
from .settings import RedisSettings

ANSWER_SECONDS = 0.5
"""How long to wait for an answer, the way to it included."""
PAUSE_SECONDS = 2
"""For how long nothing is asked of a server that is away; then one call finds out for all."""
MAX_CONNECTIONS = 20

OUTAGES = (RedisError, OSError)
"""What says that there is no answer, or none that we could use."""


class Redis:
    """Asks the server: there → away → asked once in a while → there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._failure = ""
        self._answered = self._next_attempt = 0.0

    async def ask[**P, T](
        self, command: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Run a command; raise `Unavailable` if the server fails us, or did so a moment ago."""
        if self._failure:
            if monotonic() < self._next_attempt:
                raise Unavailable("redis", self._failure)
            self._next_attempt = monotonic() + PAUSE_SECONDS
        return await self.insist(command, *arguments, **options)

    async def insist[**P, T](
        self, command: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs
    ) -> T:
        """Run a command that is worth a wait even where the server failed us a moment ago."""
        started = monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await command(*arguments, **options)
        except OUTAGES as error:
            failure = type(error).__name__
            # While others are answered, the server is not away: it is we who are busy.
            if self._answered < started:
                if not self._failure:
                    log.warning("redis unavailable", failure=failure)
                self._failure, self._next_attempt = failure, monotonic() + PAUSE_SECONDS
            raise Unavailable("redis", failure) from error
        self._answered = monotonic()
        if self._failure:
            self._failure = ""
            log.info("redis available")
        return answer

    async def ping(self) -> Literal["ok", "degraded"]:
        """Tell whether the server answers."""
        try:
            await self.ask(self.client.ping)
        except Unavailable:
            return "degraded"
        return "ok"


@asynccontextmanager
async def open_redis(settings: RedisSettings, process: str) -> AsyncIterator[Redis]:
    """Open a client, without waiting for the server, which is told the name of our process."""

    def url() -> str:
        return str(settings.redis_url.get_secret_value())

    pool = BlockingConnectionPool.from_url(
        url(),
        # A client's name there is of printable characters, without blanks.
        client_name=re.sub("[^!-~]", "-", f"{settings.otel_service_name}:{process}"),
        max_connections=MAX_CONNECTIONS,
        timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    pool.connection_class = following(url, pool.connection_class)
    client = Client.from_pool(pool)
    try:
        yield Redis(client)
    finally:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.aclose()
        except OUTAGES as error:
            log.warning("redis close failed", failure=type(error).__name__)
