"""Proposes what `make update` has merged as a pull request; a workflow runs it, with `gh`."""

import json

from dev.template import STATE, run
from dev.template_update import REPORT

AUTHOR = ["-c", "user.name=github-actions[bot]"]
AUTHOR += ["-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"]
LOGIN = ["-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential"]
WORKFLOWS = ".github/workflows"
LONGEST = 30_000
"""Characters of the report and of a patch; GitHub takes 65,536 of both."""
LEFT_OUT = """
## Left out

The token of a workflow may not push changes of workflows. Apply these by hand, on this branch:

```diff
{patch}
```
"""


def main() -> None:
    """Open a pull request of what was merged, unless there was one before, even if closed."""
    if not REPORT.exists():
        print("There is nothing to propose.")
        return
    title, _, body = REPORT.read_text().partition("\n")
    branch = f"template-{json.loads(STATE.read_text())['commit'][:12]}"
    asked = ["--head", branch, "--state", "all", "--json", "url", "--jq", ".[].url"]
    if before := run("gh", "pr", "list", *asked):
        print(f"It was proposed before: {before}")
        return
    run("git", "switch", "--create", branch)
    run("git", "add", "--all")
    body = body[:LONGEST]
    if patch := run("git", "diff", "--cached", "--", WORKFLOWS):
        run("git", "reset", "--quiet", "--", WORKFLOWS)
        body += LEFT_OUT.format(patch=patch[:LONGEST])
    run("git", *AUTHOR, "commit", "--quiet", "--message", title.removeprefix("# "))
    run("git", *LOGIN, "push", "--quiet", "origin", branch)
    opening = ["--head", branch, "--title", title.removeprefix("# "), "--body-file", "-"]
    print(run("gh", "pr", "create", *opening, said=body))


if __name__ == "__main__":
    main()
