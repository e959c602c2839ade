"""`make without-example`: no word of the example is left, and the service works without it."""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import make, must_run, run
from tests.support.inspection import INSPECTIONS
from tests.support.needs import need_redis
from tests.support.running import Installed, Web, install
from tests.support.template import FIRST
from tests.support.template_releases import commit, git

NAMES = {"project_name": "Billing API", "description": "Sends bills."}
EVERYTHING = {"redis": True, "kubernetes": True, "chaos": True}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "worker": {"worker": True, **EVERYTHING},
    "events": {"worker": True, "events": True, "broker": "nats"},
    "mongodb": {"database": "mongodb", **EVERYTHING},
    "same name": {"project_name": "Orders", "worker": True},
}
EXAMPLE = re.compile(
    r"\b[Oo]rders\b|\b[Aa]n order\b|\bOrder[A-Z]|\border_|[Ff]ulfil|keep_days|(?<!\.)\bcleanup\b"
)
INSPECTED = ("formats", "markdown", "links", "citations")


def committed(cookies: Cookies, variant: str) -> Path:
    """Render a service and commit it."""
    folder = Baker(cookies).bake(**NAMES | VARIANTS[variant])
    commit(folder)
    return folder


def remaining(service: Path) -> list[str]:
    """Return the lines that name the example."""
    return [
        f"{path}:{number}: {line}"
        for path in git(service, "ls-files").splitlines()
        if (service / path).exists()
        for number, line in enumerate((service / path).read_text(encoding="utf-8").splitlines(), 1)
        if EXAMPLE.search(line)
    ]


@pytest.mark.parametrize("variant", ["default", "worker", "events", "mongodb"])
def test_no_word_of_the_example_is_left(cookies_session: Cookies, variant: str) -> None:
    service = committed(cookies_session, variant)
    assert len(remaining(service)) > 100
    must_run(sys.executable, "-m", "dev.without_example", cwd=service)
    (service / ".env.example").unlink()  # `make docs` generates it.
    assert remaining(service) == []


def test_the_example_is_removed_only_from_a_commit_and_only_once(cookies_session: Cookies) -> None:
    service = committed(cookies_session, "default")
    script = [sys.executable, "-m", "dev.without_example"]
    (service / "notes.txt").write_text("not committed")
    rejected = run(*script, cwd=service)
    assert rejected.returncode == 1
    assert len(rejected.stderr.splitlines()) == 1
    assert git(service, "status", "--porcelain").split() == ["??", "notes.txt"]
    (service / "notes.txt").unlink()
    (main,) = service.glob("src/*/main.py")
    main.write_text(main.read_text().replace("orders.router,", "*[\norders.router\n],"))
    resources = next(service.glob("src/*/resources.py"))
    resources.write_text(resources.read_text().replace("orders=orders,", "orders=(\norders),"))
    commit(service)
    rejected = run(*script, cwd=service)
    assert rejected.returncode == 1
    assert "resources.py" in rejected.stderr
    assert git(service, "status", "--porcelain") == ""


def test_make_removes_the_example_once(cookies_session: Cookies) -> None:
    service = without_example(cookies_session, "default").folder
    again = make(service, "without-example")
    assert again.returncode == 2
    assert "No rule" in again.stderr


def without_example(cookies: Cookies, variant: str) -> Installed:
    """Return an installed service whose example was removed; it is committed and checked."""
    service = install(Baker(cookies).bake(**NAMES | VARIANTS[variant]))
    commit(service.folder)
    for target in ("without-example", "check"):
        done = make(service.folder, target)
        assert done.returncode == 0, done.stdout + done.stderr
    commit(service.folder)
    answers = FIRST | NAMES | VARIANTS[variant] | {"package_name": service.package}
    with TemporaryDirectory() as files:  # Without those of git and of tools.
        git(service.folder, "checkout-index", "--all", f"--prefix={files}/")
        for inspection in INSPECTED:
            assert list(INSPECTIONS[inspection](Path(files), answers)) == []
    return service


@pytest.mark.slow
def test_the_service_passes_its_tests_and_the_checks_of_the_factors(
    cookies_session: Cookies,
) -> None:
    service = without_example(cookies_session, "default")
    done = make(service.folder, "test", "conformance", CONFORMANCE_DOCKER="no")
    assert done.returncode == 0, done.stdout
    assert "not applicable: no resource yet" in done.stdout
    assert not re.search(r"\d failed", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["worker", "events", "same name"])
def test_the_worker_runs_without_tasks(cookies_session: Cookies, variant: str) -> None:
    service = without_example(cookies_session, variant)
    need_redis(service.folder)
    check = "tests/twelve_factor/test_viii_concurrency.py"
    tests = [service.python, "-m", "pytest", "--quiet", "tests/test_app.py", check]
    must_run(*tests, cwd=service.folder)


@pytest.mark.slow
def test_the_service_with_mongodb_migrates_and_is_ready(
    cookies_session: Cookies, mongodb_url: str
) -> None:
    service = without_example(cookies_session, "mongodb")
    variables = {"mongodb_url": mongodb_url, "redis_url": "redis://127.0.0.1:1"}
    done = service.run("migrate", **variables)
    assert done.returncode == 0, done.stdout
    with Web(service, **variables) as web:
        web.wait_until_ready()
        assert web.get("/openapi.json").json()["paths"].keys() >= {"/livez", "/version"}
