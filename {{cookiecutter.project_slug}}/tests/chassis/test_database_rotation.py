"""The file that `DATABASE_URL_FILE` names changes: new connections go where it says now."""

from pathlib import Path

import psycopg
import pytest

from ..support.service import Service, fetch

TEA = {"item": "tea", "quantity": 1}
DROP_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def file(environment: dict[str, str], tmp_path: Path) -> Path:
    """Let the process find its database by a file."""
    file = tmp_path / "database_url"
    file.write_text(environment.pop("DATABASE_URL"))
    environment["DATABASE_URL_FILE"] = str(file)
    return file


def drop_connections(url: str) -> None:
    """Wait until they are gone: a server that is only told to end them may do so in a query."""
    with psycopg.connect(url) as connection:
        connection.execute(DROP_OTHERS)


def orders(service: Service) -> int:
    """Return how many orders the service finds."""
    answer = service.get("/orders")
    assert answer.status_code == 200
    return len(answer.json()["items"])


def test_new_connections_lead_to_where_the_file_says(
    environment: dict[str, str], file: Path, other_database: str
) -> None:
    first = file.read_text()
    with Service(environment) as service:
        assert fetch(f"{service.url}/orders", "POST", json=TEA).status_code == 201
        file.write_text(other_database)
        assert orders(service) == 1
        drop_connections(first)
        assert orders(service) == 0
        assert service.get("/readyz").status_code == 200
        service.wait_for("secret changed", variable="DATABASE_URL_FILE")


def test_a_file_that_becomes_useless_changes_nothing(
    environment: dict[str, str], file: Path
) -> None:
    url = file.read_text()
    with Service(environment) as service:
        assert fetch(f"{service.url}/orders", "POST", json=TEA).status_code == 201
        file.write_text("hunter2")
        for _ in range(3):
            drop_connections(url)
            assert orders(service) == 1
        service.terminate()
        assert service.wait() == 0
    said = b"".join(service.lines)
    assert said.count(b"secret not changed") == 1
    assert b"hunter2" not in said
