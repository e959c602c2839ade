"""Serve HTTP."""

from argparse import ArgumentParser, Namespace

from ..main import serve
from ..settings import Settings


def add_options(_: ArgumentParser) -> None:
    """None: the environment says it all."""


def run(settings: Settings, _: Namespace) -> int:
    """Serve until told to stop."""
    return serve(settings)
