"""What `REDIS_URL` may be."""

import pytest
from pydantic import TypeAdapter, ValidationError

from {{ cookiecutter.package_name }}.chassis.config.loader import ConfigurationError, load_settings
from {{ cookiecutter.package_name }}.chassis.redis.settings import RedisUrl
from {{ cookiecutter.package_name }}.settings import Settings

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
def test_what_the_client_understands_is_accepted_and_hidden(url: str) -> None:
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
        "redis://host?nonsense=1",
        "redis://host?socket_timeout=60",
        "redis://host?ssl_cert_reqs=none",
        "rediss://host?ssl_cert_reqs=perhaps",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        validate(url)


@pytest.mark.parametrize("url", ["http://:hunter2@host", "redis://:hunter2@host?hunter2=hunter2"])
def test_what_is_refused_is_named_and_not_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert settings
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Settings)
    assert caught.value.problems.keys() == {"REDIS_URL"}
    assert "hunter2" not in repr(caught.value)
