"""NATS JetStream: every call has a timeout, every outage is `Unavailable`."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from nats.errors import MaxPayloadError
from nats.js.api import Header
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import AnyUrl

from ..errors import Unavailable
from .connection import CALL_SECONDS, OUTAGES, Connection, category, close, connect
from .settings import NatsSettings


class Broker:
    """Publishes to a stream; connects when it is used, and again after a failure.

    The stream is created if there is none, and only this service may publish to it. Its name is
    also the first part of its subjects.
    """

    def __init__(self, url: Callable[[], AnyUrl], stream: str, process: str) -> None:
        self._url, self.stream, self._process = url, stream, process
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._error: Exception | None = None

    async def last(self) -> tuple[str, int]:
        """Return id and number of the last message, or "" and the last number without one."""
        async with self._connected() as context:
            try:
                message = await context.get_last_msg(self.stream, f"{self.stream}.>")
            except NotFoundError:
                return "", (await context.stream_info(self.stream)).state.last_seq
            return (message.headers or {}).get(Header.MSG_ID, ""), message.seq or 0

    async def publish(self, subject: str, message_id: str, data: bytes, after: int) -> int:
        """Publish unless there is a message after number `after`, and return the new number.

        Raise `Unavailable`, or `MaxPayloadError` for a message that the server never accepts.
        """
        headers: dict[str, str] = {
            Header.MSG_ID: message_id,
            Header.EXPECTED_LAST_SEQUENCE: str(after),
        }
        async with self._connected() as context:
            done = await context.publish(f"{self.stream}.{subject}", data, headers=headers)
            return done.seq

    async def ping(self) -> Literal["ok", "degraded"]:
        """Return whether the stream is available; unpublished events wait in the database."""
        try:
            async with self._connected() as context:
                await context.stream_info(self.stream)
        except Unavailable:
            return "degraded"
        return "ok"

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection:
            await close(connection)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[JetStreamContext]:
        """Yield a connected context; close the connection after a failure."""
        connection = None
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async with self._connecting:
                    if not self._connection or self._connection.is_closed:
                        self._connection = await self._connect()
                    connection = self._connection
                yield connection.jetstream(timeout=CALL_SECONDS)
        except MaxPayloadError:
            raise
        except OUTAGES as error:
            if connection and connection is self._connection:
                await self.close()
            # The server sends the reason of some timeouts.
            raise Unavailable("nats", category(self._error, error)) from error

    async def _connect(self) -> Connection:
        self._error = None
        connection = await connect(self._url(), self._process, self._on_error)
        try:
            await self._create(connection.jetstream(timeout=CALL_SECONDS))
        except BaseException:
            await close(connection)
            raise
        return connection

    async def _create(self, context: JetStreamContext) -> None:
        """Create the stream if there is none."""
        try:
            await context.stream_info(self.stream)
        except NotFoundError:
            await context.add_stream(name=self.stream, subjects=[f"{self.stream}.>"])

    async def _on_error(self, error: Exception) -> None:
        self._error = error


@asynccontextmanager
async def open_broker(settings: NatsSettings, process: str) -> AsyncIterator[Broker]:
    """Open the stream of this service without waiting for the server, which sees `process`."""
    name = re.sub(r"[^\w-]", "-", settings.otel_service_name, flags=re.ASCII)
    broker = Broker(settings.nats_url.get_secret_value, name, f"{name}:{process}")
    try:
        yield broker
    finally:
        await broker.close()
