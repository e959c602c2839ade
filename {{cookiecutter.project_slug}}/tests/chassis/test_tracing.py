"""Variables of OpenTelemetry that turn the export of traces on and off."""

import json
import os

import pytest

from {{ cookiecutter.package_name }}.chassis.config.loader import ConfigurationError, load_settings
from {{ cookiecutter.package_name }}.chassis.observability.tracing import exports, validate
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import run

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example:4318"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector.example:4318/v1/traces"
pytestmark = pytest.mark.usefixtures("settings")  # They set all required variables.


def load(monkeypatch: pytest.MonkeyPatch, variables: str) -> Settings:
    for variable in variables.split():
        monkeypatch.setenv(*variable.split("=", 1))
    return load_settings(Settings)


@pytest.mark.parametrize(
    ("variables", "exported"),
    [
        ("", False),
        (ENDPOINT, True),
        (TRACES, True),
        ("OTEL_TRACES_EXPORTER=otlp", True),
        (f"{ENDPOINT} OTEL_TRACES_EXPORTER=None", False),
        (f"{TRACES} OTEL_SDK_DISABLED=true", False),
        (f"{ENDPOINT} OTEL_SDK_DISABLED=false", True),
    ],
)
def test_traces_are_exported_as_the_variables_demand(
    monkeypatch: pytest.MonkeyPatch, variables: str, exported: bool
) -> None:
    assert exports(load(monkeypatch, variables)) == exported


@pytest.mark.parametrize(
    "invalid",
    [
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=x",
        "OTEL_BSP_MAX_QUEUE_SIZE=-1",
    ],
)
def test_an_invalid_variable_matters_only_if_traces_are_exported(
    monkeypatch: pytest.MonkeyPatch, invalid: str
) -> None:
    settings = load(monkeypatch, f"{invalid} OTEL_TRACES_EXPORTER=none")
    validate(settings, os.environ)
    with pytest.raises(ConfigurationError):
        validate(settings.model_copy(update={"otel_traces_exporter": "otlp"}), os.environ)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer hunter2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "team=orders,hunter2"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=hunter2%0A"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2%E2%98%95"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "hunter2"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "hunter2"),
        ("OTEL_TRACES_SAMPLER", "Hunter2"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=orders, hunter2"),
        ("OTEL_BSP_SCHEDULE_DELAY", "hunter2"),
    ],
)
def test_a_value_that_the_sdk_ignores_is_named_without_the_value(
    environment: dict[str, str], variable: str, value: str
) -> None:
    done = run(environment | {variable: value, "OTEL_TRACES_EXPORTER": "otlp"}, "check")
    assert (done.returncode, done.stderr) == (78, "")
    assert json.loads(done.stdout)["problems"].keys() == {variable}
    assert "hunter2" not in done.stdout.lower()


def test_valid_headers_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, f"{ENDPOINT} OTEL_TRACES_SAMPLER=traceidratio")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer hunter2,team=a%20b")
    with pytest.raises(ConfigurationError, match=r"OTEL_\*: .*TRACES_SAMPLER_ARG"):
        validate(settings, os.environ)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
    validate(settings, os.environ)


def test_an_unknown_propagator_is_reported(environment: dict[str, str]) -> None:
    done = run(environment | {"OTEL_PROPAGATORS": "no-such"}, "web")
    assert (done.returncode, done.stderr) == (78, "")
    assert json.loads(done.stdout)["problems"].keys() == {"OTEL_PROPAGATORS"}
