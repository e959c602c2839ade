"""Proposes what `make update` has merged as a pull request of Azure Repos."""

import os
import sys

from dev.proposal import commit, is_pushed, proposal
from dev.template import run

NEEDED = (
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_TEAMPROJECT",
    "BUILD_REPOSITORY_NAME",
)
"""Who may do it, which is handed on by name, and where."""
LONGEST = 4_000
"""Characters that Azure Repos takes for a description."""


def main() -> None:
    """Push a branch and open its pull request, unless it is there already."""
    proposed = proposal()
    if proposed is None:
        return
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        sys.exit(f"{missing[0]} is not set: this runs in a pipeline of Azure")
    token, organization, project, repository = (os.environ[name] for name in NEEDED)
    # By the environment: the token stands on no command line.
    os.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraheader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}",
        "AZURE_DEVOPS_EXT_PAT": token,
    }
    if is_pushed(proposed):
        return
    commit(proposed, "Azure Pipelines", "ci@example.com")
    run("git", "push", "--quiet", "origin", proposed.branch)
    opening = {
        "organization": organization,
        "project": project,
        "repository": repository,
        "source-branch": proposed.branch,
        "target-branch": "main",
        "title": proposed.title,
        "description": proposed.body.strip()[:LONGEST],
        "query": "pullRequestId",
        "output": "tsv",
    }
    told = [f"--{name}={said}" for name, said in opening.items()]
    print(f"Pull request {run('az', 'repos', 'pr', 'create', *told)} is open.")


if __name__ == "__main__":
    main()
