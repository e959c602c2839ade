"""The twelve factors: images keep to them, each check finds its fault, words prove nothing."""

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.mutants import MUTANTS, SUBJECT, Mutant
from tests.support.needs import docker_is_running, need_redis
from tests.support.running import Installed, install
from tests.support.template_releases import commit, git
from tests.support.variants import COMBINATIONS, IN_CI
from tools.pythons import outside

CHECKS = "tests/twelve_factor"


def committed(cookies: Cookies, variant: str, **others: bool) -> Installed:
    """Render, install and commit a service, as its README says."""
    service = install(Baker(cookies).bake(**COMBINATIONS[variant] | others))
    commit(service.folder)
    return service


def outcomes(service: Installed, *arguments: str, **variables: str) -> dict[str, set[str]]:
    """Run checks, without Docker unless told otherwise; return the names of each outcome."""
    report = service.folder / ".reports" / "outcomes.xml"
    report.unlink(missing_ok=True)
    pytest_ = [service.python, "-m", "pytest", "--quiet", f"--junitxml={report}", *arguments]
    environment = outside() | {"CONFORMANCE_DOCKER": "no"} | variables
    done = subprocess.run(
        pytest_, cwd=service.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # We wrote it.
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "passed"
        found[outcome].add(case.attrib["name"].partition("[")[0])
    found["passed"] -= found["failed"]
    return found


@pytest.mark.containers
@pytest.mark.skipif(not docker_is_running(), reason="no Docker engine answers `docker info`")
@pytest.mark.parametrize("variant", IN_CI)
def test_its_image_keeps_to_them(cookies_session: Cookies, variant: str) -> None:
    service = committed(cookies_session, variant)
    need_redis(service.folder)
    found = outcomes(service, CHECKS, "-k", "image or compose or release", CONFORMANCE_DOCKER="yes")
    assert found["failed"] == set()
    assert found["skipped"] == set()
    assert len(found["passed"]) > 15


@pytest.fixture(scope="module")
def subject(cookies_session: Cookies) -> Installed:
    """The service that is given one fault after another."""
    service = committed(cookies_session, "default", **SUBJECT)
    # The first start compiles every module, which may take longer than checks of faults wait.
    assert service.run("openapi").returncode == 0
    return service


@contextmanager
def mutated(service: Installed, mutant: Mutant) -> Iterator[None]:
    """Commit a fault for a while."""
    git(service.folder, "tag", "--force", "sound")
    try:
        mutant.apply(service.folder)
        git(service.folder, "add", "--all")
        git(service.folder, "commit", "--quiet", "--message", mutant.fault)
        yield
    finally:
        git(service.folder, "reset", "--quiet", "--hard", "sound")


def test_there_are_mutants_of_every_factor() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.fault for mutant in MUTANTS}) == len(MUTANTS)
    factors = [mutant.factor.partition("_")[0] for mutant in MUTANTS]
    for numeral in ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"):
        assert factors.count(numeral) >= 2, numeral


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(
            mutant, id=mutant.fault.replace(" ", "-"), marks=pytest.mark.xdist_group(mutant.factor)
        )
        for mutant in MUTANTS
    ],
)
def test_a_fault_is_found_by_the_check_that_looks_for_it(
    subject: Installed, mutant: Mutant
) -> None:
    with mutated(subject, mutant):
        check = f"{CHECKS}/test_{mutant.factor}.py"
        found = outcomes(subject, check, PATIENCE_SECONDS="8")
    assert found["failed"] == {mutant.check, *mutant.also}


@pytest.mark.slow
def test_mere_words_prove_nothing(subject: Installed) -> None:
    (package,) = (path.parent for path in subject.folder.glob("src/*/__main__.py"))
    words = '"""Handles SIGTERM, /livez, /readyz, DATABASE_URL, PORT, logs as JSON, stateless."""\n'
    try:
        for path in package.rglob("*.py"):
            path.write_text(words, encoding="utf-8")
        for name in ("Dockerfile", "compose.yaml", "Makefile", ".env.example"):
            (subject.folder / name).write_text("# twelve-factor, non-root, healthcheck\n")
        done = subprocess.run(
            [subject.python, "-m", "pytest", "--quiet", CHECKS],
            cwd=subject.folder,
            env=outside(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        git(subject.folder, "reset", "--quiet", "--hard")
    assert done.returncode != 0
    assert " passed" not in done.stdout
