"""Memory and open files do not grow with valid, invalid and abandoned requests."""

import asyncio
from statistics import linear_regression

from tests.twelve_factor.report import Measure

from .load import RATE, SCALE, Client, after, at_rate, failures, scaled
from .replica import Replica, replica
from .traffic import INVALID, LIVE, READ, UNKNOWN, WRITE

REQUESTS = (READ, WRITE, UNKNOWN, INVALID, LIVE, READ)
SAMPLE_INTERVAL = 200
"""Requests between two samples of the memory."""


async def measure_leaks(
    service: Replica, measure: Measure, *allowed: int, megabytes: float = 1
) -> None:
    """Send mixed requests; measure what grows, and the failures except `allowed` statuses.

    The memory may grow by `megabytes` in 100,000 requests.
    """
    async with Client(service.port) as client:

        async def send(number: int) -> None:
            match number % 8:
                case 6:
                    await client.abandon(WRITE.raw)
                case 7:
                    await client.abandon(WRITE.raw[:-5])
                case position:
                    await client.send(REQUESTS[position], fresh=position == 5)

        await at_rate(RATE, send, after(scaled(30, 6)))
        for _ in range(5):  # Open all connections of the pools before the first sample.
            await asyncio.gather(*(client.send(READ) for _ in range(100)))
        descriptors = service.descriptors()
        requests, memory = [0.0], [service.memory()]

        async def send_and_sample(number: int) -> None:
            await send(number)
            if number % SAMPLE_INTERVAL == 0:
                requests.append(number)
                memory.append(service.memory())

        await at_rate(RATE, send_and_sample, after(scaled(150, 5)))
    leaked = await service.descriptors_within(descriptors + 2) - descriptors
    failed = failures(client.outcomes, *allowed)
    measure(f"failed requests {dict(failed) or ''}".rstrip(), failed.total(), "", at_most=0)
    measure("leaked descriptors", leaked, "", at_most=2)
    # Memory grows by the megabyte, so a short run cannot distinguish growth from noise.
    slope = linear_regression(requests, memory).slope * 100_000
    measure("growth in 100,000 requests", slope, "MB", at_most=megabytes / min(1, SCALE) ** 2)


async def test_requests_leak_nothing(environment: dict[str, str], measure: Measure) -> None:
    async with replica(environment) as service:
        await measure_leaks(service, measure)
