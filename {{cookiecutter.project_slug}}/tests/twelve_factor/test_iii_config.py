"""III. Config: everything that differs between deploys is in documented environment variables."""

import ast
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psutil
import pytest

from ..support.service import TIMEOUT, Proxy, Service, assert_stops, connect, path_only, run
from . import project
from .report import Measure

CANARY = "canary-7c1f0d3e9b"
"""A secret that the service must never repeat."""


def documented() -> dict[str, str]:
    """Return the variables of `.env.example` with their values."""
    return dict(re.findall(r"(?m)^([A-Z][A-Z0-9_]*)=(.*)$", project.read(".env.example")))


def problems(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return the problems by variable that a process reported in one log line before it exited."""
    assert done.returncode == 78, done.stdout + done.stderr
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    found: dict[str, str] = json.loads(line)["problems"]
    return found


def required() -> list[str]:
    """Return the variables that have no default."""
    found = problems(run(path_only() | {"PORT": "invalid"}, "web"))
    return [name for name, problem in found.items() if problem.startswith("missing")]


def test_missing_variables_are_reported_all_at_once(
    environment: dict[str, str], measure: Measure
) -> None:
    names = required()
    if not names:
        project.not_applicable("no variable is required")
    assert problems(run(path_only(), "web")).keys() == set(names)
    for name in names:
        incomplete = {key: value for key, value in environment.items() if key != name}
        with measure.seconds(f"exit without {name}", at_most=project.FAILED_START_SECONDS):
            assert problems(run(incomplete, "web")).keys() == {name}


def test_the_port_stays_closed_if_the_configuration_is_invalid(environment: dict[str, str]) -> None:
    # A process that opened the port would find it in use and exit with another status.
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        assert problems(run(environment | {"LOG_LEVEL": "loud"}, "web")).keys() == {"LOG_LEVEL"}


def test_invalid_values_are_reported_all_at_once_and_never_repeated(measure: Measure) -> None:
    done = run(path_only() | dict.fromkeys(documented(), CANARY), "web")
    found = problems(done)
    measure("reported together", len(found), "invalid variables", at_least=8)
    assert CANARY not in done.stdout
    assert found.keys() >= {"PORT", "LOG_LEVEL", "DRAIN_SECONDS", "FORWARDED_ALLOW_IPS"}
    assert not [name for name, problem in found.items() if len(problem) < 10]


def test_the_documented_variables_are_the_settings(
    environment: dict[str, str], measure: Measure
) -> None:
    lines = [json.loads(line) for line in run(environment, "check").stdout.splitlines()]
    settings = {line["variable"] for line in lines if line["event"] == "setting"}
    measure("settings", len(settings), "variables", at_least=5)
    assert documented().keys() == settings


def test_only_the_loader_and_the_command_line_read_the_environment() -> None:
    readers = {
        path.name
        for path, tree in project.syntax_trees()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "getenv"})
    }
    assert readers == {"loader.py", "cli.py"}


def test_the_required_variables_are_sufficient(environment: dict[str, str]) -> None:
    names = {"PATH", "PORT", "METRICS_PORT", "HOST", *required()}
    with Service({name: environment[name] for name in names}) as service:
        assert service.get("/livez").status_code == 200


def test_a_misspelt_variable_is_reported(environment: dict[str, str]) -> None:
    done = run(environment | {"DRAIN_SECOND": "1"}, "check")
    warnings = [json.loads(line) for line in done.stdout.splitlines() if '"warning"' in line]
    assert [line["variable"] for line in warnings] == ["DRAIN_SECOND"]
    assert warnings[0]["did_you_mean"] == "DRAIN_SECONDS"


def test_no_variable_has_a_default_secret() -> None:
    # A setting of a secret type can be in a file; another URL may have a default without login.
    secrets = set(re.findall(r"in the file `(\w+)_FILE`", project.read(".env.example")))
    secrets |= {name for name in documented() if re.search("PASSWORD|SECRET|TOKEN|KEY$", name)}
    values = {name: value for name, value in documented().items() if value}
    login = re.compile("://[^/]*@")
    assert {name for name in values if name in secrets or login.search(values[name])} == set()
    for instruction, arguments in project.runtime_stage():
        assert instruction not in {"ENV", "ARG", "LABEL"} or "://" not in arguments


@pytest.fixture
def canaries(environment: dict[str, str], proxies: dict[str, Proxy]) -> dict[str, str]:
    """Return an environment with a canary as the password of every backing service."""
    del proxies  # They have put their addresses in the environment.
    # Not the canary alone: logs mask passwords, which would hide the canaries of clients.
    url = re.compile("://(?:([^:@/]*):[^@/]*@)?")
    return {
        name: url.sub(rf"://\1:{CANARY}-url@", value, count=1) if name.endswith("_URL") else value
        for name, value in environment.items()
    }


def traffic(service: Service) -> Iterator[bytes]:
    """Yield responses to valid and invalid requests, which carry canaries as secrets."""
    headers = {"Authorization": f"Bearer {CANARY}", "Cookie": f"session={CANARY}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=TIMEOUT) as client:
        for method, path in [*project.operations(), ("get", "/no/such/path")]:
            query, body = {"token": CANARY}, '{"password": "' + CANARY
            response = client.request(method, path, params=query, content=body)
            yield response.content + repr(response.headers).encode()
    malformed = f"GET /{CANARY} HTTP/9\r\n\r\n".encode()
    with connect(service, malformed) as connection, suppress(ConnectionError):
        yield connection.recv(65536)
    yield httpx.get(service.metrics_url).content


def test_no_secret_is_logged_or_returned(
    canaries: dict[str, str], proxies: dict[str, Proxy], measure: Measure
) -> None:
    with Service(canaries | {"LOG_LEVEL": "debug"}) as service:
        output = list(traffic(service))
        for proxy in proxies.values():
            proxy.cut()
        output += traffic(service)
        output += map(str.encode, psutil.Process(service.process.pid).cmdline())
        assert_stops(service)
        output += service.lines
    measure("output searched for secrets", sum(map(len, output)), "bytes", at_least=1000)
    assert not [text for text in output if CANARY.encode() in text]


def test_the_image_contains_no_configuration(image: str, measure: Measure) -> None:
    config = json.loads(project.docker("image", "inspect", image))[0]["Config"]
    names = {entry.partition("=")[0] for entry in config["Env"]}
    measure("in the image", len(names), "variables")
    assert names & documented().keys() == {"REVISION"}
    history = project.docker("history", "--no-trunc", "--format", "table", image)
    assert not re.search(r"\w+://\w+:\w+@", history)
