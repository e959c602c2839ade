"""A developer's first day with a new service, by the commands of its README."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.baking import Baker
from tests.support.running import PATIENCE, free_ports
from tests.support.template import DECLARED
from tests.support.variants import BARE, COMBINATIONS, IN_CI
from tools.pythons import UV, outside


def sh(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one line in a shell, with uv at hand for make."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=outside() | {"MAKEFLAGS": f"UV={UV}"} | variables,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def must(folder: Path, command: str, **variables: str) -> str:
    done = sh(folder, command, **variables)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", params=IN_CI)
def service(request: pytest.FixtureRequest, cookies_session: object) -> Path:
    """A service that was rendered, set up and committed, as its README says."""
    folder = Baker(cookies_session).bake(**COMBINATIONS[request.param])
    must(folder, "make setup")
    must(folder, "git init --quiet --initial-branch main && git add --all")
    author = "-c user.name=Somebody -c user.email=somebody@example.com"
    must(folder, f"git {author} commit --quiet --message Start")
    return folder


def test_the_first_commit_holds_the_lock_and_no_secret(service: Path) -> None:
    tracked = must(service, "git ls-files").splitlines()
    assert "uv.lock" in tracked
    assert ".env.example" in tracked
    assert ".env" not in tracked


def test_secrets_are_strong_private_and_never_overwritten(service: Path) -> None:
    dotenv = service / ".env"
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    before = dotenv.read_text()
    asked = set().union(
        *(re.findall(r"\$\{(\w+_PASSWORD)", f.read_text()) for f in service.glob("compose/*"))
    )
    found = dict(line.split("=", 1) for line in before.splitlines() if re.match(r"\w+_PASS", line))
    assert found.keys() == asked
    assert all(len(secret) >= 43 for secret in found.values())
    must(service, "make setup")
    assert dotenv.read_text() == before


def test_names_of_installed_packages_are_refused_for_the_service(service: Path) -> None:
    code = "import importlib.metadata as m; print(*m.packages_distributions())"
    installed = set(must(service, f".venv/bin/python -c '{code}'").split())
    ours = {path.name for path in service.glob("src/*")}
    possible = {name for name in installed - ours if re.fullmatch("[a-z](_?[a-z0-9])*", name)}
    assert "fastapi" in possible
    assert possible - sys.stdlib_module_names <= set(DECLARED["_reserved"])


def locked(service: Path) -> set[tuple[str, str]]:
    """What the lock names. It also lists files, to which an index may add some at any time."""
    lock = tomllib.loads((service / "uv.lock").read_text())
    return {(package["name"], package["version"]) for package in lock["package"]}


@pytest.mark.parametrize("service", [BARE], indirect=True)
def test_a_dependency_is_added_with_uv(service: Path) -> None:
    before = locked(service)
    must(service, f"{UV} add --quiet tomli-w==1.2.0")
    assert '"tomli-w==1.2.0",' in (service / "pyproject.toml").read_text()
    must(service, "make check && .venv/bin/python -c 'import tomli_w'")
    assert locked(service) == before | {("tomli-w", "1.2.0")}
    must(service, f"{UV} remove --quiet tomli-w")
    assert locked(service) == before
    assert must(service, "git status --porcelain -- . :!uv.lock") == ""


def test_an_edit_without_its_lock_is_found(service: Path) -> None:
    pyproject = service / "pyproject.toml"
    before = pyproject.read_text()
    pyproject.write_text(before.replace('"structlog==26.1.0"', '"structlog==25.5.0"'))
    try:
        done = sh(service, "make check")
        assert done.returncode != 0
        assert "uv.lock" in done.stderr
    finally:
        pyproject.write_text(before)


def test_make_config_shows_variables_and_no_secret(service: Path) -> None:
    shown = must(service, "make config")
    assert re.search(r"variable=PORT", shown)
    for line in (service / ".env").read_text().splitlines():
        if re.match(r"\w+_PASSWORD=", line):
            assert line.partition("=")[2] not in shown


def test_make_help_lists_what_there_is(service: Path) -> None:
    listed = set(re.findall(r"make (\w+)", must(service, "make")))
    assert listed >= {"setup", "run", "test", "check", "format", "lock", "up", "down"}


@pytest.fixture
def ports() -> dict[str, str]:
    web, metrics = free_ports(2)
    return {"PORT": str(web), "METRICS_PORT": str(metrics)}


def wait_until_it_listens(process: subprocess.Popen[str], ports: dict[str, str]) -> None:
    assert process.stdout
    says_so = re.compile(rf"listening .*port={ports['PORT']}\b")
    assert any(says_so.search(line) for line in process.stdout)


@pytest.fixture
def running(service: Path, ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`make run`, until it says where it serves."""
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
            wait_until_it_listens(process, ports)
            yield process
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_make_run_serves_and_serves_again_after_an_edit(
    service: Path, running: subprocess.Popen[str], ports: dict[str, str]
) -> None:
    url = f"http://localhost:{ports['PORT']}"
    assert httpx.get(f"{url}/readyz").status_code == 200
    (main,) = service.glob("src/*/main.py")
    before = main.read_text()
    main.write_text(f"{before}\n")
    try:
        wait_until_it_listens(running, ports)
        assert httpx.get(f"{url}/livez").status_code == 200
    finally:
        main.write_text(before)


def test_make_run_says_in_one_line_that_a_port_is_taken(
    service: Path, ports: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", int(ports["PORT"]))):
        done = sh(service, "make --silent run", **ports)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1
    assert f"PORT={ports['PORT']}" in said[0]


def test_without_uv_the_makefile_fetches_its_own(baker: Baker, tmp_path: Path) -> None:
    folder = baker.bake(database="none")
    broken = tmp_path / "uv"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{outside()['PATH']}"
    done = sh(folder, "make setup", PATH=path, MAKEFLAGS="")
    assert done.returncode == 0, done.stderr
    assert (folder / ".tools" / "bin" / "uv").exists()
    assert (folder / "uv.lock").exists()
