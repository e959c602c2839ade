"""The settings of workers: what values each may have, and what it says."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _check_cron(line: str) -> str:
    # Only what sets a schedule of its own has one to check.
    from croniter import croniter  # type: ignore[import-untyped]  # noqa: PLC0415

    if not croniter.is_valid(line):
        raise ValueError("no line of cron such as `0 3 * * *`")
    return line


Concurrency = Annotated[
    int,
    Field(
        ge=1,
        description="Jobs that a worker does at once; keep it below `DATABASE_POOL_SIZE`.",
    ),
]
AttemptSeconds = Annotated[
    float, Field(gt=0, le=86400, description="Seconds that one attempt at a job may take.")
]
RetrySeconds = Annotated[
    float,
    Field(
        gt=0,
        le=3600,
        description="Seconds before a failed job is tried again; twice as many each time.",
    ),
]
LeaseSeconds = Annotated[
    float,
    Field(
        ge=1,
        le=3600,
        description="Seconds of silence after which a worker's jobs are given to others.",
    ),
]
Schedule = Annotated[
    str,
    AfterValidator(_check_cron),
    Field(description="When a worker deletes old orders: a line of cron, in UTC."),
]
KeepDays = Annotated[
    int, Field(ge=1, le=99999, description="Days for which an order is kept by that.")
]
