"""XII. Admin processes: one-off commands with the code and the configuration of the service."""

import json
import socket

from ..support.service import path_only, run
from .project import commands, docker, long_running
from .report import Measure

WITHOUT_CONFIGURATION = {"openapi"}


def test_every_command_prints_help_without_configuration(measure: Measure) -> None:
    measure("print help", len(commands()), "commands", at_least=4)
    for name in commands():
        done = run(path_only(), name, "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert done.stdout.startswith("usage: ")


def test_admin_commands_reject_an_invalid_configuration(measure: Measure) -> None:
    names = set(commands()) - set(long_running()) - WITHOUT_CONFIGURATION
    measure("exit with an invalid configuration", len(names), "commands", at_least=2)
    for name in names:
        done = run(path_only() | {"PORT": "x"}, name)
        assert done.returncode == 78, name
        assert "PORT" in json.loads(done.stdout)["problems"]


def test_admin_commands_open_no_port_and_end(environment: dict[str, str]) -> None:
    with (
        socket.create_server(("127.0.0.1", int(environment["PORT"]))),
        socket.create_server(("127.0.0.1", int(environment["METRICS_PORT"]))),
    ):
        for words in {*commands(), "shell -c pass"} - {*long_running(), "shell"}:
            done = run(environment, *words.split())
            assert done.returncode == 0, words + done.stdout + done.stderr


def test_the_shell_prints_only_the_result(environment: dict[str, str]) -> None:
    done = run(environment, "shell", "-c", "print(settings.port)")
    assert (done.stdout, done.stderr) == (f"{environment['PORT']}\n", "")
    done = run(environment, "shell", "-c", "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in json.loads(done.stdout)["exception"]


def test_the_image_runs_admin_commands_without_a_terminal(image: str) -> None:
    assert docker("run", "--rm", image, "shell", "--help").startswith("usage: ")
    assert '"paths"' in docker("run", "--rm", image, "openapi")
