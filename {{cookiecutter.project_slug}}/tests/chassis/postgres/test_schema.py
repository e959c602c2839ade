"""Migrations, the check of the schema version, `DATABASE_URL` and its rotation."""

import asyncio
import json
import shutil
import signal
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import TypeAdapter, ValidationError
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis import migrate
from {{ cookiecutter.package_name }}.chassis.postgres import database as schema
from {{ cookiecutter.package_name }}.chassis.postgres import schema as postgres_schema
from {{ cookiecutter.package_name }}.chassis.postgres.settings import PostgresUrl
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.postgres_server import drop_connections
from ...support.service import COMMAND, TIMEOUT, run, until

validate = TypeAdapter(PostgresUrl).validate_python
URLS = ["postgresql://user:hunter2@host:5432/name", "postgres://host/name"]
URLS += ["postgresql:///name?host=/run/postgresql"]
URLS += ["postgresql://one,two:5433/name?target_session_attrs=primary"]
BLOCKED = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index"
INDEX = """
from alembic import op

revision = "9000"
down_revision = "%s"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS orders_item")
        op.create_index("orders_item", "orders", ["item"], postgresql_concurrently=True)
"""
SCHEMA = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
ORDER BY 1
"""


def schema_of(url: str) -> list[tuple[str, ...]]:
    """Return the names of the tables, functions and types of a database."""
    with psycopg.connect(url) as connection:
        return connection.execute(SCHEMA).fetchall()


@pytest.fixture
def alembic(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config


def test_migrations_are_linear_and_files_are_named_by_revision(alembic: Config) -> None:
    assert ScriptDirectory.from_config(alembic).get_heads() == [schema.newest_revision()]
    for path in (schema.MIGRATIONS / "versions").glob("*.py"):
        assert f'revision = "{path.name.partition("_")[0]}"' in path.read_text()


def test_downgrades_revert_upgrades(alembic: Config, database_url: str) -> None:
    seen = []
    for direction, revision in ("up", "head"), ("down", "base"), ("up", "head"):
        getattr(command, f"{direction}grade")(alembic, revision)
        seen.append(schema_of(database_url))
    up, down, again = seen
    assert up == again
    assert set(down) == {("alembic_version",), ("alembic_version_pkc",)}


def test_waiting_for_another_migration_times_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(schema.MIGRATIONS, tmp_path, dirs_exist_ok=True)
    script = tmp_path / "env.py"
    code = script.read_text()
    assert "ADVISORY_LOCK_SECONDS = 60" in code
    script.write_text(code.replace("ADVISORY_LOCK_SECONDS = 60", "ADVISORY_LOCK_SECONDS = 0.01"))
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", tmp_path)
    url = str(settings.database_url.get_secret_value())
    with psycopg.connect(url) as first, capture_logs() as lines:
        first.execute("SELECT pg_advisory_lock(%s)", (schema.MIGRATION_LOCK,))
        assert migrate.run(SERVICE, settings, Namespace()) == 69
    logged = [(line["event"], line["failure"]) for line in lines]
    assert logged == [("migration failed", "timeout")]


@contextmanager
def blocked_migration(
    environment: dict[str, str],
) -> Iterator[tuple[subprocess.Popen[bytes], psycopg.Connection]]:
    """Start `migrate` while a transaction blocks it; yield the process and that transaction."""
    with psycopg.connect(environment["DATABASE_URL"]) as obstacle:
        obstacle.execute("CREATE TABLE orders ()")
        running = subprocess.Popen([*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE)
        until(lambda: obstacle.execute(BLOCKED).fetchone() == (1,))
        yield running, obstacle
        obstacle.rollback()


def test_a_killed_migration_is_completed_by_the_next(
    environment: dict[str, str], database_url: str
) -> None:
    complete = schema_of(environment["DATABASE_URL"])
    environment["DATABASE_URL"] = database_url
    with blocked_migration(environment) as (running, _):
        running.kill()
        assert b"database migrated" not in running.communicate()[0]
    done = run(environment, "migrate")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["schema"] == schema.newest_revision()
    assert schema_of(database_url) == complete


def test_a_terminated_migration_cancels_its_statement(
    environment: dict[str, str], database_url: str
) -> None:
    environment["DATABASE_URL"] = database_url
    with blocked_migration(environment) as (running, obstacle):
        running.terminate()
        assert b"migration interrupted" in running.communicate()[0]
        assert running.returncode == 128 + signal.SIGTERM
        assert obstacle.execute(BLOCKED).fetchone() == (0,)


def test_an_index_is_built_concurrently_while_several_releases_migrate(
    environment: dict[str, str], other_database: str, tmp_path: Path
) -> None:
    shutil.copytree(schema.MIGRATIONS.parent / "src", tmp_path / "src")
    shutil.copytree(schema.MIGRATIONS, tmp_path / "migrations")
    newest = schema.newest_revision()
    (tmp_path / "migrations" / "versions" / "9000_index.py").write_text(INDEX % newest)
    variables = environment | {"DATABASE_URL": other_database, "PYTHONPATH": str(tmp_path / "src")}
    with (
        psycopg.connect(other_database) as older,
        psycopg.connect(other_database, autocommit=True) as observer,
    ):
        older.execute("LOCK TABLE orders IN ROW EXCLUSIVE MODE")
        running = [
            subprocess.Popen([*COMMAND, "migrate"], env=variables, stdout=subprocess.PIPE)
            for _ in range(3)
        ]
        until(lambda: observer.execute(BUILDING).fetchone() == (1,))
        older.rollback()
    outputs = [process.communicate(timeout=TIMEOUT)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    # An earlier release, which does not know the newer schema, is deployed as a rollback.
    done = run(environment | {"DATABASE_URL": other_database}, "migrate")
    assert done.returncode == 0, done.stdout
    logged = [json.loads(line).get("schema") for line in done.stdout.splitlines()]
    assert logged[-2:] == ["9000", "9000"]


async def test_readiness_fails_on_an_older_schema(
    client: httpx.AsyncClient, environment: dict[str, str]
) -> None:
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
        try:
            checks = (await client.get("/readyz")).json()["checks"]
        finally:
            newest = (schema.newest_revision(),)
            connection.execute("UPDATE alembic_version SET version_num = %s", newest)
    assert checks["database"] == "schema"


@pytest.fixture
def file(environment: dict[str, str], tmp_path: Path) -> Path:
    """Return the file with the URL of the database."""
    file = tmp_path / "database_url"
    file.write_text(environment.pop("DATABASE_URL"))
    environment["DATABASE_URL_FILE"] = str(file)
    return file


async def test_new_connections_use_a_rotated_url(
    file: Path, migrated_database: str, other_database: str, client: httpx.AsyncClient
) -> None:
    path = (await client.post("/orders", json=EXAMPLE)).headers["location"]
    await asyncio.to_thread(file.write_text, other_database)
    assert (await client.get(path)).status_code == 200
    drop_connections(migrated_database)
    status = 503  # Until the end of the connection has arrived.
    async with asyncio.timeout(TIMEOUT):
        while status == 503:
            status = (await client.delete(path)).status_code
    assert status == 404
    assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("url", URLS)
def test_a_valid_url_is_accepted_and_masked(url: str) -> None:
    accepted = validate(url)
    assert str(accepted.get_secret_value()) == url
    assert "hunter2" not in repr(accepted)


@pytest.mark.parametrize("url", ["name", "mysql://host/name", "postgresql://host:99999/name"])
def test_an_invalid_url_is_rejected(url: str) -> None:
    with pytest.raises(ValidationError):
        validate(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://host/name?pgbouncer=true", "pgbouncer"),
        ("postgresql://host/name?schema=x&sslmode=require", "schema"),
        ("postgresql://user:hunter2%zz@host/name", "percent-encoded"),
    ],
)
def test_a_url_that_libpq_rejects_is_named_without_its_secrets(url: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as caught:
        validate(url)
    assert "hunter2" not in caught.value.errors()[0]["msg"]
