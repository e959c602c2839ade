"""Do jobs."""

from argparse import Namespace

from ..settings import Settings
from ..worker import serve


def run(settings: Settings, _: Namespace) -> int:
    """Do jobs until told to stop."""
    return serve(settings)
