"""Runs projections in the worker: notified of new events, and polling."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from prometheus_client import Counter, Gauge

from ..errors import Unavailable
from ..jobs.notifications import listen
from ..observability.logs import log
from ..postgres.pool import Pool
from .lag import lag
from .projections import CHANNEL, Projection, Stopped, catch_up

POLL_SECONDS = 1
"""Polling interval: for events without a notification, and after an outage."""
RETRY_SECONDS = 30
"""Pause of a projection that cannot apply an event; skipping the event ends it."""
LATE_SECONDS = 60
"""Lag that makes the check `projections` of `/readyz` degraded."""

_events = Gauge("projection_lag_events", "Events not applied yet, at most.", ["projection"])
_seconds = Gauge("projection_lag_seconds", "Age of the oldest event not applied.", ["projection"])
_failures = Counter("projection_failures", "Events that could not be applied.", ["projection"])


class Projector:
    """Keeps projections up to date. Each worker runs one; they take turns."""

    def __init__(self, pool: Pool, projections: Sequence[Projection]) -> None:
        self.pool, self.projections = pool, projections
        self._late = dict.fromkeys((each.name for each in projections), False)
        self._new = {each.name: asyncio.Event() for each in projections}

    async def run(self) -> None:
        """Apply events until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self.pool, [CHANNEL], self._notify))
            for projection in self.projections:
                group.create_task(self._follow(projection))

    async def ping(self) -> Literal["ok", "degraded"]:
        """Return `degraded` if a projection has stopped or is late; the worker still is ready."""
        return "degraded" if any(self._late.values()) else "ok"

    async def _notify(self, **_: str) -> None:
        for new in self._new.values():
            new.set()

    async def _follow(self, projection: Projection) -> None:
        new, available, stopped_at = self._new[projection.name], True, 0
        while True:
            new.clear()
            pause: float = POLL_SECONDS
            try:
                applied, stopped_at = await self._apply(projection, stopped_at)
                pause = RETRY_SECONDS if stopped_at else 0 if applied else POLL_SECONDS
                available = True
            except Unavailable as error:
                if available:
                    log.warning(
                        "projection paused",
                        projection=projection.name,
                        backing_service=error.service,
                        failure=error.failure,
                    )
                available = False
            with suppress(Unavailable):
                await self._measure(projection, is_stopped=bool(stopped_at))
            if pause:
                await self._wait(new, pause)

    async def _apply(self, projection: Projection, stopped_at: int) -> tuple[int, int]:
        """Apply the next events; return their number, and the position of one that stops."""
        try:
            return await catch_up(self.pool, projection), 0
        except Stopped as error:
            position = error.stored.position
            with suppress(Stopped):  # At an earlier one, which is tried again.
                await catch_up(self.pool, projection, before=position)
            if position != stopped_at:
                self._report(projection, error)
            return 0, position

    def _report(self, projection: Projection, error: Stopped) -> None:
        stored = error.stored
        _failures.labels(projection.name).inc()
        log.error(
            "projection stopped",
            projection=projection.name,
            position=stored.position,
            stream=stored.stream,
            type=stored.type,
            exc_info=error.__cause__,
        )

    async def _measure(self, projection: Projection, *, is_stopped: bool) -> None:
        behind = await lag(self.pool, projection)
        _events.labels(projection.name).set(behind.events)
        _seconds.labels(projection.name).set(behind.seconds)
        self._late[projection.name] = is_stopped or behind.seconds > LATE_SECONDS

    async def _wait(self, new: asyncio.Event, seconds: float) -> None:
        """Wait for a notification, but not longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await new.wait()
