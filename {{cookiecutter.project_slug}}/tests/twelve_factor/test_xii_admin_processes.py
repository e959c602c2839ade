"""XII. Admin processes: run as one-off processes, by the same code in the same environment."""

import json
import socket

from ..support.service import path_only, run
from .project import commands, docker, endless, interface
from .report import Measure

WITHOUT_CONFIGURATION = {"openapi"}


def admin_commands() -> list[str]:
    """Return what the menu offers beside the processes that never end by themselves."""
    return [name for name in commands() if name not in endless()]


def test_each_explains_itself_without_configuration(measure: Measure) -> None:
    measure("menu", len(commands()), "commands", at_least=4)
    for name in commands():
        done = run(path_only(), name, "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert done.stdout.startswith("usage: ")


def test_each_refuses_what_a_server_would_refuse(measure: Measure) -> None:
    refusing = [name for name in admin_commands() if name not in WITHOUT_CONFIGURATION]
    measure("refusing", len(refusing), "commands", at_least=2)
    for name in refusing:
        done = run(path_only() | {"PORT": "x"}, name)
        assert done.returncode == 78, name
        assert "PORT" in json.loads(done.stdout)["problems"]


def test_one_runs_beside_the_server_and_opens_no_port(environment: dict[str, str]) -> None:
    with (
        socket.create_server(("127.0.0.1", int(environment["PORT"]))),
        socket.create_server(("127.0.0.1", int(environment["METRICS_PORT"]))),
    ):
        for name, *arguments in (["check"], ["shell", "-c", "pass"]):
            done = run(environment, name, *arguments)
            assert done.returncode == 0, done.stdout + done.stderr


def test_the_shell_prints_the_result_and_nothing_else(environment: dict[str, str]) -> None:
    done = run(environment, "shell", "-c", "print(settings.port)")
    assert (done.stdout, done.stderr) == (f"{environment['PORT']}\n", "")
    done = run(environment, "shell", "-c", "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in json.loads(done.stdout)["exception"]


def test_the_document_of_the_interface_needs_no_environment() -> None:
    assert interface()["openapi"].startswith("3.")
    assert "/livez" in interface()["paths"]


def test_the_image_runs_them_without_a_terminal(image: str) -> None:
    assert docker("run", "--rm", image, "shell", "--help").startswith("usage: ")
    assert '"paths"' in docker("run", "--rm", image, "openapi")
