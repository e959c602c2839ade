"""Migrations: one line of numbered ones, safe when several run at once."""

import json
import subprocess
from time import monotonic

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from {{ cookiecutter.package_name }}.adapters import schema

from .service import COMMAND, PATIENCE, Service, run

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


def test_there_is_one_newest_migration_and_it_has_the_highest_number() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.newest_revision()]


def test_each_file_is_named_after_its_number() -> None:
    for path in (schema.MIGRATIONS / "versions").glob("*.py"):
        assert f'revision = "{path.name.partition("_")[0]}"' in path.read_text()


def test_migrating_twice_is_as_good_as_once(environment: dict[str, str], database_url: str) -> None:
    for _ in range(2):
        done = run(environment | {"DATABASE_URL": database_url}, "migrate")
        assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["schema"] == schema.newest_revision()


def test_several_at_once_do_not_disturb_each_other(
    environment: dict[str, str], database_url: str
) -> None:
    environment["DATABASE_URL"] = database_url
    with psycopg.connect(database_url, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", (schema.MIGRATION_LOCK,))
        running = [
            subprocess.Popen([*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE)
            for _ in range(5)
        ]
        deadline = monotonic() + PATIENCE
        while first.execute(WAITING).fetchone() != (5,):
            assert monotonic() < deadline, "they do not wait for each other"
    outputs = [process.communicate(timeout=60)[0].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 5, outputs
    assert sum("Running upgrade" in output for output in outputs) == 1


def test_web_never_migrates_and_is_not_ready_before(
    environment: dict[str, str], database_url: str
) -> None:
    with Service(environment | {"DATABASE_URL": database_url}) as service:
        answer = service.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "UndefinedTable"
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)
        run(environment | {"DATABASE_URL": database_url}, "migrate")
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
