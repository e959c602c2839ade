"""Redis connections that read the URL whenever they connect, and reconnect after a failure."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from redis.asyncio.connection import AbstractConnection, parse_url

DEFAULTS: dict[str, Any] = {
    "host": "localhost",
    "port": 6379,
    "username": None,
    "password": None,
    "db": 0,
}
"""Parts that a URL may omit."""


def following(
    url: Callable[[], str], failed_at: Callable[[], float], base: type[AbstractConnection]
) -> type[AbstractConnection]:
    """Return a subclass of `base` that calls `url` whenever it connects.

    A connection older than `failed_at` is replaced before its next use: the address may lead to
    another server by now. The scheme and the TLS options do not change: they are in `base` and its
    arguments.
    """

    class Following(base):  # type: ignore[misc, valid-type]  # Its base is known at run time.
        connected_at = 0.0

        async def connect(self) -> None:
            if self.is_connected and self.connected_at < failed_at():
                await self.disconnect()
            await super().connect()

        async def _connect(self) -> None:
            self.connected_at = monotonic()
            address = DEFAULTS | dict(parse_url(url()))
            for name in (*DEFAULTS, "path"):
                if hasattr(self, name):
                    setattr(self, name, address[name])
            await super()._connect()

    return Following
