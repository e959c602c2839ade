"""The file that `REDIS_URL_FILE` names changes: new connections go where it says now."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from ...support.proxy import Proxy
from ...support.redis_server import server_address
from ...support.service import Service

NAME = "rotation"


@pytest.fixture
def file(environment: dict[str, str], tmp_path: Path, redis_proxy: Proxy) -> Path:
    """Let the process find its Redis by a file, which names a way that can be cut."""
    del redis_proxy
    file = tmp_path / "redis_url"
    file.write_text(environment.pop("REDIS_URL"))
    environment["REDIS_URL_FILE"] = str(file)
    environment["OTEL_SERVICE_NAME"] = NAME
    return file


@pytest.fixture
def other_address(attached_redis: Redis) -> Iterator[str]:
    """Yield another way to the server, with a login of its own."""
    name, password = f"test_{uuid4().hex}", uuid4().hex
    attached_redis.acl_setuser(
        name, enabled=True, passwords=[f"+{password}"], categories=["+@all"], keys=["*"]
    )
    proxy = Proxy(server_address(attached_redis))
    database = attached_redis.connection_pool.connection_kwargs.get("db") or 0
    yield f"redis://{name}:{password}@127.0.0.1:{proxy.port}/{database}"
    proxy.close()
    attached_redis.acl_deluser(name)


def users(redis: Redis) -> set[str]:
    """Return who is connected to the server by the name of our process."""
    return {one["user"] for one in redis.client_list() if one["name"] == f"{NAME}:web"}


def test_new_connections_lead_to_where_the_file_says(
    file: Path, service: Service, redis_proxy: Proxy, attached_redis: Redis, other_address: str
) -> None:
    assert service.get("/readyz").json()["checks"]["redis"] == "ok"
    before = users(attached_redis)
    file.write_text(other_address)
    assert service.get("/readyz").json()["checks"]["redis"] == "ok"
    assert users(attached_redis) == before
    redis_proxy.cut()
    assert service.get("/readyz").json()["checks"]["redis"] == "ok"
    assert users(attached_redis) == {other_address.split(":")[1].strip("/")}
    service.wait_for("secret changed", variable="REDIS_URL_FILE")
