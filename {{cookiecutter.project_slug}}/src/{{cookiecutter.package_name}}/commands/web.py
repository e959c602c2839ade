"""Serve HTTP."""

from argparse import Namespace

from ..main import serve
from ..settings import Settings


def run(settings: Settings, _: Namespace) -> int:
    """Serve until told to stop."""
    return serve(settings)
