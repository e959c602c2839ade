"""A light HTTP client: sends encoded requests at a constant rate, without retries."""

import asyncio
import os
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from itertools import count
from time import monotonic
from typing import Any, NamedTuple, Self

from .traffic import Request

SCALE = float(os.environ.get("CHAOS_SCALE", "1"))
"""Length of the experiments; 1 is the full length."""
RATE = float(os.environ.get("CHAOS_RATE", "200"))
"""Requests per second. The machine runs the service and the client, so it must not be saturated."""
TIMEOUT = 20
"""Seconds after which a request without a response has failed."""
MAX_IDLE = 50
"""Idle connections of a client. With more, it notices too late that some are closed."""
DELAYED_BYTES = 2
"""Bytes at the end of a request that a slow client delays."""


def scaled(full: float, at_least: float) -> float:
    """Return `full` at the current scale, but at least what an experiment needs."""
    return max(at_least, full * SCALE)


class Outcome(NamedTuple):
    """The result of a request: a status, or the name of an exception."""

    started: float
    seconds: float
    expected: int
    status: int | str
    location: str

    @property
    def is_expected(self) -> bool:
        """Whether the response has the expected status."""
        return self.status == self.expected


class Connection(NamedTuple):
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Client:
    """A client of one port with a pool of persistent connections; records all outcomes."""

    def __init__(self, port: int) -> None:
        self.outcomes: list[Outcome] = []
        self._port = port
        self._idle = deque[Connection]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.writer.close()

    async def send(self, request: Request, *, fresh: bool = False, pause: float = 0) -> Outcome:
        """Send a request, on a new connection if `fresh`, with a pause before its last bytes."""
        started = monotonic()
        status: int | str
        location = ""
        try:
            async with asyncio.timeout(TIMEOUT):
                status, location = await self._send(request.raw, fresh, pause)
        except (OSError, EOFError, RuntimeError) as error:  # uvloop raises it if closed.
            status = type(error).__name__
        seconds = monotonic() - started - pause
        outcome = Outcome(started, seconds, request.status, status, location)
        self.outcomes.append(outcome)
        return outcome

    async def abandon(self, sent: bytes) -> None:
        """Send these bytes on a new connection, then reset it."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(sent)
        await asyncio.sleep(0)
        writer.transport.abort()

    async def _send(self, raw: bytes, fresh: bool, pause: float) -> tuple[int, str]:
        connection = await self._connection(fresh)
        reader, writer = connection
        keep = False
        try:
            writer.write(raw[:-DELAYED_BYTES] if pause else raw)
            if pause:
                await asyncio.sleep(pause)
                writer.write(raw[-DELAYED_BYTES:])
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
            await reader.readexactly(int(headers.get("content-length", 0)))
            keep = not fresh and headers.get("connection") != "close"
        finally:
            if keep and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
            else:
                writer.close()
        return int(head.split(" ", 2)[1]), headers.get("location", "")

    async def _connection(self, fresh: bool) -> Connection:
        while self._idle and not fresh:
            connection = self._idle.popleft()
            if not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return Connection(*await asyncio.open_connection("127.0.0.1", self._port))


async def at_rate(
    rate: float, work: Callable[[int], Coroutine[Any, Any, object]], is_over: Callable[[], bool]
) -> None:
    """Start `work` `rate` times per second until it is over; wait for all that was started.

    Start times are relative to the first one, so that a delay does not lower the rate.
    """
    first = monotonic()
    async with asyncio.TaskGroup() as group:
        for number in count():
            await asyncio.sleep(max(0, first + number / rate - monotonic()))
            if is_over():
                break
            group.create_task(work(number))


def after(seconds: float) -> Callable[[], bool]:
    """Return a function that returns true once this time has passed."""
    end = monotonic() + seconds
    return lambda: monotonic() >= end


def failures(outcomes: list[Outcome], *allowed: int) -> Counter[int | str]:
    """Count unexpected results by status or exception, except allowed statuses."""
    return Counter(o.status for o in outcomes if not o.is_expected and o.status not in allowed)


def p99(outcomes: list[Outcome]) -> float:
    """Return the 99th percentile of the response times, in milliseconds."""
    ordered = sorted(outcome.seconds for outcome in outcomes)
    return ordered[int(len(ordered) * 0.99)] * 1000
