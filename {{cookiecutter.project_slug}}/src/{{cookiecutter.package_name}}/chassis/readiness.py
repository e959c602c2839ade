"""Readiness: a process that drains or lacks a backing service should get no requests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from .errors import Unavailable

type Ping = Callable[[], Awaitable[Literal["ok", "degraded"]]]
"""Checks a backing service in bounded time; raises `Unavailable` if requests need it and fail.

An outage of an optional service is `degraded`, not an error.
"""
HEALTHY = {"ok", "degraded"}


class Readiness:
    """Readiness of one process, shared by its server, middleware and health endpoints."""

    def __init__(self) -> None:
        self.draining = False
        self.pings: Mapping[str, Ping] = {}
        self._checking: asyncio.Task[dict[str, str]] | None = None

    async def checks(self) -> dict[str, str]:
        """Return the result or category of failure of each backing service.

        Concurrent callers share one ping, so that a flood of probes does not exhaust a service.
        """
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        return await asyncio.shield(self._checking)

    async def _check(self) -> dict[str, str]:
        """Ping all backing services at once."""

        async def check(ping: Ping) -> str:
            try:
                return await ping()
            except Unavailable as error:
                return error.failure

        results = await asyncio.gather(*map(check, self.pings.values()))
        return dict(zip(self.pings, results, strict=True))
