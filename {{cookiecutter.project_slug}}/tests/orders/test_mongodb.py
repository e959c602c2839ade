"""Orders in MongoDB: indexes, retried writes, the timeout of a frozen server."""

from argparse import Namespace
from typing import Any

import pytest
from pydantic import Secret
from pymongo import MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import NotPrimaryError
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis import migrate
from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.mongodb import schema
from {{ cookiecutter.package_name }}.chassis.mongodb.client import open_database
from {{ cookiecutter.package_name }}.indexes import INDEXES
from {{ cookiecutter.package_name }}.orders.mongodb import MongoOrderStore
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import Proxy
from .test_store import an_order

NAMES = [index.document["name"] for index in INDEXES["orders"]]
NEEDED = {f"{where}.{index.document['name']}" for where in INDEXES for index in INDEXES[where]}
ORDER = an_order()


@pytest.fixture
def settings_of_empty_database(settings: Settings, database_url: str) -> Settings:
    """Return settings whose database is empty."""
    return settings.model_copy(update={"mongodb_url": Secret(database_url)})


def existing(url: str) -> set[str]:
    """Return the indexes of a database, without those on `_id`."""
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        found = {
            f"{where}.{name}"
            for where in database.list_collection_names()
            for name in database[where].index_information()
        }
    return {name for name in found if not name.endswith("._id_")}


def test_migrations_create_each_index_once(
    settings_of_empty_database: Settings, database_url: str
) -> None:
    logged = []
    for _ in range(2):
        with capture_logs() as lines:
            assert migrate.run(SERVICE, settings_of_empty_database, Namespace()) == 0
        assert existing(database_url) == NEEDED
        logged.append(lines)
    first, second = logged
    migrated = "database migrated"
    assert [line["event"] for line in first] == ["index created"] * len(NEEDED) + [migrated]
    assert [line["event"] for line in second] == [migrated]
    assert set(second[-1]["schema"]) == NEEDED


def test_an_index_that_the_documents_violate_is_named(
    settings_of_empty_database: Settings, database_url: str
) -> None:
    with MongoClient[dict[str, Any]](database_url) as client:
        same = [{"idempotency_key": "hunter2"} for _ in range(2)]
        client.get_default_database()["orders"].insert_many(same)
    with capture_logs() as lines:
        assert migrate.run(SERVICE, settings_of_empty_database, Namespace()) == 69
    assert [line["event"] for line in lines[-2:]] == ["index not created", "migration failed"]
    assert (lines[-2]["index"], lines[-1]["failure"]) == ("one_per_key", "schema")
    assert "hunter2" not in str(lines)


@pytest.mark.parametrize("name", [*NAMES, None])
async def test_readiness_needs_each_of_the_indexes(
    settings_of_empty_database: Settings, database_url: str, name: str | None
) -> None:
    with MongoClient[dict[str, Any]](database_url) as client:
        others = [index for index in INDEXES["orders"] if index.document["name"] != name]
        client.get_default_database()["orders"].create_indexes(others)
    async with open_database(settings_of_empty_database, "test") as database:
        if name is None:
            assert await schema.ping(database, INDEXES) == "ok"
        else:
            with pytest.raises(Unavailable, match="schema"):
                await schema.ping(database, INDEXES)


async def test_a_server_that_rejects_writes_is_not_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reject(*_: object) -> None:
        raise NotPrimaryError("not primary", {"code": 10107})

    monkeypatch.setattr(AsyncCollection, "delete_one", reject)
    async with open_database(settings, "test") as database:
        with pytest.raises(Unavailable, match="read-only"):
            await schema.ping(database, INDEXES)


async def test_a_retried_write_stores_one_order(settings: Settings) -> None:
    async with open_database(settings, "test") as database:
        orders = MongoOrderStore(database)
        for key in (None, None, "key"):
            assert await orders.add(ORDER, key) == ORDER
        assert await orders.page(10, None) == [ORDER]


async def test_a_frozen_server_times_out(database_proxy: Proxy, settings: Settings) -> None:
    async with open_database(settings, "test") as database:
        orders = MongoOrderStore(database)
        await orders.add(ORDER, None)
        database_proxy.freeze()
        for request in (orders.get(ORDER.id), schema.ping(database, INDEXES)):
            with pytest.raises(Unavailable) as caught:
                await request
            assert caught.value.failure == "timeout"
