"""Pushes what `make update` has merged as a branch; CircleCI has no repository to open more in."""

from dev.proposal import commit, is_pushed, proposal
from dev.template import run


def main() -> None:
    """Push the branch by the key of the checkout, if that may, and say what is next."""
    proposed = proposal()
    if proposed is None or is_pushed(proposed):
        return
    commit(proposed, "CircleCI", "ci@example.com")
    run("git", "push", "--quiet", "origin", proposed.branch)
    print(f"{proposed.branch} is pushed: open a pull request of it. {proposed.title}")
    print(proposed.body)


if __name__ == "__main__":
    main()
