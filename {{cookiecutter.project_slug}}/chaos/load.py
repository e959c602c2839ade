"""A light load: encoded requests on connections of our own, at an even rate, none tried twice."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from itertools import count
from time import monotonic
from typing import Any, NamedTuple, Self

from .traffic import Request

TIMEOUT = 20
"""Seconds after which a request that was not answered has failed."""
KEPT = 50
"""Connections that a client keeps: of one that it hardly uses, it learns late that it ends."""
LAST_BYTES = 2
"""How much of a request a slow client keeps back."""


class Outcome(NamedTuple):
    """What became of one request."""

    started: float
    seconds: float
    right: int
    said: int | str
    location: str


class Connection(NamedTuple):
    """What a client reads from and writes to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Client:
    """Asks at one port; connections are kept for later requests unless these want a new one."""

    def __init__(self, port: int) -> None:
        self.outcomes: list[Outcome] = []
        self._port = port
        self._idle = deque[Connection]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.writer.close()

    async def ask(self, request: Request, *, fresh: bool = False, pause: float = 0) -> Outcome:
        """Send a request and note what became of it; `pause` seconds pass before its last bytes."""
        started = monotonic()
        said: int | str
        location = ""
        try:
            async with asyncio.timeout(TIMEOUT):
                said, location = await self._ask(request.raw, fresh, pause)
        except (OSError, EOFError, RuntimeError) as failure:  # uvloop's word for a closed one.
            said = type(failure).__name__
        seconds = monotonic() - started - pause
        outcome = Outcome(started, seconds, request.status, said, location)
        self.outcomes.append(outcome)
        return outcome

    async def abandon(self, sent: bytes) -> None:
        """Send these bytes on a connection of their own, and go away without an answer."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(sent)
        await asyncio.sleep(0)
        writer.transport.abort()

    async def _ask(self, raw: bytes, fresh: bool, pause: float) -> tuple[int, str]:
        connection = await self._connection(fresh)
        reader, writer = connection
        keep = False
        try:
            writer.write(raw[:-LAST_BYTES] if pause else raw)
            if pause:
                await asyncio.sleep(pause)
                writer.write(raw[-LAST_BYTES:])
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
            await reader.readexactly(int(fields.get("content-length", 0)))
            keep = not fresh and fields.get("connection") != "close"
        finally:
            if keep and len(self._idle) < KEPT:
                self._idle.append(connection)
            else:
                writer.close()
        return int(head.split(" ", 2)[1]), fields.get("location", "")

    async def _connection(self, fresh: bool) -> Connection:
        while self._idle and not fresh:
            connection = self._idle.popleft()
            if not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return Connection(*await asyncio.open_connection("127.0.0.1", self._port))


async def paced(
    rate: float, work: Callable[[int], Coroutine[Any, Any, object]], over: Callable[[], bool]
) -> None:
    """Begin work `rate` times a second until it is over, however long that takes which was begun.

    Each beginning has its time from the first: what is late is made up for, and nothing drifts.
    """
    first = monotonic()
    async with asyncio.TaskGroup() as group:
        for number in count():
            await asyncio.sleep(max(0, first + number / rate - monotonic()))
            if over():
                break
            group.create_task(work(number))


def after(seconds: float) -> Callable[[], bool]:
    """Return what tells whether so many seconds from now are over."""
    end = monotonic() + seconds
    return lambda: monotonic() >= end


def failures(outcomes: list[Outcome], *pardoned: int) -> Counter[int | str]:
    """Count what was said where another status was right, unless it is pardoned."""
    return Counter(o.said for o in outcomes if o.said not in (o.right, *pardoned))


def p99(outcomes: list[Outcome]) -> float:
    """Return the milliseconds that one request in a hundred took longer than."""
    ordered = sorted(outcome.seconds for outcome in outcomes)
    return ordered[int(len(ordered) * 0.99)] * 1000
