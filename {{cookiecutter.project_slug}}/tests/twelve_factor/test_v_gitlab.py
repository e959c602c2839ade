"""V. Build, release, run: the pipeline builds one image after the checks, and releases that one."""

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
            # One file may extend a job of another.
            found[name] = found.get(name, {}) | part if isinstance(part, dict) else part
    return {name: job for name, job in found.items() if isinstance(job, dict) and "script" in job}


def test_one_job_builds_the_image_after_all_checks() -> None:
    check = re.compile("make (check|test|conformance)")
    checks = {name for name, job in jobs().items() if check.search(str(job["script"]))}
    (builder,) = [job for job in jobs().values() if "make image" in str(job["script"])]
    assert len(checks) == 3
    assert checks <= set(builder["needs"])


def test_tools_are_pinned_and_nothing_is_cached() -> None:
    images = [name for text in TEXTS for name in re.findall(r"(?:image|- name): (\S+)", text)]
    assert images
    assert [name for name in images if not re.search(r"@sha256:[0-9a-f]{64}$", name)] == []
    for text in TEXTS:
        assert not re.search(r"^ *cache:|(curl|wget) -|(pip install)(?!.*==)", text, re.MULTILINE)
