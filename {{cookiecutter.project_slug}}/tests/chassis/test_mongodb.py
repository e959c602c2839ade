"""`MONGODB_URL`: validation, the options of the client, and categories of failures."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError
from pymongo import errors

from {{ cookiecutter.package_name }}.chassis.config.loader import ConfigurationError, load_settings
from {{ cookiecutter.package_name }}.chassis.errors import Unavailable
from {{ cookiecutter.package_name }}.chassis.mongodb.client import bounded, open_database
from {{ cookiecutter.package_name }}.chassis.mongodb.settings import MongodbUrl
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import run

validate = TypeAdapter(MongodbUrl).validate_python


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:hunter2@host:27017/name",
        "mongodb://one,two:27018/name?replicaSet=rs&w=majority&tls=true",
        "mongodb+srv://user:hunter2@cluster.example.com/name?retryWrites=true",
        "mongodb://user:hunter%402@[::1]/name?authSource=admin",
    ],
)
def test_a_valid_url_is_accepted_and_masked(url: str) -> None:
    accepted = validate(url)
    assert accepted.get_secret_value() == url
    assert "hunter" not in repr(accepted)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("hunter2", "scheme"),
        ("https://host/hunter2", "scheme"),
        ("mongodb://user:hunter2@host:99999/name", "should be like"),
        ("mongodb://user:hunter2@host:hunter2/name", "should be like"),
        ("mongodb://user:hunter2@host/", "name of a database"),
        ("mongodb://user:hunter2@host", "name of a database"),
        ("mongodb://user:hunter2@host?tls=true", "name of a database"),
        ("mongodb://user:hunter2@host/hunter2$", "should be like"),
        ("mongodb://user:hunter2@2@host/name", "should be like"),
        ("mongodb://user:hunter%2@host/name", "should be like"),
        ("mongodb://host/name?hunter2=1", "should be like"),
        ("mongodb://host/name?connectTimeoutMS=hunter2", "should be like"),
        ("mongodb://host/name?authMechanism=hunter2", "should be like"),
        ("mongodb://host/name?tls=true&tlsCAFile=/hunter2", "should be like"),
        ("mongodb+srv://one.example.com,two.example.com/hunter2", "should be like"),
        ("mongodb+srv://one.example.com:27017/hunter2", "should be like"),
        ("mongodb://user:hunter2@host/name?w=0", "acknowledgement"),
    ],
)
def test_an_invalid_url_is_rejected_with_a_reason_and_not_echoed(url: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(url)
    (error,) = caught.value.errors(include_input=False, include_context=False)
    assert reason in error["msg"]
    assert "hunter" not in error["msg"]


@pytest.mark.parametrize(
    "end", ["", "name?hunter2=1", "name?maxPoolSize=hunter2", "name?minPoolSize=200"]
)
def test_an_invalid_url_is_reported_without_its_value(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    assert settings
    monkeypatch.setenv("MONGODB_URL", f"mongodb://user:hunter2@host/{end}")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Settings)
    assert caught.value.problems.keys() == {"MONGODB_URL"}
    assert "hunter2" not in repr(caught.value)


def test_url_options_and_long_names_do_not_break_the_client(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("mongodb://127.0.0.1:1/name?minPoolSize=50&timeoutMS=1\n")
    name = {"OTEL_SERVICE_NAME": "é" * 200, "DATABASE_POOL_SIZE": "5"}
    del environment["MONGODB_URL"]
    done = run(environment | name | {"MONGODB_URL_FILE": str(tmp_path / "url")}, "check")
    assert done.returncode == 69, done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mongodb://nowhere.invalid/name", "name"),
        ("mongodb://a..b/name", "name"),
        ("mongodb+srv://nowhere.invalid/name", "name"),
        ("mongodb://127.0.0.1:1/name", "refused"),
        ("mongodb://localhost:1,127.0.0.1:1/name", "refused"),
    ],
)
async def test_an_unusable_address_is_an_outage_with_its_category(
    settings: Settings, url: str, expected: str
) -> None:
    unusable = settings.model_copy(update={"mongodb_url": validate(url)})
    async with open_database(unusable, "test") as database:
        with pytest.raises(Unavailable) as caught:
            async with bounded():
                await database["orders"].find_one()
    assert caught.value.failure == expected


TLS = "SSL handshake failed: host:27017: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.NotPrimaryError("not primary", {"code": 10107}), "read-only"),
        (errors.NotPrimaryError("node is recovering", {}), "read-only"),
        (errors.NotPrimaryError("shutdown in progress", {"code": 91}), "unavailable"),
        (errors.ServerSelectionTimeoutError("No primary available for writes"), "read-only"),
        (errors.ServerSelectionTimeoutError(f"{TLS}, Timeout: 1.5s"), "tls"),
        (errors.ServerSelectionTimeoutError("host:27017: timed out, Timeout: 1.5s"), "timeout"),
        (errors.OperationFailure("not authorized", 13, {"code": 13}), "permission"),
        (errors.OperationFailure("Authentication failed.", 18, {"code": 18}), "auth"),
        (errors.OperationFailure("bad auth", 8000, {"code": 8000}), "auth"),
        (errors.OperationFailure("disk full", 14031, {"code": 14031}), "unavailable"),
        (errors.OperationFailure("name already exists", 85, {"code": 85}), "schema"),
        (errors.NetworkTimeout("host:27017: timed out"), "timeout"),
        (errors.WaitQueueTimeoutError("no connection"), "timeout"),
        (errors.WTimeoutError("waiting for replication timed out", 64), "timeout"),
        (TimeoutError(), "timeout"),
        (errors.ConnectionFailure("closed"), "unavailable"),
        (errors.ConfigurationError("Server reports wire version 5"), "unavailable"),
        (errors.ProtocolError("unknown opcode"), "unavailable"),
    ],
)
async def test_a_failure_of_the_server_is_an_outage_with_its_category(
    error: Exception, expected: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        async with bounded():
            raise error
    assert caught.value.failure == expected


async def test_an_invalid_command_is_not_an_outage() -> None:
    with pytest.raises(errors.OperationFailure):
        async with bounded():
            raise errors.OperationFailure("unknown operator: $nonsense", 2, {"code": 2})
