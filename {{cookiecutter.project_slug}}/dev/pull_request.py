"""Proposes what `make update` has merged as a pull request; a workflow runs it, with `gh`."""

from dev.proposal import LONGEST, proposal
from dev.template import run

AUTHOR = ["-c", "user.name=github-actions[bot]"]
AUTHOR += ["-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"]
LOGIN = ["-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential"]
WORKFLOWS = ".github/workflows"
LEFT_OUT = """
## Left out

The token of a workflow may not push changes of workflows. Apply these by hand, on this branch:

```diff
{patch}
```
"""


def main() -> None:
    """Open a pull request of what was merged, unless there was one before, even if closed."""
    proposed = proposal()
    if proposed is None:
        return
    branch, body = proposed.branch, proposed.body
    asked = ["--head", branch, "--state", "all", "--json", "url", "--jq", ".[].url"]
    if before := run("gh", "pr", "list", *asked):
        print(f"It was proposed before: {before}")
        return
    run("git", "switch", "--create", branch)
    run("git", "add", "--all")
    if patch := run("git", "diff", "--cached", "--", WORKFLOWS):
        run("git", "reset", "--quiet", "--", WORKFLOWS)
        body += LEFT_OUT.format(patch=patch[:LONGEST])
    run("git", *AUTHOR, "commit", "--quiet", "--message", proposed.title)
    run("git", *LOGIN, "push", "--quiet", "origin", branch)
    opening = ["--head", branch, "--title", proposed.title, "--body-file", "-"]
    print(run("gh", "pr", "create", *opening, said=body))


if __name__ == "__main__":
    main()
