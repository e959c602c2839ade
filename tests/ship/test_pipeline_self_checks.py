"""A service's own tests of its pipeline pass, and find faults."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ci_services import Services
from tests.support.editing import edited
from tools.ci_dialects import SCHEMAS
from tools.pythons import outside

V_FAULTS = [
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
    """Run what a service itself says of its pipeline; it needs nothing but YAML."""
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-c", os.devnull, f"tests/twelve_factor/test_v_{provider}.py"],
        cwd=service,
        env=outside(),
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("provider", SCHEMAS)
def test_a_service_proves_its_own_pipeline(services: Services, provider: str) -> None:
    assert fifth_factor(services(provider), provider) == 0


@pytest.mark.parametrize("fault", V_FAULTS, ids=" ".join)
def test_a_service_finds_a_fault_of_its_pipeline(
    services: Services, tmp_path: Path, fault: tuple[str, str, str, str]
) -> None:
    provider, path, old, new = fault
    copy = tmp_path / "service"
    shutil.copytree(services(provider), copy, ignore=shutil.ignore_patterns(".venv"))
    (copy / path).write_text(edited((copy / path).read_text(), old, new))
    assert fifth_factor(copy, provider) == 1
