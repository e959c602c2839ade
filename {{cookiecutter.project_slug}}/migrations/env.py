"""Alembic's environment: migrations run one at a time, and every wait has a timeout."""

import os
from time import monotonic, sleep

import psycopg
from alembic import context
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, create_engine, event, pool

from {{ cookiecutter.package_name }}.chassis.postgres.connection import parameters
from {{ cookiecutter.package_name }}.chassis.postgres.database import (
    MIGRATION_LOCK,
    newest_revision,
)

ADVISORY_LOCK_SECONDS = 60
"""Timeout for the advisory lock, which another migration may hold."""
TABLE_LOCK_SECONDS = 5
"""Timeout for a table lock; while it is waited for, other queries queue behind it."""

url = context.config.attributes.get("database_url") or os.environ["DATABASE_URL"]
options = parameters(url, "migrate")
engine = create_engine(
    "postgresql+psycopg://",
    creator=lambda: psycopg.connect(**options),
    poolclass=pool.NullPool,
)


@event.listens_for(engine, "begin")
def limit_lock_waits(connection: Connection) -> None:
    """Set the timeout in each transaction: a pooler may give each another server connection."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_LOCK_SECONDS}s'")


def lock(connection: psycopg.Connection) -> None:
    """Lock migrations until the transaction ends.

    `CREATE INDEX CONCURRENTLY` waits for other transactions that wait for a lock: a deadlock. So
    each attempt is a transaction.
    """
    end = monotonic() + ADVISORY_LOCK_SECONDS
    query = "SELECT pg_try_advisory_xact_lock(%s)"
    while connection.execute(query, (MIGRATION_LOCK,)).fetchone() != (True,):
        connection.rollback()
        if monotonic() > end:
            raise LockNotAvailable
        sleep(0.1)
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


with psycopg.connect(**options) as locking, engine.connect() as connection:
    lock(locking)
    context.configure(connection, transaction_per_migration=True)
    current = context.get_context().get_current_revision() or ""
    connection.commit()
    if current > newest_revision():
        # After a rollback to an earlier release, which works with the newer schema.
        context.config.attributes["newer_schema"] = current
    else:
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()  # Without migrations, creating the table of versions.
