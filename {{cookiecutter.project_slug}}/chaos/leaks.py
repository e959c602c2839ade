"""A long run of all kinds of requests, after which the process is as it was before."""

import asyncio
from statistics import linear_regression

from tests.twelve_factor.report import Measure

from .load import Client, after, failures, paced
from .replica import Replica
from .scale import RATE, SCALE, scaled
from .traffic import INVALID, LIVE, READ, UNKNOWN, WRITE

KINDS = 8
EVERY = 200


async def run(service: Replica, measure: Measure, *pardoned: int, megabytes: float = 1) -> None:
    """Ask for a while; measure what has grown, and which requests failed for no good reason.

    In 100,000 requests it may grow by so many megabytes.
    """
    async with Client(service.port) as client:

        async def ask(number: int) -> None:
            match number % KINDS:
                case 0:
                    await client.abandon(WRITE.raw)
                case 1:
                    await client.abandon(WRITE.raw[:-5])
                case kind:
                    request = (READ, WRITE, UNKNOWN, INVALID, LIVE, READ)[kind - 2]
                    await client.ask(request, fresh=kind == KINDS - 1)

        await paced(RATE, ask, after(scaled(30, 6)))
        for _ in range(5):  # From now on, it has open all that it needs.
            await asyncio.gather(*(client.ask(READ) for _ in range(100)))
        descriptors = service.descriptors()
        requests, memory = [0.0], [service.memory()]

        async def ask_and_watch(number: int) -> None:
            await ask(number)
            if number % EVERY == 0:
                requests.append(number)
                memory.append(service.memory())

        await paced(RATE, ask_and_watch, after(scaled(150, 5)))
    left = await service.descriptors_below(descriptors + 2)
    failed = failures(client.outcomes, *pardoned)
    measure(f"failed for no reason {dict(failed) or ''}".rstrip(), failed.total(), "", at_most=0)
    measure("descriptors left in the end", left - descriptors, "", at_most=2)
    # A short run cannot tell growth from noise: a process takes memory by the megabyte.
    slope = linear_regression(requests, memory).slope * 100_000
    measure("growth in 100,000 requests", slope, "MB", at_most=megabytes / min(1, SCALE) ** 2)
