"""Log record, duration metric and timeout of each attempt at a job; metrics of the queue."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from logging import ERROR, INFO, WARNING
from time import perf_counter
from typing import Any

from procrastinate import JobContext
from procrastinate.worker import Worker
from prometheus_client import REGISTRY, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import ValidationError
from structlog.contextvars import bind_contextvars

from ..errors import Unavailable
from ..observability.logs import log
from .context import restore_context
from .queue import JobQueue

_duration = Histogram(
    "job_duration_seconds",
    "Duration of attempts at jobs.",
    ["task", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_jobs = Gauge("jobs", "Jobs by status; failed ones wait for an operator.", ["status"])
STATUSES = ("todo", "doing", "failed")


class _OldestJob(Collector):
    """A gauge that can be removed, unlike a `Gauge` without labels."""

    seconds: float | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        text = "Age of the oldest job that is due and not begun."
        if self.seconds is not None:
            yield GaugeMetricFamily("jobs_oldest_seconds", text, self.seconds)


_oldest = _OldestJob()
REGISTRY.register(_oldest)


class JobLogMiddleware:
    """Middleware of the worker: logs and measures each attempt at a job."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(
        self, proceed: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> None:
        """Run the job, with a timeout."""
        job = context.job
        restore_context(job.task_kwargs)
        bind_contextvars(job_id=job.id, task=job.task_name, attempt=job.attempts + 1)
        started = perf_counter()
        outcome, failure = "done", dict[str, Any]()
        try:
            async with asyncio.timeout(self._seconds):
                await proceed()
        except asyncio.CancelledError:
            outcome = "released"
            raise
        except Exception as error:
            task = worker.find_task(job.task_name)
            retry = task.get_retry_exception(exception=error, job=job)
            outcome = "retry" if retry else "failed"
            failure = {"exc_info": error}
            if isinstance(error, ValidationError):
                failure = {"arguments": _problems(error)}
            raise
        finally:
            seconds = perf_counter() - started
            _duration.labels(job.task_name, outcome).observe(seconds)
            level = ERROR if outcome == "failed" else WARNING if failure else INFO
            duration_ms = round(seconds * 1000, 3)
            log.log(level, "job", outcome=outcome, duration_ms=duration_ms, **failure)


def _problems(error: ValidationError) -> dict[str, str]:
    """Return the problem of each invalid argument, without its value."""
    # After the first comma, a message may quote the value.
    return {str(e["loc"][0]): e["msg"].partition(",")[0] for e in error.errors()}


async def update_metrics(queue: JobQueue) -> None:
    """Set the metrics of the queue, or remove them if the database is unavailable."""
    try:
        counts, _oldest.seconds = await queue.counts(), await queue.oldest_seconds()
    except Unavailable:
        _jobs.clear()
        _oldest.seconds = None
        return
    for status in STATUSES:
        _jobs.labels(status).set(counts.get(status, 0))


def silence_procrastinate() -> None:
    """Drop procrastinate's logs: the middleware logs each attempt."""
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
