"""Failures of PostgreSQL: each has a category, and none needs a restart."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import OperationalError, errors
from pydantic import TypeAdapter

from dev.backing_services.postgres import embedded

from {{ cookiecutter.package_name }}.chassis.postgres.database import open_database
from {{ cookiecutter.package_name }}.chassis.postgres.failures import category
from {{ cookiecutter.package_name }}.chassis.postgres.settings import PostgresUrl
from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.postgres_server import disable_durability, migrate_database
from ...support.service import Proxy, Service, fetch, run, until

validate = TypeAdapter(PostgresUrl).validate_python


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("failed to resolve host 'db': [Errno -2] Name or service not known", "name"),
        ('connection to server at "ssl" failed: Connection refused', "refused"),
        ('FATAL:  password authentication failed for user "database"', "auth"),
        ('FATAL:  role "timeout" does not exist', "auth"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", no encryption', "auth"),
        ('FATAL:  database "ssl" does not exist', "no database"),
        ("FATAL:  no such database: passwords", "no database"),
        ("server does not support SSL, but SSL was required", "tls"),
        ('FATAL:  permission denied for database "name"', "permission"),
        ("session is read-only", "read-only"),
        ("server closed the connection unexpectedly", "unavailable"),
    ],
)
def test_a_failed_connection_has_a_category(message: str, expected: str) -> None:
    assert category(OperationalError(message)) == expected


def test_an_sqlstate_has_a_category() -> None:
    assert category(errors.ReadOnlySqlTransaction()) == "read-only"
    assert category(errors.InvalidPassword()) == "auth"
    assert category(errors.InsufficientPrivilege()) == "permission"
    assert category(errors.UndefinedTable()) == "schema"
    assert category(errors.AdminShutdown()) == "unavailable"
    assert category(TimeoutError()) == "timeout"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("127.0.0.1", "name.invalid", "name"),
        ("/test_", "/missing_", "no database"),
        ("postgresql://postgres:", "postgresql://nobody:", "auth"),
        ("", "?sslmode=require", "tls"),
        ("", "?options=-csearch_path%3Dmissing", "schema"),
    ],
)
@pytest.mark.usefixtures("database_proxy")
def test_commands_name_the_category(
    environment: dict[str, str], old: str, new: str, expected: str
) -> None:
    url = environment["DATABASE_URL"]
    environment["DATABASE_URL"] = url.replace(old, new, 1) if old else url + new
    for command, field in ("check", "result"), ("migrate", "failure"), ("cleanup", "failure"):
        done = run(environment, command)
        assert done.returncode == 69
        found = [json.loads(line).get(field) for line in done.stdout.splitlines()]
        assert expected in found, (command, done.stdout)


def test_a_closed_port_is_named(environment: dict[str, str], database_proxy: Proxy) -> None:
    database_proxy.cut()
    for command in ("check", "migrate", "cleanup"):
        assert '"refused"' in run(environment, command).stdout


def test_missing_rights_are_named(environment: dict[str, str], database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE limited LOGIN")
    try:
        environment["DATABASE_URL"] = database_url + "&user=limited"
        done = run(environment, "migrate")
        assert done.returncode == 69
        assert json.loads(done.stdout.splitlines()[-1])["failure"] == "permission"
        migrate_database(database_url)
        assert '"permission"' in run(environment, "check").stdout
        with Service(environment) as service:
            assert service.get("/readyz").json()["checks"]["database"] == "permission"
            assert service.get("/orders").status_code == 503
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP ROLE limited")


@pytest.fixture
def demotable(environment: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Run a separate server; yield a connection that may write whatever its configuration."""
    with TemporaryDirectory() as folder, embedded(Path(folder, "data")) as url:
        disable_durability(url)
        migrate_database(url)
        environment["DATABASE_URL"] = url
        writes = "-c default_transaction_read_only=off"
        with psycopg.connect(url, autocommit=True, options=writes) as connection:
            yield connection


def set_read_only(server: psycopg.Connection, value: str) -> None:
    """Let all other sessions of the server reject writes, or accept them."""
    server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute("SELECT pg_reload_conf()")


def test_a_demoted_primary_is_an_outage_not_a_crash(
    demotable: psycopg.Connection, environment: dict[str, str]
) -> None:
    with Service(environment) as service:

        def post() -> int:
            status = fetch(f"{service.url}/orders", "POST", json=EXAMPLE).status_code
            assert status in {201, 503}
            return status

        assert post() == 201
        for _ in range(2):
            set_read_only(demotable, "on")
            until(lambda: post() == 503)
            assert service.get("/livez").status_code == 200
            assert service.get("/readyz").json()["checks"]["database"] == "read-only"
            assert service.get("/orders").status_code == 503
            set_read_only(demotable, "off")
            until(lambda: service.get("/readyz").status_code == 200)
            until(lambda: post() == 201)


async def test_one_dead_connection_replaces_its_idle_siblings(settings: Settings) -> None:
    query = "SELECT pg_backend_pid()"
    async with open_database(settings, "test") as database:

        async def backend() -> object:
            async with database.pool.connection() as connection:
                await asyncio.sleep(0.05)
                return await (await connection.execute(query)).fetchone()

        for _ in range(2):  # Also if a second server is lost soon after the first.
            before = set(await asyncio.gather(*(backend() for _ in range(5))))
            async with database.pool.connection() as connection:
                await connection.close()
            assert not before & set(await asyncio.gather(*(backend() for _ in range(5))))


async def test_variables_of_libpq_do_not_change_responses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGTZ": "Asia/Tokyo",
        "PGDATESTYLE": "SQL, DMY",
        "PGCLIENTENCODING": "LATIN1",
    }.items():
        monkeypatch.setenv(name, value)
    async with open_database(settings, "test") as database, database.pool.connection() as opened:
        cursor = await opened.execute("SELECT '2026-05-01 12:00Z'::timestamptz, '☕'")
        moment, text = await cursor.fetchone() or (None, None)
    assert str(moment) == "2026-05-01 12:00:00+00:00"
    assert text == "☕"


async def test_options_of_the_url_are_kept(settings: Settings, environment: dict[str, str]) -> None:
    options = "?options=-csearch_path%3Dteam%20-cstatement_timeout%3D3s"
    url = environment["DATABASE_URL"]
    url += options if "?" not in url else options.replace("?", "&")
    settings = settings.model_copy(update={"database_url": validate(url)})
    async with open_database(settings, "test") as database, database.pool.connection() as opened:
        query = "SELECT current_setting('search_path'), current_setting('statement_timeout')"
        assert await (await opened.execute(query)).fetchone() == ("team", "3s")
