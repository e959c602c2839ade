"""Settings of the worker."""

from typing import Annotated

from pydantic import AfterValidator, Field

from ..config.settings import BaseServiceSettings
from ..http.settings import HttpSettings


def _check_cron(expression: str) -> str:
    # Imported here, so that commands without configuration start without it.
    from croniter import croniter  # type: ignore[import-untyped]  # noqa: PLC0415

    if not croniter.is_valid(expression):
        raise ValueError("not a cron expression such as `0 3 * * *`")
    return expression


Cron = Annotated[str, AfterValidator(_check_cron)]


class JobSettings(BaseServiceSettings):
    """Variables of job execution."""

    worker_concurrency: int = Field(
        default=5,
        ge=1,
        description="Jobs that a worker runs at once; keep it below `DATABASE_POOL_SIZE`.",
    )
    job_seconds: float = Field(
        default=60, gt=0, le=86400, description="Timeout for one attempt at a job."
    )
    job_retry_seconds: float = Field(
        default=2,
        gt=0,
        le=3600,
        description="Seconds before a failed job is retried; doubled for each attempt.",
    )
    job_lease_seconds: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds without a heartbeat after which a worker's jobs are requeued.",
    )


class WorkerSettings(JobSettings, HttpSettings):
    """Variables of the worker process, which also serves probes."""
