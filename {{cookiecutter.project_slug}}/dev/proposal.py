"""What `make update` has merged, as a branch; where it is proposed the platform of CI knows."""

import json
from dataclasses import dataclass

from dev.template import STATE, run
from dev.template_update import REPORT

LONGEST = 30_000
"""Characters of a description; platforms take little more."""


@dataclass(frozen=True)
class Proposal:
    """A branch of one commit, and what is said of it."""

    branch: str
    title: str
    body: str


def proposal() -> Proposal | None:
    """Return what is to be proposed; if nothing was merged, say so and return nothing."""
    if not REPORT.exists():
        print("There is nothing to propose.")
        return None
    title, _, body = REPORT.read_text().partition("\n")
    branch = f"template-{json.loads(STATE.read_text())['commit'][:12]}"
    return Proposal(branch, title.removeprefix("# "), body[:LONGEST])


def is_pushed(proposed: Proposal) -> bool:
    """Tell whether the branch is there already, and say so: then it was proposed before."""
    found = run("git", "ls-remote", "--heads", "origin", f"refs/heads/{proposed.branch}")
    if found:
        print(f"It was proposed before: {proposed.branch}")
    return bool(found)


def commit(proposed: Proposal, name: str, email: str) -> None:
    """Put all that was merged on its branch, in somebody's name."""
    author = ["-c", f"user.name={name}", "-c", f"user.email={email}"]
    run("git", "switch", "--create", proposed.branch)
    run("git", "add", "--all")
    run("git", *author, "commit", "--quiet", "--message", proposed.title)
