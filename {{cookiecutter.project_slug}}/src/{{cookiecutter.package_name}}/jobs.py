"""Every job that a worker knows: what this service does outside of requests."""

from asyncio import CancelledError
from datetime import UTC, datetime, timedelta
from random import uniform
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from pydantic import ConfigDict, ValidationError, validate_call

from .adapters.fulfilments import Fulfilments
from .lifecycle import Resources
from .logs import log
from .settings import Settings

ATTEMPTS = 5
"""How often a job is tried before it is kept as failed."""
LONGEST_WAIT = 3600
"""Seconds between two attempts at most."""

validated = validate_call(config=ConfigDict(hide_input_in_errors=True))
"""Refuses arguments that a job does not take, with `ValidationError`."""


def add_jobs(app: App, settings: Settings, resources: Resources) -> None:
    """Tell `app` the jobs; each must bear being done twice, since a worker may be killed."""
    retry = Backoff(settings.job_retry_seconds)
    fulfilments = Fulfilments(resources.jobs.pool)

    @app.task(name="fulfil", retry=retry)
    @validated
    async def fulfil(order_id: UUID) -> None:
        await fulfilments.fulfil(order_id)
        {% if cookiecutter.redis %}
        await resources.cache.forget(order_id)
        {% endif %}

    @app.periodic(cron=settings.cleanup_schedule)
    @app.task(name="cleanup", retry=retry)
    @validated
    async def cleanup(timestamp: int) -> None:
        before = datetime.fromtimestamp(timestamp, UTC) - timedelta(days=settings.keep_days)
        deleted = await resources.orders.delete_before(before)
        log.info("cleaned up", deleted=deleted, placed_before=before.isoformat())


class Backoff(BaseRetryStrategy):
    """Waits twice as long after each attempt, shortened by chance.

    Jobs that failed together, as in an outage, do not all come back together.
    """

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again: at once what a stopping worker gave back, never a misfit."""
        if isinstance(exception, CancelledError):
            return RetryDecision(retry_at=datetime.now(UTC))
        if isinstance(exception, ValidationError) or job.attempts + 1 >= ATTEMPTS:
            return None
        longest = min(self._first_seconds * 2**job.attempts, LONGEST_WAIT)
        wait = timedelta(seconds=uniform(longest / 2, longest))  # noqa: S311  # No secret.
        return RetryDecision(retry_at=datetime.now(UTC) + wait)
