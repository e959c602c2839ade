"""Redis connections that read the URL again whenever they connect or reconnect."""

from collections.abc import Callable
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


def following(url: Callable[[], str], base: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return a subclass of `base` that calls `url` whenever it connects.

    The scheme and the TLS options do not change: they are in `base` and its arguments.
    """

    class Following(base):  # type: ignore[misc, valid-type]  # Its base is known at run time.
        async def _connect(self) -> None:
            address = DEFAULTS | dict(parse_url(url()))
            for name in (*DEFAULTS, "path"):
                if hasattr(self, name):
                    setattr(self, name, address[name])
            await super()._connect()

    return Following
