"""`make update`: brings the template's newest release, or other answers to it, and reports."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dev.template import ROOT, STATE, Template, run
from dev.template_merge import merge
from dev.template_report import conflicts, news

REPORT = ROOT / ".reports" / "template-update.md"
"""What was done, for people; the first line is a title."""
UNLINKED = (
    "There is nothing to check, for no .cruft.json says which template this is made from."
    " To link it: uvx cruft link ADDRESS --checkout RELEASE"
)


def main(answers: dict[str, Any]) -> None:
    """Update this service and write what came of it, or say in one line why not."""
    REPORT.unlink(missing_ok=True)
    if not STATE.exists():
        print(UNLINKED)
        return
    if run("git", "status", "--porcelain"):
        sys.exit("make update: commit your changes first, so that none is lost")
    state = json.loads(STATE.read_text())
    (given,) = state["context"].values()
    if unknown := sorted(name for name in answers if name not in given or name.startswith("_")):
        sys.exit(f"make update: there is no question {', '.join(unknown)}")
    with TemporaryDirectory() as folder:
        template = Template(state["template"], Path(folder) / "template")
        old = state["commit"]
        new = old if answers else template.newest()
        if not answers and template.holds(old, new):
            print(f"Nothing to do: this is made from {template.name(old)}, the newest.")
            return
        merge(template, old, new, answers, Path(folder))
        brought = f"answers {json.dumps(answers)}" if answers else template.name(new)
        before = f"This was made from {template.name(old)}. {relock()}"
        report = [f"# Template: {brought}", "", before, "", *conflicts()]
        report += news(template.changelog(old), template.changelog(new))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(report) + "\n")
    print(REPORT.read_text(), end="")


def relock() -> str:
    """Bring `uv.lock` to what pyproject.toml says now; return what is left to do."""
    if (ROOT / "uv.lock").exists():
        command = [os.environ.get("UV", "uv"), "lock", "--quiet"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return "`pyproject.toml` could not be resolved: mend it, then `uv lock`."
    return "Next: `make setup check test`."


if __name__ == "__main__":
    main(json.loads(os.environ.get("ANSWERS") or "{}"))
