"""How thorough the experiments are, in full or a part of it, and how hard they ask."""

import os

SCALE = float(os.environ.get("CHAOS_SCALE", "1"))
RATE = float(os.environ.get("CHAOS_RATE", "200"))
"""Requests a second: what the machine can carry beside the load itself, or there is no telling."""


def scaled(full: float, least: float) -> float:
    """Return so much of the full number, but no less than what an experiment needs."""
    return max(least, full * SCALE)
