"""What the tests have: an environment, the real process, what it is attached to."""

from tests.conftest import *  # noqa: F403
