"""III. Config: all that differs between deploys comes from the environment, and is documented."""

import ast
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from ..support.service import TIMEOUT, Proxy, Service, connect, path_only, run
from .project import (
    REFUSAL_SECONDS,
    ROOT,
    docker,
    interface,
    last_stage,
    not_applicable,
    readable_paths,
    syntax_trees,
)
from .report import Measure

CANARY = "canary-7c1f0d3e9b"
"""A value that occurs nowhere else."""


def documented() -> set[str]:
    """Return the variables of `.env.example`."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"(?m)^([A-Z][A-Z0-9_]*)=", text))


def problems(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return what a process refuses in its environment, by variable; it must say so in one line."""
    assert done.returncode == 78, done.stdout + done.stderr
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    found: dict[str, str] = json.loads(line)["problems"]
    return found


def required() -> list[str]:
    """Return the variables without which no process starts."""
    done = run(path_only() | {"PORT": "no port"}, "web")
    return [name for name, problem in problems(done).items() if problem.startswith("missing")]


def test_every_missing_variable_is_named_at_once_and_each_alone(
    environment: dict[str, str], measure: Measure
) -> None:
    names = required()
    if not names:
        not_applicable("no variable is required")
    assert problems(run(path_only(), "web")).keys() == set(names)
    slowest = 0.0
    for name in names:
        started = perf_counter()
        done = run({key: value for key, value in environment.items() if key != name}, "web")
        slowest = max(slowest, perf_counter() - started)
        assert problems(done).keys() == {name}
    measure("required", len(names), "variables")
    measure("refused within", slowest, "s", at_most=REFUSAL_SECONDS)


def test_a_process_that_refuses_never_opens_its_port(environment: dict[str, str]) -> None:
    # Were the port opened, the process would say that it is taken, with another exit status.
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        assert problems(run(environment | {"LOG_LEVEL": "loud"}, "web")).keys() == {"LOG_LEVEL"}


def test_every_value_of_the_wrong_kind_is_named_and_never_repeated(measure: Measure) -> None:
    wrong = dict.fromkeys(documented(), CANARY)
    done = run(path_only() | wrong, "web")
    named = problems(done)
    measure("wrong values", len(named), "variables named at once", at_least=8)
    assert CANARY not in done.stdout
    assert named.keys() >= {"PORT", "METRICS_PORT", "LOG_LEVEL", "DRAIN_SECONDS"}
    assert not [name for name, problem in named.items() if len(problem) < 10]


def test_what_is_documented_is_what_is_read(environment: dict[str, str], measure: Measure) -> None:
    done = run(environment, "check")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    read = {line["variable"] for line in lines if line["event"] == "setting"}
    measure("settings", len(read), "variables", at_least=5)
    assert documented() == read


def test_only_one_module_reads_the_environment_and_one_looks_for_slips() -> None:
    readers = {
        path.name
        for path, tree in syntax_trees()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "getenv"})
    }
    assert readers == {"loader.py", "cli.py"}


def test_what_is_required_suffices(environment: dict[str, str]) -> None:
    ports = {"PORT", "METRICS_PORT", "HOST"}
    kept = {key: environment[key] for key in {"PATH", *ports, *required()}}
    with Service(kept) as service:
        assert service.get("/livez").status_code == 200


def test_a_misspelt_variable_is_warned_of(environment: dict[str, str]) -> None:
    done = run(environment | {"DRAIN_SECOND": "1"}, "check")
    warnings = [json.loads(line) for line in done.stdout.splitlines() if '"warning"' in line]
    assert [line["variable"] for line in warnings] == ["DRAIN_SECOND"]
    assert warnings[0]["did_you_mean"] == "DRAIN_SECONDS"


def test_no_variable_has_a_secret_for_a_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"(?m)^([A-Z][A-Z0-9_]*)=(.*)$", text))
    sensitive = {name for name in given if re.search("PASSWORD|SECRET|TOKEN|KEY$|_URL$", name)}
    assert {name: given[name] for name in sensitive if given[name]} == {}
    kept = [arguments for name, arguments in last_stage() if name in {"ENV", "ARG", "LABEL"}]
    assert not [arguments for arguments in kept if "://" in arguments]


def with_canary(url: str) -> str:
    """Return the URL with a password that is a canary."""
    return re.sub(r"://(?:([^:@/]*):[^@/]*@)?", rf"://\1:{CANARY}-of-ours@", url, count=1)


@pytest.fixture
def canaries(environment: dict[str, str], proxies: dict[str, Proxy]) -> dict[str, str]:
    """Return an environment in which every URL of a backing service has a canary in it."""
    del proxies
    urls = {name: value for name, value in environment.items() if name.endswith("_URL")}
    return environment | {name: with_canary(value) for name, value in urls.items()}


def traffic(service: Service) -> Iterator[bytes]:
    """Yield the answers to requests of all kinds, with canaries wherever clients send secrets."""
    headers = {"Authorization": f"Bearer {CANARY}", "Cookie": f"session={CANARY}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=TIMEOUT) as client:
        for path in [*readable_paths(), "/no/such/path"]:
            answer = client.get(path, params={"token": CANARY})
            yield answer.content + repr(answer.headers).encode()
        for path, operations in interface()["paths"].items():
            for method in operations:
                answer = client.request(method, path, content='{"password": "' + CANARY)
                yield answer.content + repr(answer.headers).encode()
    nonsense = f"GET /{CANARY} HTTP/9\r\n\r\n".encode()
    with connect(service, nonsense) as connection, suppress(ConnectionError):
        yield connection.recv(65536)
    yield httpx.get(service.metrics_url).content


def test_no_secret_is_ever_repeated(
    canaries: dict[str, str], proxies: dict[str, Proxy], measure: Measure
) -> None:
    with Service(canaries | {"LOG_LEVEL": "debug"}) as service:
        said = list(traffic(service))
        for proxy in proxies.values():
            proxy.cut()
        said += traffic(service)
        command = Path(f"/proc/{service.process.pid}/cmdline")
        said.append(command.read_bytes() if command.exists() else b"")
        service.terminate()
        assert service.wait() == 0
        said += [*service.lines, service.stderr()]
    measure("searched", sum(map(len, said)), "bytes of output", at_least=1000)
    assert not [text for text in said if CANARY.encode() in text]


def test_the_image_holds_no_configuration(image: str, measure: Measure) -> None:
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    names = {entry.partition("=")[0] for entry in config["Env"]}
    measure("image", len(names), "variables")
    assert names & documented() == {"REVISION"}
    history = docker("history", "--no-trunc", "--format", "table", image)
    assert not re.search(r"\w+://\w+:\w+@", history)
