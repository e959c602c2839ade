"""A real MongoDB for the tests: that of `MONGODB_URL`, or else one of this machine's own."""

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
from {{ cookiecutter.package_name }}.chassis.commands import migrate
from {{ cookiecutter.package_name }}.settings import Settings

from .service import Proxy


def beside(url: str, name: str) -> str:
    """Return the URL of another database of the same server, with the same login."""
    address, _, query = url.partition("?")
    start, _, ours = address.rpartition("/")
    if "@" in start and "authsource=" not in query.lower():
        query = f"authSource={ours}&{query}"
    return f"{start}/{name}?{query}".rstrip("?&")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Yield the URL of an empty database beside that of this URL; drop it in the end."""
    name = f"test_{uuid4().hex}"
    url = beside(server_url, name)
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
def elsewhere(environment: dict[str, str], database_url: str) -> dict[str, str]:
    """Return the environment of a process whose database is an empty one."""
    return environment | {"MONGODB_URL": database_url}


@pytest.fixture(scope="session")
def migrated_database(server_url: str) -> Iterator[str]:
    with fresh_database(server_url) as url:
        migrate_database(url)
        yield url


@pytest.fixture(autouse=True)
def attached_database(migrated_database: str, environment: dict[str, str]) -> None:
    """Point the environment of each test to a database that holds the schema and nothing else."""
    with MongoClient[dict[str, Any]](migrated_database) as client:
        client.get_default_database()["orders"].delete_many({})
    environment["MONGODB_URL"] = migrated_database


@pytest.fixture
def database_proxy(environment: dict[str, str]) -> Iterator[Proxy]:
    """Put ourselves between the service and its database."""
    url = environment["MONGODB_URL"]
    host, port = parse_uri(url)["nodelist"][0]
    proxy = Proxy((host, port))
    address, _, query = url.removeprefix("mongodb://").partition("?")
    hosts, _, name = address.rpartition("/")
    login, at, _ = hosts.rpartition("@")
    ours = f"mongodb://{login}{at}127.0.0.1:{proxy.port}/{name}"
    # Of a replica set, the client must not learn the addresses behind us.
    environment["MONGODB_URL"] = f"{ours}?directConnection=true&{query}".rstrip("&")
    yield proxy
    proxy.close()
