"""The PostgreSQL database of a process: its connection pool and its ping."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from psycopg.rows import tuple_row

from ..errors import Unavailable
from .pool import Pool, open_pool
from .settings import PostgresSettings

PING_SECONDS = 1
MIGRATIONS = Path(__file__).parents[4] / "migrations"
MIGRATION_LOCK = int.from_bytes(b"migrate")
"""Key of the advisory lock that a running migration holds."""


def newest_revision() -> str:
    """Return the number of the newest migration, such as `0001`, or ""; numbers sort as text."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return max((path.name.partition("_")[0] for path in files), default="")


class Database:
    """An open database; `pool` lends connections."""

    def __init__(self, pool: Pool, pings: Pool) -> None:
        self.pool = pool
        self._pings = pings
        self._needed_revision = newest_revision()

    async def ping(self) -> Literal["ok"]:
        """Raise `Unavailable` unless the server accepts writes and its schema is new enough.

        The connection is not one of the pool's: a saturated pool does not affect readiness.
        """
        async with self._pings.connection(PING_SECONDS) as connection:
            cursor = connection.cursor(row_factory=tuple_row)
            await cursor.execute(
                "SELECT coalesce(max(version_num), ''), current_setting('transaction_read_only')"
                " FROM alembic_version"
            )
            revision, read_only = await cursor.fetchone() or ("", "off")
            if read_only == "on":
                await connection.close()
                await self.pool.drain(connection)
                raise Unavailable("database", "read-only")
            if revision < self._needed_revision:
                raise Unavailable("database", "schema")
        return "ok"


@asynccontextmanager
async def open_database(settings: PostgresSettings, process: str) -> AsyncIterator[Database]:
    """Open the database; the server sees `process` in the name of each connection."""
    async with (
        open_pool(settings, process, fewest=1, most=settings.database_pool_size) as pool,
        open_pool(settings, process, fewest=0, most=1) as pings,
    ):
        yield Database(pool, pings)
