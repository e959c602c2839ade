"""One attempt at a job: one log line, one measurement, and an end in bounded time."""

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

from .adapters.job_queue import JobQueue
from .domain.errors import Unavailable
from .logs import log

_duration = Histogram(
    "job_duration_seconds",
    "How long attempts at jobs took.",
    ["task", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_jobs = Gauge("jobs", "How many jobs there are; failed ones wait for an operator.", ["status"])
STATUSES = ("todo", "doing", "failed")


class ObserveJobs:
    """Middleware of the worker: whatever happens inside, a line tells of it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(
        self, proceed: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> None:
        """Do the job, for as long as one attempt may take."""
        job = context.job
        bind_contextvars(job_id=job.id, task=job.task_name, attempt=job.attempts + 1)
        started = perf_counter()
        outcome, failure = "done", dict[str, Any]()
        try:
            async with asyncio.timeout(self._seconds):
                await proceed()
        except asyncio.CancelledError:
            outcome = "given back"
            raise
        except Exception as error:
            task = worker.find_task(job.task_name)
            again = task.get_retry_exception(exception=error, job=job)
            outcome = "failed" if again is None else "to be retried"
            failure = _misfits(error) if isinstance(error, ValidationError) else {"exc_info": error}
            raise
        finally:
            seconds = perf_counter() - started
            _duration.labels(job.task_name, outcome).observe(seconds)
            tell = log.error if outcome == "failed" else log.warning if failure else log.info
            tell("job", outcome=outcome, duration_ms=round(seconds * 1000, 3), **failure)


def _misfits(error: ValidationError) -> dict[str, Any]:
    """Say what is wrong with the arguments, by name, without their values."""
    # Beyond the first comma, a message may quote what was given.
    wrong = {str(e["loc"][0]): e["msg"].partition(",")[0] for e in error.errors()}
    return {"arguments": wrong}


async def count_jobs(queue: JobQueue) -> None:
    """Bring the numbers of jobs up to date, or take them back if nobody knows them."""
    try:
        counts = await queue.counts()
    except Unavailable:
        _jobs.clear()
        return
    for status in STATUSES:
        _jobs.labels(status).set(counts.get(status, 0))


def tell_only_of_unknown_jobs() -> None:
    """Keep procrastinate's own logs to what does not come past our middleware."""
    ours = logging.getLogger("procrastinate")
    ours.setLevel(logging.CRITICAL)
    outcomes = logging.getLogger("procrastinate.worker")
    outcomes.setLevel(logging.ERROR)
    outcomes.addFilter(lambda record: (record.exc_info or (None,))[0] is TaskNotFound)
    outcomes.getChild("worker").setLevel(logging.CRITICAL)
