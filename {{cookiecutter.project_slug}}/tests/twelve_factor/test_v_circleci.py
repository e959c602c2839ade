"""V. Build, release, run: the pipeline builds one image after the checks, and releases that one."""

import re
from pathlib import Path

import yaml

TEXT = (Path(__file__).parents[2] / ".circleci/config.yml").read_text(encoding="utf-8")


def test_one_job_builds_the_image_after_all_checks() -> None:
    workflows = yaml.safe_load(TEXT)["workflows"].values()
    jobs = [job["make"] for workflow in workflows for job in workflow["jobs"] if "make" in job]
    checks = {job["name"] for job in jobs if job["targets"] in {"check", "test", "conformance"}}
    (builder,) = [job for job in jobs if "image" in job["targets"].split()]
    assert len(checks) == 3
    assert checks <= set(builder["requires"])


def test_tools_are_pinned_and_nothing_is_cached() -> None:
    images = re.findall(r'image: "([^"]+)"', TEXT)
    assert images
    pinned = re.compile(r"@sha256:[0-9a-f]{64}$|^ubuntu-\d{4}:\d{4}\.\d\d\.\d$")
    assert [name for name in images if not pinned.search(name)] == []
    assert not re.search(r"^orbs:|_cache|curl|wget|(pip install)(?!.*==)", TEXT, re.MULTILINE)
