"""`REDIS_URL`: validation, and rotation of the file with the URL."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import TypeAdapter, ValidationError
from redis import Redis

from {{ cookiecutter.package_name }}.chassis.config.loader import ConfigurationError, load_settings
from {{ cookiecutter.package_name }}.chassis.redis.settings import RedisUrl
from {{ cookiecutter.package_name }}.settings import Settings

from ...support.redis_server import server_address
from ...support.service import Proxy, Service

NAME = "rotation"
validate = TypeAdapter(RedisUrl).validate_python


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "redis://:hunter2@host:6379/0",
        "rediss://user:hunter2@host:6380/1?ssl_cert_reqs=none",
        "unix:///run/redis/redis.sock?db=1",
    ],
)
def test_a_valid_url_is_accepted_and_masked(url: str) -> None:
    accepted = validate(url)
    assert str(accepted.get_secret_value()) == url
    assert "hunter2" not in repr(accepted)


@pytest.mark.parametrize(
    "url",
    [
        "host",
        "http://host:6379",
        "redis://host:99999",
        "redis://host/0?db=one",
        "redis://host/zero",
        "redis://user:12/hunter2@host",
        "redis://host/0#hunter2",
        "redis://host?nonsense=1",
        "redis://host?socket_timeout=60",
        "redis://host?ssl_cert_reqs=none",
        "rediss://host?ssl_cert_reqs=perhaps",
        "rediss://host?ssl_ca_certs=/no/such/file",
    ],
)
def test_an_invalid_url_is_rejected(url: str) -> None:
    with pytest.raises(ValidationError):
        validate(url)


@pytest.mark.parametrize("url", ["http://:hunter2@host", "redis://:hunter2@host?hunter2=hunter2"])
def test_an_invalid_url_is_reported_without_its_value(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert settings
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Settings)
    assert caught.value.problems.keys() == {"REDIS_URL"}
    assert "hunter2" not in repr(caught.value)


@pytest.fixture
def file(environment: dict[str, str], tmp_path: Path, redis_proxy: Proxy) -> Path:
    """Return the file with the URL of Redis, behind a proxy."""
    del redis_proxy
    file = tmp_path / "redis_url"
    file.write_text(environment.pop("REDIS_URL"))
    environment["REDIS_URL_FILE"] = str(file)
    environment["OTEL_SERVICE_NAME"] = NAME
    return file


@pytest.fixture
def other_address(attached_redis: Redis) -> Iterator[str]:
    """Yield a second URL of the same server, with another user."""
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
    """Return the Redis users of the connections of the web process."""
    return {one["user"] for one in redis.client_list() if one["name"] == f"{NAME}:web"}


def test_new_connections_use_a_rotated_url(
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
    service.wait_for("secret reloaded", variable="REDIS_URL_FILE")
