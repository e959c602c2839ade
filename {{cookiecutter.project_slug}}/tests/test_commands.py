"""The other commands of the menu, as an operator runs them."""

import json

import pytest

from {{ cookiecutter.package_name }}.cli import COMMANDS

from .service import path_only, run


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_needs_no_configuration(command: list[str]) -> None:
    done = run(path_only(), *command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize("arguments", [[], ["wbe"], ["web", "--fast"], ["shell", "-c"]])
def test_wrong_usage_is_told_with_status_2(arguments: list[str]) -> None:
    done = run(path_only(), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert done.stdout == ""


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"openapi"}))
def test_a_wrong_configuration_is_refused_by_every_command(
    environment: dict[str, str], command: str
) -> None:
    done = run(environment | {"PORT": "hunter2", "LOG_LEVEL": "loud"}, command)
    assert done.returncode == 78
    assert json.loads(done.stdout)["problems"].keys() == {"PORT", "LOG_LEVEL"}
    assert "hunter2" not in done.stdout
    assert done.stderr == ""


def test_the_openapi_document_needs_no_configuration() -> None:
    document = json.loads(run(path_only(), "openapi").stdout)
    assert document["openapi"].startswith("3.1")
    for operations in document["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_check_shows_the_configuration_and_asks_the_backing_services(
    environment: dict[str, str],
) -> None:
    done = run(environment | {"LOG_LEVEL": "info"}, "check")
    assert done.returncode == 0, done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    shown = {line["variable"]: line for line in lines if line["event"] == "variable"}
    assert shown["PORT"]["value"] == environment["PORT"]
    assert shown["PORT"]["source"] == "environment"


def test_shell_runs_code_without_a_terminal(environment: dict[str, str]) -> None:
    done = run(environment, "shell", "-c", "print(settings.port)")
    assert (done.returncode, done.stdout) == (0, f"{environment['PORT']}\n")


def test_shell_fails_where_the_code_does(environment: dict[str, str]) -> None:
    done = run(environment, "shell", "-c", "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in json.loads(done.stdout)["exception"]
