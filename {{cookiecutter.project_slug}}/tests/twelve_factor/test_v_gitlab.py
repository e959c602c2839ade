"""V. Build, release, run, by the pipeline: what has passed is built, once, and by pinned tools."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = [ROOT / ".gitlab-ci.yml", *sorted(ROOT.glob(".gitlab/ci/*.yml"))]
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]


def jobs() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in TEXTS:
        for name, part in yaml.safe_load(text).items():
            # A file may say more of a job that another file has.
            found[name] = found.get(name, {}) | part if isinstance(part, dict) else part
    return {name: job for name, job in found.items() if isinstance(job, dict) and "script" in job}


def test_the_image_is_built_after_the_checks_and_once() -> None:
    proof = re.compile("make (check|test|conformance)")
    tests = {name for name, job in jobs().items() if proof.search(str(job["script"]))}
    (builder,) = [job for job in jobs().values() if "make image" in str(job["script"])]
    assert len(tests) == 3
    assert tests <= set(builder["needs"])


def test_the_pipeline_runs_only_what_is_pinned_and_keeps_no_cache() -> None:
    images = [name for text in TEXTS for name in re.findall(r"(?:image|- name): (\S+)", text)]
    assert images
    assert [name for name in images if not re.search(r"@sha256:[0-9a-f]{64}$", name)] == []
    for text in TEXTS:
        assert not re.search(r"^ *cache:|curl|wget|(pip install)(?!.*==)", text, re.MULTILINE)
