"""Connections to NATS, and the categories of their failures."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from socket import gaierror
from ssl import SSLError
from urllib.parse import unquote

from nats.aio.client import Client
from nats.errors import Error, SecureConnWantedError
from pydantic import AnyUrl

CALL_SECONDS = 2
"""Timeout for a call, including the time to connect."""
OUTAGES = (Error, OSError)
CATEGORIES: dict[type[Exception], str] = {
    gaierror: "name",
    ConnectionRefusedError: "refused",
    SSLError: "tls",
    SecureConnWantedError: "tls",
    TimeoutError: "timeout",
}
TEXTS = {"authorization violation": "auth", "permissions violation": "permission"}
"""Parts of messages of the server."""


class Connection(Client):
    """Sends nothing to a server without TLS if the URL demands TLS."""

    def _connect_command(self) -> bytes:
        server = self._current_server
        if server and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise SecureConnWantedError
        command: bytes = super()._connect_command()
        return command


async def connect(
    url: AnyUrl, process: str, on_error: Callable[[Exception], Awaitable[None]]
) -> Connection:
    """Connect once; the server sees `process`, and its errors are passed to `on_error`."""
    user, password = unquote(url.username or ""), unquote(url.password or "")
    connection = Connection()
    try:
        await connection.connect(
            f"{url.scheme}://{url.host}:{url.port or 4222}",
            name=process,
            user=user if password else None,
            password=password or None,
            token=None if password else user or None,
            allow_reconnect=False,  # A new connection reads the URL again.
            connect_timeout=CALL_SECONDS,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=on_error,
        )
    except BaseException:
        await close(connection)
        raise
    return connection


async def close(connection: Connection) -> None:
    """Close a connection, also one that is broken."""
    with suppress(*OUTAGES):
        async with asyncio.timeout(CALL_SECONDS):
            await connection.close()


def category(*errors: Exception | None) -> str:
    """Return the category of a failure (see `Unavailable`), from the first error that has one."""
    for error in errors:
        for text, found in TEXTS.items():
            if text in str(error).lower():
                return found
        for error_type, found in CATEGORIES.items():
            if isinstance(error, error_type):
                return found
    return "unavailable"
