"""V. Build, release, run: the pipeline builds one image after the checks, and releases that one."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "azure-pipelines.yml", *sorted(ROOT.glob("azure/*.yml"))]
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]


def test_one_stage_builds_the_image_after_all_checks() -> None:
    stages = [
        stage["parameters"]
        for text in TEXTS
        for stage in yaml.safe_load(text).get("stages", [])
        if "targets" in stage.get("parameters", {})
    ]
    checks = {s["stage"] for s in stages if s["targets"] in {"check", "test", "conformance"}}
    (builder,) = [stage for stage in stages if "image" in stage["targets"].split()]
    assert len(checks) == 3
    assert checks <= set(builder["needs"])


def test_tools_are_pinned_and_nothing_is_cached() -> None:
    machines = [name for text in TEXTS for name in re.findall(r"vmImage: (\S+)", text)]
    assert machines
    assert [name for name in machines if not re.search(r"-\d+\.\d+$", name)] == []
    tasks = [name for text in TEXTS for name in re.findall(r"task: (\S+)", text)]
    assert [name for name in tasks if not re.search(r"@\d+$", name)] == []
    for text in TEXTS:
        assert not re.search(r"Cache@|curl|wget|(pipx? install)(?!.*==)", text)
        assert not re.search(r"persistCredentials: \W?true", text)
