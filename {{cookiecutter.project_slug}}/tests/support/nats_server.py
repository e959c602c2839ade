"""A real NATS for the tests: the server of `NATS_URL`, or one from a wheel."""

import os
from collections.abc import Iterator

import pytest

from dev.backing_services.nats import server


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if url := os.environ.get("NATS_URL"):
        yield url
        return
    with server(tmp_path_factory.mktemp("nats") / "data") as url:
        yield url


@pytest.fixture(autouse=True)
def attached_nats(nats_url: str, environment: dict[str, str]) -> None:
    """Attach the server; its stream is that of the service, and remains."""
    environment["NATS_URL"] = nats_url
