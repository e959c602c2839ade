"""V. Build, release, run, by the pipeline: what has passed is built, once, and by pinned tools."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".circleci/config.yml").read_text(encoding="utf-8")


def test_the_image_is_built_after_the_checks_and_once() -> None:
    workflows = yaml.safe_load(TEXT)["workflows"].values()
    jobs = [job["make"] for workflow in workflows for job in workflow["jobs"] if "make" in job]
    tests = {job["name"] for job in jobs if job["targets"] in {"check", "test", "conformance"}}
    (builder,) = [job for job in jobs if "image" in job["targets"].split()]
    assert len(tests) == 3
    assert tests <= set(builder["requires"])


def test_the_pipeline_runs_only_what_is_pinned_and_keeps_no_cache() -> None:
    images = re.findall(r'image: "([^"]+)"', TEXT)
    assert images
    pinned = re.compile(r"@sha256:[0-9a-f]{64}$|^ubuntu-\d{4}:\d{4}\.\d\d\.\d$")
    assert [name for name in images if not pinned.search(name)] == []
    assert not re.search(r"^orbs:|_cache|curl|wget|(pip install)(?!.*==)", TEXT, re.MULTILINE)
