"""A real MongoDB for the tests: the server of `MONGODB_URL`, or a local one."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from pydantic import Secret
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from dev.backing_services.mongodb import server

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis import migrate
from {{ cookiecutter.package_name }}.settings import Settings

from .service import Proxy


def sibling(url: str, name: str) -> str:
    """Return the URL of another database on the same server, with the same login."""
    address, _, query = url.partition("?")
    server, _, database = address.rpartition("/")
    if "@" in server and "authsource=" not in query.lower():
        query = f"authSource={database}&{query}"
    return f"{server}/{name}?{query}".rstrip("?&")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Yield the URL of an empty database on the same server; drop it at the end."""
    url = sibling(server_url, name := f"test_{uuid4().hex}")
    try:
        yield url
    finally:
        with MongoClient[dict[str, Any]](url) as client:
            client.drop_database(name)


def migrate_database(url: str) -> None:
    """Run `migrate` in this process."""
    settings = Settings.model_construct(mongodb_url=Secret(url))
    assert migrate.run(SERVICE, settings, Namespace()) == 0


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    if url := os.environ.get("MONGODB_URL"):
        yield url
    else:
        with TemporaryDirectory() as folder, server(Path(folder, "data")) as url:
            yield url


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    with fresh_database(server_url) as url:
        yield url


@pytest.fixture
def unmigrated_environment(environment: dict[str, str], database_url: str) -> dict[str, str]:
    """Return an environment whose database is empty."""
    return environment | {"MONGODB_URL": database_url}


@pytest.fixture(scope="session")
def migrated_database(server_url: str) -> Iterator[str]:
    with fresh_database(server_url) as url:
        migrate_database(url)
        yield url


@pytest.fixture(autouse=True)
def attached_database(migrated_database: str, environment: dict[str, str]) -> None:
    """Give each test a database with the indexes and without documents."""
    with MongoClient[dict[str, Any]](migrated_database) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            database[name].delete_many({})
    environment["MONGODB_URL"] = migrated_database


@pytest.fixture
def database_proxy(environment: dict[str, str]) -> Iterator[Proxy]:
    """Route the connections of the service to its database through a proxy."""
    url = environment["MONGODB_URL"]
    host, port = parse_uri(url)["nodelist"][0]
    proxy = Proxy((host, port))
    address, _, query = url.removeprefix("mongodb://").partition("?")
    hosts, _, name = address.rpartition("/")
    login, at, _ = hosts.rpartition("@")
    url = f"mongodb://{login}{at}127.0.0.1:{proxy.port}/{name}"
    # A client of a replica set would discover and use the addresses behind the proxy.
    environment["MONGODB_URL"] = f"{url}?directConnection=true&{query}".rstrip("&")
    yield proxy
    proxy.close()
