"""List, retry or discard failed jobs."""

import asyncio
import os
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from ..config.settings import BaseServiceSettings
from ..errors import Unavailable
from ..observability.logs import log
from ..service import Service
from .queue import JobQueue


def add_options(options: ArgumentParser) -> None:
    """`list` (the default), `retry ID …|all`, `discard ID …|all`."""
    actions = options.add_subparsers(dest="action", metavar="action")
    actions.add_parser("list", help="show each failed job")
    for name, purpose in {
        "retry": "queue failed jobs again, for one more attempt",
        "discard": "delete failed jobs",
    }.items():
        action = actions.add_parser(name, help=purpose)
        action.add_argument("jobs", nargs="+", type=_job, metavar="ID", help="id of a job, or all")


def run(service: Service, settings: BaseServiceSettings, arguments: Namespace) -> int:
    """Act on failed jobs and log each; return 0, 2 for an unknown id, 69 for an outage."""
    try:
        return asyncio.run(_act(service, settings, arguments))
    except Unavailable as error:
        log.error("job queue unavailable", failure=error.failure)
        return os.EX_UNAVAILABLE


async def _act(service: Service, settings: BaseServiceSettings, arguments: Namespace) -> int:
    async with service.open_resources(settings, "jobs") as resources:
        queue = JobQueue(resources.database.pool)
        failed = await queue.failed()
        act = {"retry": queue.retry, "discard": queue.discard}.get(arguments.action)
        if act is None:
            for job in failed:
                log.info(
                    "failed job",
                    id=job.id,
                    task=job.task,
                    arguments=job.arguments,
                    attempts=job.attempts,
                )
            return 0
        asked = [job.id for job in failed] if "all" in arguments.jobs else arguments.jobs
        status = 0
        for job_id in asked:
            if await act(job_id):
                log.info("failed job changed", action=arguments.action, id=job_id)
            else:
                log.error("failed job not found", id=job_id)
                status = 2
        return status


def _job(text: str) -> int | str:
    if text == "all":
        return text
    if not re.fullmatch("[1-9][0-9]{0,17}", text):
        raise ArgumentTypeError("not the id of a job: give a number, or all")
    return int(text)
