"""Connections to Redis that lead to where the URL says when they are made, or made again."""

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
"""What a URL may leave out."""


def following(url: Callable[[], str], kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return this kind of connection, which asks for the URL whenever it connects.

    The scheme and the options of TLS stay those that the kind was made for.
    """

    class Following(kind):  # type: ignore[misc, valid-type]  # Known when the URL is.
        async def _connect(self) -> None:
            address = DEFAULTS | dict(parse_url(url()))
            for name in (*DEFAULTS, "path"):
                if hasattr(self, name):
                    setattr(self, name, address[name])
            await super()._connect()

    return Following
