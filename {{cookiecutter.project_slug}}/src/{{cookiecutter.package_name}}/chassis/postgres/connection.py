"""PostgreSQL connections that no proxy rejects and that notice a dead or demoted server."""

import asyncio
import select
from functools import cached_property
from time import monotonic
from typing import Any

from psycopg import AsyncConnection, Error
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from .failures import OUTAGES, category
from .settings import PostgresSettings

CONNECT_SECONDS = 2
"""Timeout for a connection, new or from the pool."""
USE_SECONDS = 4
"""Timeout for the use of a borrowed connection."""
CANCEL_SECONDS = 0.5
"""Timeout for cancelling a query whose timeout has expired."""
DEFAULTS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "target_session_attrs": "read-write",
    "tcp_user_timeout": USE_SECONDS * 1000,
}
"""libpq parameters that the URL may override. A replica that rejects writes is an outage."""
LIMITS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}
FORMATS = {"TimeZone": "UTC", "DateStyle": "ISO", "client_encoding": "UTF8"}
"""Settings that responses depend on, despite `PGTZ` and the server's configuration."""
SET = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"


def parameters(url: str, process: str) -> dict[str, Any]:
    """Return the parameters of a connection; no server-side preparation, for PgBouncer."""
    address = {**DEFAULTS, "application_name": process, **conninfo_to_dict(url)}
    return {**address, "prepare_threshold": None}


class Connection(AsyncConnection[TupleRow]):
    """A connection that is dropped if the server does not confirm that a query is cancelled."""

    opened_at = 0.0

    @cached_property
    def _poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return poll

    def is_readable(self) -> bool:
        """Return whether an idle connection got something, such as its end, from the server."""
        return bool(self._poll.poll(0))

    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:  # noqa: ASYNC109
        """Cancel the current query; a frozen server does not respond."""
        try:
            await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))
        except Error:
            self.pgconn.finish()


class Connector:
    """Opens connections; `failure` is the category of the last attempt's failure, if it failed."""

    def __init__(self, settings: PostgresSettings, process: str) -> None:
        self.failure = ""
        self._settings = settings
        self._process = f"{settings.otel_service_name} {process}"

    def url(self) -> str:
        return str(self._settings.database_url.get_secret_value())

    async def connect(self, *_: object, **__: object) -> Connection:
        """Open a connection in autocommit mode."""
        options = parameters(self.url(), self._process)
        own = str(options.get("options", ""))
        limits = FORMATS | {name: limit for name, limit in LIMITS.items() if name not in own}
        try:
            connection = await Connection.connect(**options, autocommit=True)
            try:
                # Poolers reject limits among the startup parameters.
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.execute(SET, (list(limits), list(limits.values())))
            except BaseException:
                await connection.close()
                raise
        except OUTAGES as error:
            self.failure = category(error)
            raise
        self.failure, connection.opened_at = "", monotonic()
        return connection
