"""How far projections are behind the events."""

from typing import NamedTuple

from psycopg.rows import args_row

from ..postgres.pool import Pool
from .projections import Projection

LAG = """
WITH done AS (SELECT coalesce(max(position), 0) AS position FROM projections WHERE name = %s)
SELECT
    coalesce((SELECT max(position) FROM events), 0) - done.position,
    coalesce(extract(epoch FROM now() - (
        SELECT appended_at FROM events WHERE events.position > done.position
        ORDER BY events.position LIMIT 1
    )), 0)::float
FROM done
"""


class Lag(NamedTuple):
    """How far a projection is behind: in events, at most, and in seconds."""

    events: int
    seconds: float


async def lag(pool: Pool, projection: Projection) -> Lag:
    """Return how far a projection is behind."""
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=args_row(Lag))
        await cursor.execute(LAG, (projection.name,))
        return await cursor.fetchone() or Lag(0, 0)
