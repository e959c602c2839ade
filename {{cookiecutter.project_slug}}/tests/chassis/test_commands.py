"""The other commands of the menu, as an operator runs them."""

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from {{ cookiecutter.package_name }}.__main__ import SERVICE

from ..support.service import PATIENCE, path_only, run

EACH = """
import sys
from {{ cookiecutter.package_name }}.__main__ import SERVICE, main
arguments = sys.stdin.read().split()
for name in sys.argv[1:]:
    try:
        status = main(SERVICE, [name, *arguments])
    except SystemExit as end:
        status = end.code
    print(name, status, file=sys.stderr)
"""
type Each = tuple[list[str], dict[str, str]]
"""The lines that commands say, and by its name the status of each."""


def each(environment: dict[str, str], commands: Iterable[str], *arguments: str) -> Each:
    """Run several commands of the menu, one after another in one process."""
    done = subprocess.run(
        [sys.executable, "-c", EACH, *commands],
        input=" ".join(arguments),
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.splitlines(), dict(line.split(" ", 1) for line in done.stderr.splitlines())


def test_help_needs_no_configuration() -> None:
    done = run(path_only(), "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")
    said, statuses = each(path_only(), SERVICE.commands, "--help")
    assert statuses == dict.fromkeys(SERVICE.commands, "0")
    usages = [line.split()[4] for line in said if line.startswith("usage: ")]
    assert usages == list(SERVICE.commands)


@pytest.mark.parametrize("arguments", [[], ["wbe"], ["web", "--fast"], ["shell", "-c"]])
def test_wrong_usage_is_told_with_status_2(arguments: list[str]) -> None:
    done = run(path_only(), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert done.stdout == ""


def test_a_wrong_configuration_is_refused_by_every_command() -> None:
    commands = SERVICE.commands.keys() - {"openapi"}
    said, statuses = each(path_only() | {"PORT": "x"}, commands)
    assert statuses == dict.fromkeys(commands, "78")
    assert ["PORT" in json.loads(line)["problems"] for line in said] == [True] * len(commands)


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
