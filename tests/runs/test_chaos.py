"""The experiments of a rendered service work, briefly; in full they are for its owner."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.needs import need_redis
from tests.support.template import FIRST, expected_files
from tests.support.variants import ROWS
from tools.pythons import UV, outside

NEED_PROGRAMS = {
    "test_rolling_restart_behind_haproxy.py",
    "test_slow_clients.py",
}
"""What may give no figure: it needs haproxy or slowhttptest."""


def experiments(variant: str) -> int:
    """Return how many experiments a variant has."""
    found = expected_files(FIRST | {"package_name": "p"} | ROWS[variant])
    return sum(path.startswith("chaos/test_") for path in found)


FEWEST = min(filter(experiments, ROWS), key=experiments)


def test_variants_have_all_experiments_some_or_none() -> None:
    numbers = set(map(experiments, ROWS))
    assert numbers == {0, experiments(FEWEST), experiments("chaos-yes")}
    assert experiments(FEWEST) < experiments("chaos-yes")


@pytest.mark.serial
@pytest.mark.parametrize("variant", ["chaos-yes", FEWEST])
def test_brief_experiments_give_figures(rendered: Callable[[str], Path], variant: str) -> None:
    service = rendered(variant)
    need_redis(service)
    done = subprocess.run(
        ["make", f"UV={UV}", "chaos"],
        cwd=service,
        env=outside() | {"CHAOS_SCALE": "0.05"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = {path.name for path in service.glob("chaos/test_*.py")}
    told = {name for name in files if re.search(rf" met +{name}::", done.stdout)}
    skipped = "is not installed" in done.stdout
    assert files - told <= (NEED_PROGRAMS if skipped else set())
    assert "MISSED" not in done.stdout
