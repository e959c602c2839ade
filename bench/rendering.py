"""The `cookiecutter` command, and how long it takes, on this template and on an empty one."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.pythons import ROOT

from .commands import run
from .environments import for_tools

RENDER_SECONDS = 60


def render(template: Path, output: Path, *answers: str) -> float:
    """Render into `output`, which must not exist yet; return the seconds that the command took."""
    output.mkdir()
    config = output / "config.yaml"  # Nothing is left in the home folder of who measures.
    config.write_text(f"replay_dir: {output}/replay\ncookiecutters_dir: {output}/templates\n")
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--config-file", str(config)]
    command += ["--output-dir", str(output), str(template), *answers]
    environment = for_tools(output)
    started = time.perf_counter()
    run(command, folder=output, environment=environment, seconds=RENDER_SECONDS)
    return time.perf_counter() - started


def render_seconds(times: int, work: Path) -> Iterator[tuple[float, float]]:
    """Yield the seconds that an empty template takes and that this one takes, in turn."""
    empty = _empty_template(work / "empty")
    for n in range(times):
        yield render(empty, work / f"empty-{n}"), render(ROOT, work / f"rendered-{n}")


def _empty_template(folder: Path) -> Path:
    inside = folder / "{{cookiecutter.name}}"
    inside.mkdir(parents=True)
    (inside / "file").touch()
    (folder / "cookiecutter.json").write_text('{"name": "name"}\n')
    return folder
