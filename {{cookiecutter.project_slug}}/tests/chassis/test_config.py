"""Settings: validation, error messages, secret files; the command line."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from structlog.testing import capture_logs

from dev.document_settings import ROOT, dotenv_example

from {{ cookiecutter.package_name }}.__main__ import SERVICE
from {{ cookiecutter.package_name }}.chassis.cli import main
from {{ cookiecutter.package_name }}.chassis.config.loader import (
    ConfigurationError,
    describe,
    load_settings,
    misspelt,
    placeholders,
)
from {{ cookiecutter.package_name }}.chassis.observability import logs
from {{ cookiecutter.package_name }}.settings import Settings

ORIGIN = "https://shop.example"
pytestmark = pytest.mark.usefixtures("settings")  # They set all required variables.


class WithToken(Settings):
    """Settings with a secret."""

    token: SecretStr = Field(min_length=7)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file with the secret."""
    file = tmp_path / "token"
    file.write_text("hunter2\n")
    monkeypatch.setenv("TOKEN_FILE", str(file))
    return file


def problems(settings: type[Settings] = Settings) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(settings)
    return caught.value.problems


def test_settings_are_immutable() -> None:
    with pytest.raises(ValidationError):
        load_settings(Settings).port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("port", "origin"),
    [("0", "shop.example"), ("1.5", "https://a.example/path"), ("8000; x", "ftp://a.example")],
)
def test_all_invalid_variables_are_reported_together(
    port: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", port)
    monkeypatch.setenv("CORS_ORIGINS", f"{ORIGIN},{origin}")
    assert problems(WithToken).keys() == {"PORT", "CORS_ORIGINS", "TOKEN"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FORWARDED_ALLOW_IPS", "127.0.0.1/8"),
        ("FORWARDED_ALLOW_IPS", '"127.0.0.1"'),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1,*"),
        ("FORWARDED_ALLOW_IPS", "proxy.example"),
        ("ROOT_PATH", "shop"),
        ("ROOT_PATH", "//evil.example"),
        ("ROOT_PATH", "/<script>"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ],
)
def test_a_value_that_would_be_ignored_is_rejected(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert problems().keys() == {variable}


def test_a_misspelt_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["DRAIN_SECOND", "LOG_LEVLE", "PATH", "HOSTNAME", "HOME", "PORT"]
    names += ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]
    known = {"DRAIN_SECOND": "DRAIN_SECONDS", "LOG_LEVLE": "LOG_LEVEL"}
    assert misspelt(names, Settings) == known
    monkeypatch.setenv("METRICS_PORTS", "1")
    monkeypatch.setenv("METRICS_PORT", "x")
    assert problems()["METRICS_PORT"].endswith("(is METRICS_PORTS misspelt?)")


def test_values_are_normalized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("LOG_FORMAT", "Console")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/8, ::1")
    monkeypatch.setenv("ROOT_PATH", "/shop/")
    monkeypatch.setenv("CORS_ORIGINS", f" {ORIGIN}, http://localhost:3000 ")
    settings = load_settings(Settings)
    assert settings.port == 8000
    assert settings.log_level == "warning"
    assert settings.log_format == "console"
    assert settings.forwarded_allow_ips == "10.0.0.0/8,::1"
    assert settings.root_path == "/shop"
    assert settings.cors_origins == f"{ORIGIN},http://localhost:3000"


def test_each_setting_is_described_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    described = describe(load_settings(Settings))
    rows = {variable: (source, value) for variable, source, value in described}
    assert rows.keys() == {name.upper() for name in Settings.model_fields}
    assert rows["LOG_LEVEL"] == ("environment", "debug")
    assert rows["LOG_FORMAT"] == ("default", "json")


def test_a_secret_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    settings = load_settings(WithToken)
    assert ("TOKEN", "environment", "**********") in describe(settings)
    assert "hunter2" not in repr(settings) + str(settings) + repr(describe(settings))
    monkeypatch.setenv("TOKEN", "secret")
    assert "secret" not in problems(WithToken)["TOKEN"]
    with pytest.raises(ValidationError) as caught:
        WithToken()
    assert "secret" not in str(caught.value)


def test_an_ambiguous_or_unreadable_secret_file_is_reported(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as both:
        both.setenv("TOKEN", "hunter2")
        assert problems(WithToken) == {"TOKEN_FILE": "TOKEN is set as well: keep one of the two"}
    file.unlink()
    problem = "the file cannot be read (FileNotFoundError)"
    assert problems(WithToken) == {"TOKEN_FILE": problem}


def test_a_secret_file_is_read_again_when_it_changes(file: Path) -> None:
    settings = load_settings(WithToken)
    assert isinstance(settings, WithToken)
    with capture_logs() as lines:
        assert ("TOKEN", "file", "**********") in describe(settings)
        assert settings.token.get_secret_value() == "hunter2"
        file.write_text("hunter3\n")
        for _ in range(3):
            assert settings.token.get_secret_value() == "hunter3"
    logged = {"event": "secret reloaded", "log_level": "info", "variable": "TOKEN_FILE"}
    assert lines == [logged]


def test_the_last_valid_secret_stays_in_use_and_the_failure_is_logged_once(file: Path) -> None:
    settings = load_settings(WithToken)
    assert isinstance(settings, WithToken)
    with capture_logs() as lines:
        for break_it in (lambda: file.write_text("short"), file.unlink):
            break_it()
            for _ in range(3):
                assert settings.token.get_secret_value() == "hunter2"
    logged = [(line["log_level"], line["variable"]) for line in lines]
    assert logged == [("warning", "TOKEN_FILE")] * 2
    assert "short" not in repr(lines)


def test_env_example_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == dotenv_example(), "run make docs"


def test_a_shell_can_read_env_example() -> None:
    command = ["/bin/sh", "-euc", ". ./.env.example"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


class WithRequired(Settings):
    api_key: SecretStr
    api_url: AnyHttpUrl
    batch_size: int


def test_openapi_does_not_need_required_settings_that_the_application_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings: Any = placeholders(WithRequired)
    assert settings.api_key.get_secret_value() == ""
    assert (settings.api_url, settings.batch_size) == (None, 0)
    assert main(replace(SERVICE, settings=WithRequired), ["openapi"]) == 0
    assert capsys.readouterr().out.startswith("{")


@pytest.mark.parametrize("command", ["", "wbe", "web --fast", "shell -c"])
def test_a_usage_error_exits_with_status_2(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "configure", list)
    with pytest.raises(SystemExit, match="2"):
        main(SERVICE, command.split())
    printed = capsys.readouterr()
    assert printed.err.startswith("usage: ")
    assert printed.out == ""
