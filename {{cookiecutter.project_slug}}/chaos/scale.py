"""How thorough the experiments are: in full, or a part of it that `CHAOS_SCALE` names."""

import os

SCALE = float(os.environ.get("CHAOS_SCALE", "1"))


def scaled(full: float, least: float) -> float:
    """Return so much of the full number, but no less than what an experiment needs."""
    return max(least, full * SCALE)
