"""Redis connections that read the URL whenever they connect, and the categories of failures."""

import errno
from collections.abc import Callable
from socket import gaierror
from ssl import SSLError
from time import monotonic
from typing import Any

from redis import exceptions
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


CATEGORIES: dict[type[BaseException], str] = {
    gaierror: "name",
    UnicodeError: "name",
    SSLError: "tls",
    exceptions.AuthenticationError: "auth",
    exceptions.AuthenticationWrongNumberOfArgsError: "auth",
    exceptions.AuthorizationError: "auth",
    exceptions.NoPermissionError: "permission",
    exceptions.ReadOnlyError: "read-only",
    exceptions.MasterDownError: "read-only",
    exceptions.TimeoutError: "timeout",
    TimeoutError: "timeout",
}
TEXTS = {
    "DB index is out of range": "no database",
    "ACL failure in script": "permission",
    "The user executing the script can't": "permission",  # Before Redis 7.2.
    "-READONLY": "read-only",
    "MISCONF": "read-only",
    "NOREPLICAS": "read-only",
    f"[Errno {errno.ECONNREFUSED}]": "refused",
}
"""Parts of messages of errors without a type: of the server, or of hosts with several addresses."""


def category(error: BaseException) -> str:
    """Return the category of a failure (see `Unavailable`): its own, or that of its cause."""
    cause: BaseException | None = error
    while cause:
        for error_type, found in CATEGORIES.items():
            if isinstance(cause, error_type):
                return found
        for text, found in TEXTS.items():
            if text in str(cause):
                return found
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "unavailable"
