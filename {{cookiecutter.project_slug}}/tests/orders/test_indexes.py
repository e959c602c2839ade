"""The indexes: made by `migrate` alone, and as often and by as many as one likes."""

import json
import subprocess
from typing import Any

import pytest
from pydantic import Secret
from pymongo import MongoClient

from {{ cookiecutter.package_name }}.orders.indexes import INDEXES

from ..support.migrated import migrate_database
from ..support.service import COMMAND, Service, run

NEEDED = {f"{where}.{index.document['name']}" for where in INDEXES for index in INDEXES[where]}


def existing(url: str) -> set[str]:
    """Return the indexes that there are, less those that every collection has."""
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        found = {
            f"{where}.{name}"
            for where in database.list_collection_names()
            for name in database[where].index_information()
        }
    return {name for name in found if not name.endswith("._id_")}


def test_migrating_twice_is_as_good_as_once(environment: dict[str, str], database_url: str) -> None:
    outputs = []
    for _ in range(2):
        done = run(environment | {"MONGODB_URL": database_url}, "migrate")
        assert done.returncode == 0, done.stdout
        assert existing(database_url) == NEEDED
        outputs.append([json.loads(line) for line in done.stdout.splitlines()])
    first, second = outputs
    assert [line["event"] for line in first] == ["index created"] * len(NEEDED) + ["migrated"]
    assert [line["event"] for line in second] == ["migrated"]
    assert set(second[-1]["schema"]) == NEEDED


def test_several_at_once_do_not_disturb_each_other(
    environment: dict[str, str], database_url: str
) -> None:
    environment["MONGODB_URL"] = database_url
    running = [
        subprocess.Popen([*COMMAND, "migrate"], env=environment, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    outputs = [process.communicate(timeout=60)[0].decode() for process in running]
    assert [process.returncode for process in running] == [0] * 8, outputs
    assert existing(database_url) == NEEDED


def test_web_never_migrates_and_is_not_ready_before(
    environment: dict[str, str], database_url: str
) -> None:
    with Service(environment | {"MONGODB_URL": database_url}) as service:
        answer = service.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "SchemaBehind"
        assert existing(database_url) == set()
        migrate_database(mongodb_url=Secret(database_url))
        assert service.get("/readyz").status_code == 200


@pytest.mark.parametrize("name", [index.document["name"] for index in INDEXES["orders"]])
def test_without_one_of_the_indexes_it_is_not_ready(
    environment: dict[str, str], database_url: str, name: str
) -> None:
    migrate_database(mongodb_url=Secret(database_url))
    with MongoClient[dict[str, Any]](database_url) as client:
        client.get_default_database()["orders"].drop_index(name)
    done = run(environment | {"MONGODB_URL": database_url}, "check")
    assert done.returncode == 69
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {line["name"]: line["answer"] for line in lines if line["event"] == "backing service"}
    assert answers["database"] == "SchemaBehind"


def test_a_database_that_is_not_there_is_said_in_one_line(environment: dict[str, str]) -> None:
    done = run(environment | {"MONGODB_URL": "mongodb://127.0.0.1:1/none"}, "migrate")
    assert done.returncode == 69
    assert json.loads(done.stdout)["event"] == "not migrated"
    assert done.stderr == ""
