"""Migrations: one line of numbered ones, safe when several run at once."""

import json
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import Secret
from pydantic_core import MultiHostUrl
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis.commands import migrate
from {{ cookiecutter.package_name }}.chassis.postgres import schema as postgres_schema
from {{ cookiecutter.package_name }}.chassis.postgres import schema_revision as schema
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.migrated import migrate_database
from ..support.service import COMMAND, Service, run, until

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""
HELD_UP = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""
DEFINED = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
ORDER BY 1
"""


def defined(url: str) -> list[tuple[str, ...]]:
    """Return the names of all that a database holds beside rows."""
    with psycopg.connect(url) as connection:
        return connection.execute(DEFINED).fetchall()


def test_there_is_one_newest_migration_and_it_has_the_highest_number() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.newest_revision()]


def test_each_file_is_named_after_its_number() -> None:
    for path in (schema.MIGRATIONS / "versions").glob("*.py"):
        assert f'revision = "{path.name.partition("_")[0]}"' in path.read_text()


def test_migrating_twice_is_as_good_as_once(
    environment: dict[str, str], other_database: str
) -> None:
    done = run(environment | {"DATABASE_URL": other_database}, "migrate")
    assert done.returncode == 0, done.stdout
    assert "Running upgrade" not in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["schema"] == schema.newest_revision()


def test_several_at_once_do_not_disturb_each_other(
    environment: dict[str, str], database_url: str
) -> None:
    environment["DATABASE_URL"] = database_url
    with psycopg.connect(database_url, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", (schema.MIGRATION_LOCK,))
        running = [
            subprocess.Popen([*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE)
            for _ in range(8)
        ]
        # So many at once take their time to start where there are few processors.
        until(lambda: first.execute(WAITING).fetchone() == (8,), seconds=50)
    outputs = [process.communicate(timeout=60)[0].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 8, outputs
    assert sum("Running upgrade" in output for output in outputs) == 1


def test_who_waits_too_long_for_its_turn_says_so_in_one_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(schema.MIGRATIONS, tmp_path, dirs_exist_ok=True)
    script = tmp_path / "env.py"
    patient = script.read_text()
    assert "TURN_SECONDS = 60" in patient
    script.write_text(patient.replace("TURN_SECONDS = 60", "TURN_SECONDS = 0.01"))
    monkeypatch.setattr(postgres_schema, "MIGRATIONS", tmp_path)
    with (
        psycopg.connect(str(settings.database_url.get_secret_value())) as first,
        capture_logs() as lines,
    ):
        first.execute("SELECT pg_advisory_lock(%s)", (schema.MIGRATION_LOCK,))
        assert migrate.run(SERVICE, settings, Namespace()) == 69
    assert [(line["event"], line["failure"]) for line in lines] == [
        ("not migrated", "LockNotAvailable")
    ]


def test_one_that_is_killed_half_way_is_made_up_for_by_the_next(
    environment: dict[str, str], database_url: str
) -> None:
    whole = defined(environment["DATABASE_URL"])
    environment["DATABASE_URL"] = database_url
    with (
        psycopg.connect(database_url) as obstacle,
        subprocess.Popen([*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE) as running,
    ):
        obstacle.execute("CREATE TABLE orders ()")
        until(lambda: obstacle.execute(HELD_UP).fetchone() == (1,))
        running.kill()
        assert b"migrated" not in running.communicate()[0]
        obstacle.rollback()
    done = run(environment, "migrate")
    assert done.returncode == 0, done.stdout
    assert "Running upgrade" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["schema"] == schema.newest_revision()
    assert defined(database_url) == whole


def test_down_is_the_way_back_of_up(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["database_url"] = database_url
    seen = []
    for direction, revision in ("up", "head"), ("down", "base"), ("up", "head"):
        getattr(command, f"{direction}grade")(config, revision)
        seen.append(defined(database_url))
    up, down, again = seen
    assert up == again
    assert set(down) == {("alembic_version",), ("alembic_version_pkc",)}


def test_web_never_migrates_and_is_not_ready_before(
    environment: dict[str, str], database_url: str
) -> None:
    with Service(environment | {"DATABASE_URL": database_url}) as service:
        answer = service.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "UndefinedTable"
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)
        migrate_database(database_url=Secret(MultiHostUrl(database_url)))
        assert service.get("/readyz").status_code == 200


def test_a_schema_of_an_older_release_is_not_ready(environment: dict[str, str]) -> None:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        with Service(environment) as service:
            assert service.get("/readyz").json()["checks"]["database"] == "SchemaBehind"
    finally:
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            newest = (schema.newest_revision(),)
            connection.execute("UPDATE alembic_version SET version_num = %s", newest)


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "postgresql:///x?host=/none"])
def test_a_database_that_is_not_there_is_said_in_one_line(
    environment: dict[str, str], url: str
) -> None:
    done = run(environment | {"DATABASE_URL": url}, "migrate")
    assert done.returncode == 69
    assert json.loads(done.stdout)["event"] == "not migrated"
    assert done.stderr == ""
