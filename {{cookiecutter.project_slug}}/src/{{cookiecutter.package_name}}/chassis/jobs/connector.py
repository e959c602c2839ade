"""Connects procrastinate to the service's database."""

from collections.abc import Iterable
from typing import Any, LiteralString

from procrastinate import PsycopgConnector
from procrastinate.connector import Notify

from ..postgres.pool import Pool
from .notifications import listen


class Connector(PsycopgConnector):
    """Runs statements on connections of the pool, and listens on a separate one."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.responded = True
        """Whether the last statement that fetches one row succeeded."""
        self._service_pool = pool

    async def open_pool(self) -> None:
        """Use the pool of the service, which is open."""
        await self.open_async(pool=self._service_pool)  # type: ignore[arg-type]  # The same method.

    async def execute_query_one_async(self, query: LiteralString, **values: Any) -> dict[str, Any]:
        """Make malformed arguments a keyword argument, so that validation rejects the job."""
        row: dict[str, Any] = await super().execute_query_one_async(query, **values)
        self.responded = True
        if "args" in row and not isinstance(row["args"], dict):
            row["args"] = {"arguments": row["args"]}
        return row

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Pass on notifications until cancelled; during an outage the worker only polls."""
        await listen(self._service_pool, channels, on_notification)
