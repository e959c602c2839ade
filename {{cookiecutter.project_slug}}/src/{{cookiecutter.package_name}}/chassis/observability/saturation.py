"""Metrics of saturation and readiness: what delays requests, and which backing service fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from time import monotonic
from typing import Any, Protocol

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

TICK_SECONDS = 0.1
REQUEST = "HttpConnection._respond"
"""The coroutine of a request. To count such tasks at a scrape costs requests nothing."""


class Readiness(Protocol):
    """Whether the process drains (see `readiness.py`)."""

    draining: bool


class EventLoopLag:
    """The longest delay of the event loop: how late a timer is that is due every 0.1 s."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._schedule()

    def pop(self) -> float:
        """Return the longest delay in seconds since the last call."""
        self._measure()
        longest, self._longest = self._longest, 0.0
        return longest

    def _schedule(self) -> None:
        self._due = monotonic() + TICK_SECONDS
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._measure()
        self._schedule()

    def _measure(self) -> None:
        now = monotonic()
        self._longest = max(self._longest, now - self._due)
        self._due = max(self._due, now)  # Do not measure the same delay twice.


class Checks:
    """The results of the last readiness check."""

    def __init__(self, readiness: Readiness, pings: Mapping[str, Callable[[], Any]]) -> None:
        self._readiness = readiness
        self._pings = pings
        self._results: dict[str, str | None] = {}

    def record[T: str](
        self, name: str, ping: Callable[[], Awaitable[T]]
    ) -> Callable[[], Awaitable[T]]:
        """Return a ping that records its result."""

        async def recorded() -> T:
            try:
                result = await ping()
            except Exception:
                self._results[name] = None
                raise
            self._results[name] = result
            return result

        return recorded

    def available(self) -> dict[str, bool]:
        """Return whether each backing service was available; an optional one may be missing."""
        return {name: result == "ok" for name, result in self._results.items()}

    def ready(self) -> bool | None:
        """Return what `/readyz` returns; None if not all backing services were checked yet."""
        if self._readiness.draining or None in self._results.values():
            return False
        return True if self._results.keys() == self._pings.keys() else None


class _Saturation(Collector):
    """Of the application that was opened last; a process has one."""

    lag: EventLoopLag
    checks: Checks | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self.checks is None:
            return
        text = "Longest delay of the event loop since the last scrape."
        yield GaugeMetricFamily("event_loop_lag_seconds", text, self.lag.pop())
        text = "Requests in flight, without the scrape."
        yield GaugeMetricFamily("http_server_active_requests", text, active_requests())
        text = "Whether the last check found the backing service available."
        available = GaugeMetricFamily("backing_service_available", text, labels=["name"])
        for name, is_available in self.checks.available().items():
            available.add_metric([name], is_available)
        yield available
        if (ready := self.checks.ready()) is not None:
            text = "Whether the last readiness check succeeded, and the process does not drain."
            yield GaugeMetricFamily("service_ready", text, ready)


def active_requests() -> int:
    """Count the requests in flight, except that of the current task."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return sum(getattr(task.get_coro(), "__qualname__", "") == REQUEST for task in others)


_saturation = _Saturation()
REGISTRY.register(_saturation)


def open_saturation[T: str](
    readiness: Readiness, pings: Mapping[str, Callable[[], Awaitable[T]]]
) -> dict[str, Callable[[], Awaitable[T]]]:
    """Measure this process from now on; return the pings, which then record their results."""
    _saturation.lag = EventLoopLag()
    _saturation.checks = checks = Checks(readiness, pings)
    return {name: checks.record(name, ping) for name, ping in pings.items()}
