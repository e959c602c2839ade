"""The experiments of a rendered service work, briefly; in full they are for its owner."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.variants import BARE
from tools.pythons import UV, outside

NEED_PROGRAMS = {
    "test_rolling_restart_behind_haproxy.py",
    "test_slow_clients.py",
}
"""What may give no figure: it needs haproxy or slowhttptest."""


@pytest.mark.alone
@pytest.mark.parametrize("variant", ["default", BARE])
def test_brief_experiments_give_figures(rendered: Callable[[str], Path], variant: str) -> None:
    service = rendered(variant)
    done = subprocess.run(
        ["make", f"UV={UV}", "chaos"],
        cwd=service,
        env=outside() | {"CHAOS_SCALE": "0.05"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    experiments = {path.name for path in service.glob("chaos/test_*.py")}
    told = {name for name in experiments if re.search(rf" met +{name}::", done.stdout)}
    skipped = "is not installed" in done.stdout
    assert experiments - told <= (NEED_PROGRAMS if skipped else set())
    assert "MISSED" not in done.stdout
