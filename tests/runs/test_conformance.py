"""The checks of the twelve factors pass for images, find mutants, and ignore mere words."""

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.mutants import MUTANTS, Mutant
from tests.support.needs import docker_is_running, need_redis
from tests.support.running import Installed, install
from tests.support.template_releases import commit, git
from tests.support.variants import COMBINATIONS, IN_CI
from tools.pythons import outside
from tools.tour.step import read_all

CHECKS = "tests/twelve_factor"
IN_THE_TOUR = {step.bug for step in read_all()}
"""Bugs whose checks run in the tests of the tour."""
NOTHING_ELSE: dict[str, set[str]] = {"failed": set(), "skipped": set()}


def committed(cookies: Cookies, variant: str, **answers: Any) -> Installed:
    """Render, install and commit a service."""
    service = install(Baker(cookies).bake(**COMBINATIONS[variant], **answers))
    commit(service.folder)
    return service


def outcomes(service: Installed, *arguments: str, **variables: str) -> dict[str, set[str]]:
    """Run checks, by default without Docker; return the names of the tests by outcome."""
    report = service.folder / ".reports" / "outcomes.xml"
    report.unlink(missing_ok=True)
    pytest_ = [service.python, "-m", "pytest", "--quiet", f"--junitxml={report}", *arguments]
    environment = outside() | {"CONFORMANCE_DOCKER": "no"} | variables
    done = subprocess.run(
        pytest_, cwd=service.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # It is trusted.
        tags = {child.tag for child in case}
        failed, skipped = tags & {"failure", "error"}, "skipped" in tags
        outcome = "failed" if failed else "skipped" if skipped else "passed"
        found[outcome].add(case.attrib["name"].partition("[")[0])
    found["passed"] -= found["failed"]
    return found


@pytest.mark.containers
@pytest.mark.skipif(not docker_is_running(), reason="the Docker engine is unavailable")
@pytest.mark.parametrize("variant", IN_CI)
def test_the_image_passes_the_checks(cookies_session: Cookies, variant: str) -> None:
    service = committed(cookies_session, variant)
    need_redis(service.folder)
    found = outcomes(service, CHECKS, "-k", "image or compose or release", CONFORMANCE_DOCKER="yes")
    assert found["failed"] == set()
    assert found["skipped"] == set()
    assert len(found["passed"]) > 15


@pytest.mark.slow
def test_workers_without_events_pass_the_checks(cookies_session: Cookies) -> None:
    """With events, as in the fullest variant, a service has no module of these checks."""
    service = committed(cookies_session, "worker-yes")
    found = outcomes(service, f"{CHECKS}/test_ix_workers.py")
    assert found == {"passed": {"test_jobs_survive_the_end_of_their_worker"}, **NOTHING_ELSE}


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Installed:
    """Return the service that one bug after another is put into."""
    service = committed(cookies_session, "default", release=True)
    # The first start compiles all modules, which may exceed the timeouts of the checks.
    assert service.run("openapi").returncode == 0
    return service


@contextmanager
def mutated(service: Installed, mutant: Mutant) -> Iterator[None]:
    """Commit a bug, and remove it afterwards."""
    git(service.folder, "tag", "--force", "without-bugs")
    try:
        mutant.apply(service.folder)
        git(service.folder, "add", "--all")
        git(service.folder, "commit", "--quiet", "--message", mutant.bug)
        yield
    finally:
        git(service.folder, "reset", "--quiet", "--hard", "without-bugs")


def test_every_factor_has_mutants() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.bug for mutant in MUTANTS}) == len(MUTANTS)
    factors = [mutant.factor.partition("_")[0] for mutant in MUTANTS]
    for numeral in ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"):
        assert factors.count(numeral) >= 2, numeral


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=mutant.id, marks=pytest.mark.xdist_group(mutant.factor))
        for mutant in MUTANTS
        if mutant.bug not in IN_THE_TOUR
    ],
)
def test_the_check_of_a_mutant_finds_it(service: Installed, mutant: Mutant) -> None:
    with mutated(service, mutant):
        check = f"{CHECKS}/test_{mutant.factor}.py::{mutant.check}"
        found = outcomes(service, check, TEST_TIMEOUT_SECONDS="8")
    assert found == {"passed": set(), "failed": {mutant.check}, "skipped": set()}


@pytest.mark.slow
def test_the_checks_of_a_release_pass_without_bugs(service: Installed) -> None:
    # `make conformance`, a step of the pipelines, shows it for all other checks.
    found = outcomes(service, f"{CHECKS}/test_v_github_release.py")
    assert found["passed"]
    assert not found["failed"] | found["skipped"]


@pytest.mark.slow
def test_before_the_first_commit_one_check_fails(cookies_session: Cookies) -> None:
    service = install(Baker(cookies_session).bake(database="none"))
    found = outcomes(service, CHECKS)
    assert found["failed"] == {"test_the_service_is_committed"}
    assert len(found["passed"]) > 50


@pytest.mark.slow
def test_words_without_code_pass_no_check(service: Installed) -> None:
    (package,) = (path.parent for path in service.folder.glob("src/*/__main__.py"))
    words = '"""Handles SIGTERM, /livez, /readyz, DATABASE_URL, PORT, logs as JSON, stateless."""\n'
    try:
        for path in package.rglob("*.py"):
            path.write_text(words, encoding="utf-8")
        for name in ("Dockerfile", "compose.yaml", "Makefile", ".env.example"):
            (service.folder / name).write_text("# twelve-factor, non-root, healthcheck\n")
        done = subprocess.run(
            [service.python, "-m", "pytest", "--quiet", CHECKS],
            cwd=service.folder,
            env=outside(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        git(service.folder, "reset", "--quiet", "--hard")
    assert done.returncode != 0
    assert " passed" not in done.stdout
