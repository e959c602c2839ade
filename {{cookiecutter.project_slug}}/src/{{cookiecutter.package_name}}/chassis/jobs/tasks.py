"""Registration of tasks: validated arguments, retries with backoff, schedules."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import uniform
from typing import Any

from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.exceptions import TaskNotFound
from procrastinate.jobs import Job
from procrastinate.tasks import Task
from pydantic import ConfigDict, validate_call

ATTEMPTS = 5
"""Attempts at a job before it fails for good."""
LONGEST_WAIT = 3600
"""Longest wait between two attempts in seconds."""

validated = validate_call(config=ConfigDict(hide_input_in_errors=True))


class Backoff(BaseRetryStrategy):
    """Exponential backoff with jitter: jobs that failed together are not all retried together."""

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Retry at once after a cancelled attempt.

        Invalid arguments are retried too: they may be those of a newer release.
        """
        if isinstance(exception, CancelledError):
            return RetryDecision(retry_at=datetime.now(UTC))
        if job.attempts + 1 >= ATTEMPTS:
            return None
        longest = min(self._first_seconds * 2**job.attempts, LONGEST_WAIT)
        wait = timedelta(seconds=uniform(longest / 2, longest))  # noqa: S311  # Not a secret.
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


class TasksByName(dict[str, Task[Any, Any, Any]]):
    """Tasks; an unknown one fails and is retried: workers of a newer release may know it."""

    def __init__(self, app: App, retry: Backoff) -> None:
        self._app = app
        self._retry = retry

    def __missing__(self, name: str) -> Task[Any, Any, Any]:
        """Return a task that fails."""

        async def unknown(**_: object) -> None:
            raise TaskNotFound

        return Task(unknown, blueprint=self._app, name=name, queue="default", retry=self._retry)

    def get(self, name: str, _: object = None) -> Task[Any, Any, Any]:
        return self[name]


class Tasks:
    """Registers tasks. Each must be idempotent: a job of a crashed worker runs again."""

    def __init__(self, app: App, retry_seconds: float) -> None:
        self._app = app
        self._retry = Backoff(retry_seconds)
        app.tasks = TasksByName(app, self._retry)

    def add(
        self, name: str, *, cron: str | None = None
    ) -> Callable[[Callable[..., Awaitable[None]]], None]:
        """Register a coroutine function as the task `name`.

        With `cron`, it also runs on that schedule (UTC), with the tick as its argument, timestamp.
        """

        def register(function: Callable[..., Awaitable[None]]) -> None:
            task = self._app.task(name=name, retry=self._retry)(validated(function))
            if cron:
                self._app.periodic(cron=cron)(task)

        return register
