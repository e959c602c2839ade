"""Look after jobs that were given up: list them, try them again, or discard them."""

import asyncio
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict

from .. import exits
from ..adapters.job_queue import JobQueue
from ..domain.errors import Unavailable
from ..lifecycle import open_resources
from ..logs import log
from ..settings import Settings


def add_options(options: ArgumentParser) -> None:
    """`list`, which may be left out, `retry ID …|all`, `discard ID …|all`."""
    actions = options.add_subparsers(dest="action", metavar="action")
    actions.add_parser("list", help="show each failed job")
    for name, purpose in {
        "retry": "queue failed jobs again, for one more attempt",
        "discard": "delete failed jobs",
    }.items():
        action = actions.add_parser(name, help=purpose)
        action.add_argument("jobs", nargs="+", type=_job, metavar="ID", help="a number, or: all")


def run(settings: Settings, arguments: Namespace) -> int:
    """Log one line for each job; return 0, 2 if one is no failed job, or 69 without a database."""
    try:
        return asyncio.run(_look_after(settings, arguments))
    except Unavailable as error:
        log.error("jobs not reached", failure=error.failure)
        return exits.UNAVAILABLE


async def _look_after(settings: Settings, arguments: Namespace) -> int:
    async with open_resources(settings, "jobs") as resources:
        queue: JobQueue = resources.jobs
        failed = await queue.failed()
        act = {"retry": queue.retry, "discard": queue.discard}.get(arguments.action)
        if act is None:
            for job in failed:
                log.info("failed job", **asdict(job))
            return 0
        asked = [job.id for job in failed] if "all" in arguments.jobs else arguments.jobs
        status = 0
        for job_id in asked:
            if await act(job_id):
                log.info(f"job {arguments.action}", id=job_id)
            else:
                log.error("no failed job", id=job_id)
                status = 2
        return status


def _job(text: str) -> int | str:
    if text == "all":
        return text
    if not re.fullmatch("[1-9][0-9]{0,17}", text):
        raise ArgumentTypeError("the number of a job is needed, or: all")
    return int(text)
