"""A service's factor V checks pass for its pipeline, and find mutants of it."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.editing import edit
from tests.support.pipelines import AWS, FEATURES, Features, Services
from tools.ci_dialects import SCHEMAS

MUTANTS = [
    ("gitlab", ".gitlab/ci/check.yml", "needs: [check, test, conformance]", "needs: [check]"),
    ("gitlab", ".gitlab-ci.yml", "uv==0.13.8", "uv"),
    ("azure", "azure/check.yml", "needs: [check, test, conformance]", "needs: [check]"),
    ("azure", "azure/steps.yml", "uv==0.13.8", "uv"),
    (
        "circleci",
        ".circleci/config.yml",
        "requires: [check, test, conformance]",
        "requires: [check]",
    ),
    ("circleci", ".circleci/config.yml", "2404:2026.05.1", "2404:current"),
]


def fifth_factor(service: Path, provider: str) -> int:
    """Run the factor V checks of a service, which only parse its files; return the exit status."""
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, f"tests/twelve_factor/test_v_{provider}.py"]
    return run(*command, cwd=service).returncode


@pytest.mark.parametrize("features", [FEATURES[-1], AWS], ids="-".join)
@pytest.mark.parametrize("provider", SCHEMAS)
def test_the_checks_pass(services: Services, provider: str, features: Features) -> None:
    assert fifth_factor(services(provider, features), provider) == 0


@pytest.mark.parametrize("mutant", MUTANTS, ids=" ".join)
def test_the_checks_find_a_mutant(
    services: Services, tmp_path: Path, mutant: tuple[str, str, str, str]
) -> None:
    provider, path, old, new = mutant
    copy = tmp_path / "service"
    shutil.copytree(services(provider), copy, ignore=shutil.ignore_patterns(".venv"))
    edit(copy / path, old, new)
    assert fifth_factor(copy, provider) == 1
