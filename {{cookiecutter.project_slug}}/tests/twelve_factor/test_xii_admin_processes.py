"""XII. Admin processes: run as one-off processes, by the same code in the same environment."""

import json
import socket
import subprocess

import pytest

from ..figures import Figures
from ..service import COMMAND, PATIENCE, Service, path_only, run
from .image import docker
from .subject import commands, endless, interface, not_applicable

WITHOUT_CONFIGURATION = {"openapi"}


def admin_commands() -> list[str]:
    """Return what the menu offers beside the processes that never end by themselves."""
    return [name for name in commands() if name not in endless()]


def need(command: str) -> None:
    """Leave a check out where the menu has no such command."""
    if command not in commands():
        not_applicable(f"there is no {command}")


def test_each_explains_itself_without_configuration(measured: Figures) -> None:
    measured("menu", len(commands()), "commands", at_least=4)
    for name in commands():
        done = run(path_only(), name, "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert done.stdout.startswith("usage: ")


def test_each_refuses_what_a_server_would_refuse(measured: Figures) -> None:
    refusing = [name for name in admin_commands() if name not in WITHOUT_CONFIGURATION]
    measured("refusing", len(refusing), "commands", at_least=2)
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


def fresh(environment: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Return an environment with an empty database."""
    need("migrate")
    names = [name for name in environment if name in {"DATABASE_URL", "MONGODB_URL"}]
    return environment | dict.fromkeys(names, request.getfixturevalue("database_url"))


def test_migrating_twice_is_as_good_as_once(
    environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    empty = fresh(environment, request)
    done = [run(empty, "migrate") for _ in range(2)]
    assert [each.returncode for each in done] == [0, 0], done
    assert len(done[1].stdout.splitlines()) <= len(done[0].stdout.splitlines())


def test_several_may_migrate_at_once(
    environment: dict[str, str], request: pytest.FixtureRequest, measured: Figures
) -> None:
    empty = fresh(environment, request)
    running = [
        subprocess.Popen([*COMMAND, "migrate"], env=empty, stdout=subprocess.PIPE) for _ in range(8)
    ]
    said = [process.communicate(timeout=PATIENCE * 3)[0] for process in running]
    failed = sum(process.returncode != 0 for process in running)
    measured("at once", len(running), "migrations")
    measured("failed", failed, "migrations", at_most=0)
    assert all(said)


def test_web_never_migrates_and_says_what_it_misses(
    environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    empty = fresh(environment, request)
    with Service(empty) as service:
        for _ in range(2):
            answer = service.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["checks"]["database"] != "ok"
    assert run(empty, "migrate").returncode == 0
    with Service(empty) as service:
        assert service.get("/readyz").status_code == 200


def test_cleaning_up_ends_also_where_there_is_nothing_to_do(environment: dict[str, str]) -> None:
    need("cleanup")
    for _ in range(2):
        done = run(environment, "cleanup", "--older-than-days", "1")
        assert done.returncode == 0
        (line,) = done.stdout.splitlines()
        assert json.loads(line)["event"] == "cleaned up"


def test_the_image_runs_them_without_a_terminal(image: str) -> None:
    assert docker("run", "--rm", image, "shell", "--help").startswith("usage: ")
    assert '"paths"' in docker("run", "--rm", image, "openapi")
