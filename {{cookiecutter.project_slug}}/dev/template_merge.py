"""Merges what the template renders now into a service that has been edited since it was rendered.

`cruft` renders. Git merges, as it merges branches: `cruft update` would send a patch, which is
refused wherever git has lost the file as it was rendered, and wherever an edited file is to go.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from dev.template import ROOT, STATE, Template, run

CRUFT = [os.environ.get("UV", "uv"), "tool", "run", "--quiet", "cruft==2.16.0"]
NOBODY = ["git", "-c", "user.name=template", "-c", "user.email=template@localhost"]


def merge(template: Template, old: str, new: str, answers: dict[str, Any], folder: Path) -> None:
    """Merge the difference between two commits of the template, the new one with other answers."""
    state = json.loads(STATE.read_text())
    (given,) = state["context"].values()
    given = {name: value for name, value in given.items() if not name.startswith("_")}
    before = render(template, old, given, folder / "before")
    after = render(template, new, given | answers, folder / "after")
    rendered = json.loads((after / STATE.name).read_text())
    drop(owned(before, state.get("skip", [])), before, after)
    base = run(*NOBODY, "commit-tree", tree(before, folder), "-m", "Before")
    goal = run(*NOBODY, "commit-tree", tree(after, folder), "-p", base, "-m", "After")
    options = ["-c", "merge.directoryRenames=false"]
    command = [*NOBODY, *options, "cherry-pick", "--no-commit", goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and not run("git", "ls-files", "--unmerged"):
        sys.exit(f"make update: {done.stderr.strip()}")
    for context in rendered["context"].values():
        context["_template"] = state["template"]
    state |= {name: rendered[name] for name in ("commit", "checkout", "context")}
    STATE.write_text(json.dumps(state, ensure_ascii=False, indent=2) + "\n")


def render(template: Template, commit: str, answers: dict[str, Any], folder: Path) -> Path:
    """Render the template as it is at a commit; return the folder of the service."""
    folder.mkdir()
    options = ["--checkout", commit, "--output-dir", str(folder), "--no-input", "--default-config"]
    given = json.dumps(answers)
    run(*CRUFT, "create", str(template.folder), *options, "--extra-context", given)
    (service,) = folder.iterdir()
    return service


def owned(before: Path, skipped: list[str]) -> list[str]:
    """Return what is the owner's: patterns of what is to be skipped, and what was deleted."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    skipped = skipped + pyproject.get("tool", {}).get("cruft", {}).get("skip", [])
    paths = [str(path.relative_to(before)) for path in before.rglob("*")]
    return [STATE.name, *skipped, *(path for path in paths if not (ROOT / path).exists())]


def drop(patterns: list[str], *renders: Path) -> None:
    """Delete what these patterns match."""
    for service in renders:
        for path in [path for pattern in patterns for path in service.glob(pattern)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def tree(service: Path, folder: Path) -> str:
    """Let git know these files, at the place of the service in its repository."""
    top = folder / f"{service.parent.name}-tree"
    shutil.move(service, top / run("git", "rev-parse", "--show-prefix"))
    repository = ["--git-dir", run("git", "rev-parse", "--absolute-git-dir")]
    git = ["git", "-C", str(top), *repository, "--work-tree", str(top)]
    index = {"GIT_INDEX_FILE": str(folder / f"{top.name}-index")}
    run(*git, "add", "--all", "--force", ".", **index)
    return run(*git, "write-tree", **index)
