"""Alembic's environment: migrations run one at a time, and every wait has a timeout."""

import os

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool, text

from {{ cookiecutter.package_name }}.chassis.postgres.database import MIGRATION_LOCK

ADVISORY_LOCK_SECONDS = 60
"""Timeout for the advisory lock, which another migration may hold."""
TABLE_LOCK_SECONDS = 5
"""Timeout for a table lock; while it is waited for, other queries queue behind it."""

url = context.config.attributes.get("database_url") or os.environ["DATABASE_URL"]
engine = create_engine(
    "postgresql+psycopg://",
    creator=lambda: psycopg.connect(url, connect_timeout=5, application_name="migrate"),
    poolclass=pool.NullPool,
)
with engine.connect() as connection:
    connection.execute(text(f"SET lock_timeout = '{ADVISORY_LOCK_SECONDS}s'"))
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
    connection.execute(text(f"SET lock_timeout = '{TABLE_LOCK_SECONDS}s'"))
    connection.commit()
    context.configure(connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
