"""V. Build, release, run, by the pipeline: what has passed is built, once, and by pinned tools."""

import json
import re

import yaml

from ..figures import Figures
from .subject import ROOT

WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def test_the_image_is_built_after_the_checks_and_once() -> None:
    jobs = {
        name: (job, json.dumps(job["steps"]))
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
    }
    builders = [job for job, steps in jobs.values() if "make image" in steps]
    assert len(builders) == 1
    proof = re.compile("make (check|test|conformance)")
    tests = {name for name, (_, steps) in jobs.items() if proof.search(steps)}
    assert tests
    assert tests <= set(builders[0]["needs"])


def test_the_pipeline_runs_only_what_is_pinned_and_may_do_next_to_nothing(
    measured: Figures,
) -> None:
    used = 0
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        assert yaml.safe_load(text)["permissions"] == {}
        actions = re.findall(r"uses: *(\S+)", text)
        used += len(actions)
        assert [each for each in actions if not re.search(r"@[0-9a-f]{40}$", each)] == []
        assert not re.search(r"run:.*github\.event", text)
    measured("pinned", used, "actions", at_least=1)
