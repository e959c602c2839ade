"""A real PostgreSQL for the tests: the server of `DATABASE_URL`, or an embedded one."""

import os
import re
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier
from pydantic import Secret
from pydantic_core import MultiHostUrl

from dev.backing_services.postgres import embedded

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis import migrate
from {{ cookiecutter.package_name }}.settings import Settings

from .service import Proxy

EMPTY_TABLES = """
DO $$ BEGIN
    EXECUTE coalesce((
        SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ')
        FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
    ), 'SELECT');
END $$
"""
CLOSE_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Create an empty database on the same server; yield its URL and drop it at the end."""
    name = f"test_{uuid4().hex}"
    url = re.sub("(://[^/?]*)[^?]*", rf"\1/{name}", server_url, count=1)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield url
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def disable_durability(server_url: str) -> None:
    """Make a server fast: it does not wait for the disk."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(SQL("ALTER SYSTEM SET {} = off").format(Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def migrate_database(url: str) -> None:
    """Run `migrate` in this process."""
    settings = Settings.model_construct(database_url=Secret(MultiHostUrl(url)))
    assert migrate.run(SERVICE, settings, Namespace()) == 0


def drop_connections(url: str) -> None:
    """Close all other connections to a database, and wait until they are closed."""
    with psycopg.connect(url) as connection:
        connection.execute(CLOSE_OTHERS)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
    else:
        # Run by root, the server has another user, who cannot read `tmp_path`.
        with TemporaryDirectory() as folder, embedded(Path(folder, "data")) as url:
            disable_durability(url)
            yield url


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    with fresh_database(server_url) as url:
        yield url


@pytest.fixture
def other_database(database_url: str) -> str:
    """Return the URL of a second database with the schema."""
    migrate_database(database_url)
    return database_url


@pytest.fixture
def unmigrated_environment(environment: dict[str, str], database_url: str) -> dict[str, str]:
    """Return an environment whose database is empty."""
    return environment | {"DATABASE_URL": database_url}


@pytest.fixture(scope="session")
def migrated_database(server_url: str) -> Iterator[str]:
    with fresh_database(server_url) as url:
        migrate_database(url)
        yield url


@pytest.fixture(autouse=True)
def attached_database(migrated_database: str, environment: dict[str, str]) -> None:
    """Give each test a database with the schema and without rows."""
    with psycopg.connect(migrated_database) as connection:
        connection.execute(EMPTY_TABLES)
    environment["DATABASE_URL"] = migrated_database


@pytest.fixture
def database_proxy(environment: dict[str, str]) -> Iterator[Proxy]:
    """Route the connections of the service to its database through a proxy."""
    url = environment["DATABASE_URL"]
    address = conninfo_to_dict(url)
    host, port = str(address.get("host") or "127.0.0.1"), int(address.get("port") or 5432)
    proxy = Proxy(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
    login = ":".join(quote(str(address.get(part, "")), safe="") for part in ("user", "password"))
    path = MultiHostUrl(url).path
    environment["DATABASE_URL"] = f"postgresql://{login}@127.0.0.1:{proxy.port}{path}"
    yield proxy
    proxy.close()
