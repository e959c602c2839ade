"""From the environment to settings: what is refused, how it is said, what is never said."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError
from structlog.testing import capture_logs

from {{ cookiecutter.package_name }}.chassis.config.loader import (
    ConfigurationError,
    describe,
    load_settings,
    misspelt,
)
from {{ cookiecutter.package_name }}.settings import Settings

REQUIRED = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}


class WithToken(Settings):
    """Settings with a secret of their own."""

    token: SecretStr = Field(min_length=7)


@pytest.fixture(autouse=True)
def _complete_environment(settings: Settings) -> None:
    """Start from an environment in which nothing is missing."""


def problems(kind: type[Settings] = Settings) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(kind)
    return caught.value.problems


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings(Settings).port = 1  # type: ignore[misc]


@pytest.mark.parametrize("port", ["abc", "-1", "0", "70000", "1.5", "8000; x"])
def test_a_wrong_value_is_named(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    assert problems().keys() == {"PORT"}


def test_all_problems_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "hunter2")
    monkeypatch.setenv("LOG_FORMAT", "hunter2")
    for name in REQUIRED:
        monkeypatch.delenv(name)
    found = problems(WithToken)
    assert found.keys() == {"PORT", "LOG_FORMAT", "TOKEN", *REQUIRED}
    assert set(found.values()) >= {"missing"}
    assert "hunter2" not in repr(found)


def test_a_misspelt_variable_is_named_where_it_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROT", "8000")
    monkeypatch.setenv("METRICS_PORTS", "1")
    monkeypatch.setenv("METRICS_PORT", "x")
    assert problems()["METRICS_PORT"].endswith("(is METRICS_PORTS misspelt?)")


def test_an_empty_value_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings(Settings).port == 8000


def test_a_slip_of_the_pen_is_noticed() -> None:
    assert misspelt(
        ["DRAIN_SECOND", "LOG_LEVLE", "PATH", "HOSTNAME", "HOME", "PORT"], Settings
    ) == {
        "DRAIN_SECOND": "DRAIN_SECONDS",
        "LOG_LEVLE": "LOG_LEVEL",
    }


def test_each_variable_is_described_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    rows = {
        variable: (source, value) for variable, source, value in describe(load_settings(Settings))
    }
    assert rows.keys() == {name.upper() for name in Settings.model_fields}
    assert rows["LOG_LEVEL"] == ("environment", "debug")
    assert rows["LOG_FORMAT"] == ("default", "json")


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    settings = load_settings(WithToken)
    assert ("TOKEN", "environment", "**********") in describe(settings)
    assert "hunter2" not in repr(settings) + str(settings) + repr(describe(settings))
    monkeypatch.setenv("TOKEN", "secret")
    assert "secret" not in problems(WithToken)["TOKEN"]


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    settings = load_settings(WithToken)
    assert isinstance(settings, WithToken)
    assert settings.token.get_secret_value() == "hunter2"
    assert ("TOKEN", "file", "**********") in describe(settings)


def test_a_secret_from_two_places_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    monkeypatch.setenv("TOKEN_FILE", "/does/not/matter")
    assert problems(WithToken) == {"TOKEN_FILE": "TOKEN is set as well: keep one of the two"}


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_FILE", "/is/not/there")
    expected = {"TOKEN_FILE": "the file cannot be read (FileNotFoundError)"}
    assert problems(WithToken) == expected


def test_a_secret_in_a_file_is_what_the_file_holds_now(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("hunter2\n")
    monkeypatch.setenv("TOKEN_FILE", str(file))
    settings = load_settings(WithToken)
    assert isinstance(settings, WithToken)
    with capture_logs() as lines:
        assert settings.token.get_secret_value() == "hunter2"
        file.write_text("hunter3\n")
        for _ in range(3):
            assert settings.token.get_secret_value() == "hunter3"
    said = {"event": "secret changed", "log_level": "info", "variable": "TOKEN_FILE"}
    assert lines == [said]


def test_a_file_that_becomes_useless_changes_nothing_and_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("hunter2")
    monkeypatch.setenv("TOKEN_FILE", str(file))
    settings = load_settings(WithToken)
    assert isinstance(settings, WithToken)
    with capture_logs() as lines:
        for useless in (lambda: file.write_text("short"), file.unlink):
            useless()
            for _ in range(3):
                assert settings.token.get_secret_value() == "hunter2"
    assert [(line["log_level"], line["variable"]) for line in lines] == [
        ("warning", "TOKEN_FILE")
    ] * 2
    assert "short" not in repr(lines)
