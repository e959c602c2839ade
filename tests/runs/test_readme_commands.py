"""A developer's first day with a new service: the commands of its README."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.running import TIMEOUT_SECONDS, free_ports
from tests.support.variants import BARE, COMBINATIONS, IN_CI
from tools.pythons import UV, outside

MONGODB = "database-mongodb"


def sh(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command; `make` in it finds uv."""
    return run("/bin/sh", "-c", command, cwd=folder, **{"MAKEFLAGS": f"UV={UV}"} | variables)


def must(folder: Path, command: str) -> str:
    done = sh(folder, command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", params=IN_CI)
def service(request: pytest.FixtureRequest, cookies_session: object) -> Path:
    """A service that was rendered, set up and committed as its README describes."""
    folder = Baker(cookies_session).bake(**COMBINATIONS[request.param])
    must(folder, "make setup")
    must(folder, "git init --quiet --initial-branch main && git add --all")
    author = "-c user.name=Somebody -c user.email=somebody@example.com"
    must(folder, f"git {author} commit --quiet --message Start")
    return folder


def test_the_first_commit_includes_the_lock_and_no_secrets(service: Path) -> None:
    tracked = must(service, "git ls-files").splitlines()
    assert "uv.lock" in tracked
    assert ".env.example" in tracked
    assert ".env" not in tracked


def test_secrets_are_strong_private_and_not_overwritten(service: Path) -> None:
    dotenv = service / ".env"
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    before = dotenv.read_text()
    required = set().union(
        *(re.findall(r"\$\{(\w+_PASSWORD)", f.read_text()) for f in service.glob("compose/*"))
    )
    found = dict(line.split("=", 1) for line in before.splitlines() if re.match(r"\w+_PASS", line))
    assert found.keys() == required
    assert all(len(secret) >= 43 for secret in found.values())
    must(service, "make setup")
    assert dotenv.read_text() == before


def locked(service: Path) -> set[tuple[str, str]]:
    """Return the packages of the lock, without their files, to which an index may add more."""
    lock = tomllib.loads((service / "uv.lock").read_text())
    return {(package["name"], package["version"]) for package in lock["package"]}


@pytest.mark.parametrize("service", [BARE], indirect=True)
def test_a_dependency_can_be_added_and_removed_with_uv(service: Path) -> None:
    before = locked(service)
    must(service, f"{UV} add --quiet tomli-w==1.2.0")
    assert '"tomli-w==1.2.0",' in (service / "pyproject.toml").read_text()
    must(service, "make check && .venv/bin/python -c 'import tomli_w'")
    assert locked(service) == before | {("tomli-w", "1.2.0")}
    must(service, f"{UV} remove --quiet tomli-w")
    assert locked(service) == before
    assert must(service, "git status --porcelain -- . :!uv.lock") == ""


def test_make_check_finds_an_outdated_lock(service: Path) -> None:
    pyproject = service / "pyproject.toml"
    before = pyproject.read_text()
    pyproject.write_text(before.replace('"structlog==26.1.0"', '"structlog==25.5.0"'))
    try:
        done = sh(service, "make check")
        assert done.returncode != 0
        assert "uv.lock" in done.stderr
    finally:
        pyproject.write_text(before)


def test_make_config_lists_variables_without_secrets(service: Path) -> None:
    shown = must(service, "make config")
    assert re.search(r"variable=PORT", shown)
    for line in (service / ".env").read_text().splitlines():
        if re.match(r"\w+_PASSWORD=", line):
            assert line.partition("=")[2] not in shown


def test_make_lists_its_targets(service: Path) -> None:
    listed = set(re.findall(r"make (\w+)", must(service, "make")))
    assert listed >= {"setup", "run", "test", "check", "format", "lock", "up", "down"}


@pytest.fixture
def ports() -> dict[str, str]:
    web, metrics = free_ports(2)
    return {"PORT": str(web), "METRICS_PORT": str(metrics)}


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """Return the output of a process up to the first line with this pattern."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return "".join(lines)
    pytest.fail(f"no line with {pattern}: {lines}")


def wait_until_listening(process: subprocess.Popen[str], ports: dict[str, str]) -> str:
    return read_until(process, rf"listening .*port={ports['PORT']}\b")


@pytest.fixture
def starting(service: Path, ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process of `make run`."""
    with subprocess.Popen(
        ["make", f"UV={UV}", "run"],
        cwd=service,
        env=outside() | ports,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.communicate(timeout=TIMEOUT_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def running(starting: subprocess.Popen[str], ports: dict[str, str]) -> subprocess.Popen[str]:
    """A process of `make run` that listens."""
    wait_until_listening(starting, ports)
    return starting


def test_make_run_serves_and_reloads_after_an_edit(
    service: Path, running: subprocess.Popen[str], ports: dict[str, str]
) -> None:
    url = f"http://localhost:{ports['PORT']}"
    assert httpx.get(f"{url}/readyz").status_code == 200
    (main,) = service.glob("src/*/main.py")
    before = main.read_text()
    main.write_text(f"{before}\n")
    try:
        wait_until_listening(running, ports)
        assert httpx.get(f"{url}/livez").status_code == 200
    finally:
        main.write_text(before)


@pytest.fixture
def mongodb(mongodb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URL", mongodb_url)


@pytest.mark.parametrize("service", [MONGODB], indirect=True)
@pytest.mark.usefixtures("mongodb", "running")
def test_make_run_uses_the_mongodb_server_of_the_environment(ports: dict[str, str]) -> None:
    assert httpx.get(f"http://localhost:{ports['PORT']}/readyz").status_code == 200


@pytest.mark.parametrize("service", [MONGODB], indirect=True)
def test_make_run_without_a_mongodb_server_fails_with_instructions(
    service: Path, tmp_path: Path, ports: dict[str, str]
) -> None:
    python = f"{service}/.venv/bin/python"
    done = sh(service, f"'{python}' -m dev.run", **ports, PATH=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert all(way in line for way in ("MONGODB_URL", "mongod", "Docker"))


def test_make_run_reports_a_used_port_in_one_line(service: Path, ports: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(ports["PORT"]))):
        done = sh(service, "make --silent run", **ports)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert f"PORT={ports['PORT']}" in line
    if shutil.which("lsof") or shutil.which("ss"):
        assert f"(pid {os.getpid()})" in line


def test_make_run_starts_with_a_summary(
    service: Path, starting: subprocess.Popen[str], ports: dict[str, str]
) -> None:
    output = read_until(starting, "^Stop")
    url = f"http://localhost:{ports['PORT']}"
    lines = [re.split(" {2,}", line, maxsplit=1) for line in output.splitlines()]
    assert [lines[0], lines[1], lines[-1]] == [
        ["Service", url],
        ["API docs", f"{url}/docs"],
        ["Stop", "Ctrl-C"],
    ]
    attached = len([*service.glob("dev/backing_services/*.py"), *service.glob("src/*/worker.py")])
    assert [line[0] for line in lines[2:-1]] == ["Attached"] * attached


@pytest.mark.parametrize("after", ["^Stop", "listening"])
def test_ctrl_c_stops_make_run_silently(starting: subprocess.Popen[str], after: str) -> None:
    read_until(starting, after)
    os.killpg(starting.pid, signal.SIGINT)
    output, _ = starting.communicate(timeout=TIMEOUT_SECONDS)  # Until its children have exited.
    events = ("listening", "draining", "stopped", "old orders deleted", "job ")
    assert [line for line in output.splitlines() if not any(e in line for e in events)] == []
    assert starting.returncode in (0, -signal.SIGINT)


def test_make_setup_installs_uv_if_it_is_missing(baker: Baker, tmp_path: Path) -> None:
    folder = baker.bake(database="none")
    broken = tmp_path / "uv"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{outside()['PATH']}"
    done = sh(folder, "make setup", PATH=path, MAKEFLAGS="")
    assert done.returncode == 0, done.stderr
    assert (folder / ".tools" / "bin" / "uv").exists()
    assert (folder / "uv.lock").exists()
