"""The commands of a service's pipeline pass in a fresh checkout and leave it unchanged."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.findings import findings_in, verdict
from tests.support.needs import need_redis
from tests.support.pipeline_steps import NEED_DOCKER, STEPS, Step
from tests.support.variants import COMBINATIONS, IN_CI
from tools.pythons import UV, outside

AUTHOR = "-c user.name=Somebody -c user.email=somebody@example.com"
START = f"git init -qb main && git add -A && git {AUTHOR} commit -qm Start"


def sh(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a CI runner does."""
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    # Runners have uv on their path.
    path = f"{Path(shutil.which(UV) or UV).parent}{os.pathsep}{outside()['PATH']}"
    return run(*shell, cwd=folder, PATH=path, CI="true", NO_COLOR="1", **variables)


MARKS = {"make test": pytest.mark.minutes, "make conformance": pytest.mark.slow}
WITHOUT_DOCKER = [
    pytest.param(step, id=str(step), marks=[MARKS[step.run]] if step.run in MARKS else [])
    for step in STEPS
    if step.run not in NEED_DOCKER
]


@pytest.fixture(scope="session")
def checkout(
    cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Return a clone of a service that was set up and committed as its README describes."""

    @cache
    def clone(variant: str) -> Path:
        service = Baker(cookies_session).bake(**COMBINATIONS[variant])
        made = sh(service, f"make setup && {START}")
        assert made.returncode == 0, made.stderr
        folder = tmp_path_factory.mktemp("runner") / service.name
        assert sh(service, f"git clone -q . {folder}").returncode == 0
        return folder

    return clone


@pytest.mark.parametrize("step", WITHOUT_DOCKER)
@pytest.mark.parametrize("variant", IN_CI)
def test_a_step_passes_and_leaves_the_checkout_clean(
    checkout: Callable[[str], Path], variant: str, step: Step
) -> None:
    folder = checkout(variant)
    need_redis(folder)
    # Checks of the image are run by the tests that need Docker.
    variables = dict(step.variables) | {"CONFORMANCE_DOCKER": "no"}
    done = sh(folder, step.run, **variables)
    output = done.stdout + done.stderr
    verdict(variant, str(step), findings_in(output) if done.returncode else [], output)
    assert sh(folder, "git status --porcelain").stdout == ""


def test_the_steps_of_the_workflows_are_found() -> None:
    assert {step.run for step in STEPS} >= {"make check", "make test", *NEED_DOCKER}
    assert not [step for step in STEPS if re.search(r"\$\{\{", step.run)]
