"""Every command of a service's `AGENTS.md` succeeds, in order, in a new service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.baking import Baker
from tests.support.commands import must_run, run
from tools.pythons import UV

TESTED_ELSEWHERE = {"make run", "make conformance"}
"""By `test_readme_commands`, which serves and stops, and `test_pipeline_steps`."""
COMMAND = re.compile(r"^(.+?) +# ", re.MULTILINE)


def commands(service: Path) -> list[str]:
    """Return the commands in the blocks of shell commands, each of which has a comment."""
    text = (service / "AGENTS.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found = COMMAND.findall("".join(blocks))
    assert len(found) == "".join(blocks).count("\n") > 5
    return found


@pytest.mark.parametrize("variant", ["default", "bare", "full"])
def test_the_page_is_short_and_names_only_targets_of_the_makefile(
    rendered: Callable[[str], Path], variant: str
) -> None:
    service = rendered(variant)
    text = (service / "AGENTS.md").read_text()
    assert len(text.splitlines()) <= 60
    targets = re.findall(r"^([a-z-]+):", (service / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z -]+?) *(?:`|#)", text, re.MULTILINE)
    assert {target for line in named for target in line.split()} <= set(targets)


@pytest.mark.minutes
@pytest.mark.slow
@pytest.mark.parametrize("answers", [{}, {"database": "none", "ci": "none"}], ids=str)
def test_every_command_succeeds(baker: Baker, answers: dict[str, Any]) -> None:
    service = baker.bake(**answers)
    page = commands(service)
    assert page[0] == "make setup"
    must_run("make", f"UV={UV}", "setup", cwd=service)
    git = "git init --quiet --initial-branch main && git add --all && git -c user.name=a"
    must_run("sh", "-c", f"{git} -c user.email=a@example.com commit --quiet -m Start", cwd=service)
    assert set(page) > TESTED_ELSEWHERE
    for command in page[1:]:
        if command in TESTED_ELSEWHERE:
            continue
        path = f"{Path(UV).parent}:" if "/" in UV else ""
        done = run("sh", "-c", f"PATH={path}$PATH; {command}", cwd=service)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert must_run("git", "status", "--porcelain", cwd=service) == ""
