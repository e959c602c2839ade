"""Log line, duration metric and timeout of each attempt at a job; metrics of the queue."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from procrastinate import JobContext
from procrastinate.exceptions import TaskNotFound
from procrastinate.worker import Worker
from prometheus_client import Gauge, Histogram
from pydantic import ValidationError
from structlog.contextvars import bind_contextvars

from ..errors import Unavailable
from ..observability.logs import log
from .queue import JobQueue

_duration = Histogram(
    "job_duration_seconds",
    "Duration of attempts at jobs.",
    ["task", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_jobs = Gauge("jobs", "Jobs by status; failed ones wait for an operator.", ["status"])
STATUSES = ("todo", "doing", "failed")


class JobLogMiddleware:
    """Middleware of the worker: one log line and one measurement per attempt."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(
        self, proceed: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> None:
        """Run the job until the timeout of one attempt."""
        job = context.job
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
            again = task.get_retry_exception(exception=error, job=job)
            outcome = "failed" if again is None else "retry"
            failure = _failure(error)
            raise
        finally:
            seconds = perf_counter() - started
            _duration.labels(job.task_name, outcome).observe(seconds)
            write = log.error if outcome == "failed" else log.warning if failure else log.info
            write("job", outcome=outcome, duration_ms=round(seconds * 1000, 3), **failure)


def _failure(error: Exception) -> dict[str, Any]:
    """Return the traceback, or the reasons by name of invalid arguments, without their values."""
    if not isinstance(error, ValidationError):
        return {"exc_info": error}
    # After the first comma, a message may quote the value.
    wrong = {str(e["loc"][0]): e["msg"].partition(",")[0] for e in error.errors()}
    return {"arguments": wrong}


async def update_metrics(queue: JobQueue) -> None:
    """Set the job counts, or remove them if the database is unavailable."""
    try:
        counts = await queue.counts()
    except Unavailable:
        _jobs.clear()
        return
    for status in STATUSES:
        _jobs.labels(status).set(counts.get(status, 0))


def silence_procrastinate() -> None:
    """Drop procrastinate's own logs, but for unknown tasks, which no middleware sees."""
    logger = logging.getLogger("procrastinate")
    logger.setLevel(logging.CRITICAL)
    outcomes = logging.getLogger("procrastinate.worker")
    outcomes.setLevel(logging.ERROR)
    outcomes.addFilter(lambda record: (record.exc_info or (None,))[0] is TaskNotFound)
    outcomes.getChild("worker").setLevel(logging.CRITICAL)
