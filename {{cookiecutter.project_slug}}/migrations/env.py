"""How Alembic reaches the database: one migrates at a time, and nobody waits for ever."""

import os

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool, text

from {{ cookiecutter.package_name }}.chassis.postgres.database import MIGRATION_LOCK

TURN_SECONDS = 60
"""How long to wait until another migration is done."""
TABLE_SECONDS = 5
"""How long a migration waits for a table that is in use, and everybody else behind it."""

url = context.config.attributes.get("database_url") or os.environ["DATABASE_URL"]
engine = create_engine(
    "postgresql+psycopg://",
    creator=lambda: psycopg.connect(url, connect_timeout=5, application_name="migrate"),
    poolclass=pool.NullPool,
)
with engine.connect() as connection:
    connection.execute(text(f"SET lock_timeout = '{TURN_SECONDS}s'"))
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
    connection.execute(text(f"SET lock_timeout = '{TABLE_SECONDS}s'"))
    connection.commit()
    context.configure(connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
