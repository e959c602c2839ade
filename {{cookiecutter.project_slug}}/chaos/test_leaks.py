"""Requests of all kinds leave nothing behind: good ones, bad ones, ones whose client went away."""

from tests.twelve_factor.report import Measure

from . import leaks
from .replica import needs_proc, replica

pytestmark = needs_proc


async def test_requests_leave_nothing_behind(environment: dict[str, str], measure: Measure) -> None:
    async with replica(environment) as service:
        await leaks.run(service, measure)
