"""Proposes what `make update` has merged as a merge request, by what the job itself may do."""

import os
import sys

from dev.proposal import commit, is_pushed, proposal
from dev.template import run

NEEDED = ("CI_JOB_TOKEN", "CI_SERVER_URL", "CI_PROJECT_PATH", "CI_DEFAULT_BRANCH")


def main() -> None:
    """Push a branch that opens its merge request, unless it is there already."""
    proposed = proposal()
    if proposed is None or is_pushed(proposed):
        return
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        sys.exit(f"{missing[0]} is not set: this runs in a job of GitLab")
    token, server, project, main_branch = (os.environ[name] for name in NEEDED)
    commit(proposed, "GitLab CI", "ci@example.com")
    # An option is one line; in it GitLab takes these two characters for a line end.
    body = proposed.body.strip().replace("\n", "\\n")
    opening = {"target": main_branch, "title": proposed.title, "description": body}
    options = ["create", *(f"{name}={said}" for name, said in opening.items())]
    # By the environment: the token stands on no command line.
    login = f"{server.replace('://', f'://gitlab-ci-token:{token}@', 1)}/{project}.git"
    run(
        *("git", "push", "--quiet", *(f"--push-option=merge_request.{each}" for each in options)),
        *("job", proposed.branch),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="remote.job.url",
        GIT_CONFIG_VALUE_0=login,
    )
    print(f"{proposed.branch} is proposed.")


if __name__ == "__main__":
    main()
