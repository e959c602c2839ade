"""The chaos experiments of a rendered service pass, at a small scale."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.needs import need_redis
from tests.support.template import FIRST, expected_files
from tests.support.variants import ROWS
from tools.pythons import UV, outside


def experiments(variant: str) -> int:
    """Return the number of files with experiments."""
    found = expected_files(FIRST | {"package_name": "p"} | ROWS[variant])
    return sum(path.startswith("chaos/test_") for path in found)


FEWEST = min(filter(experiments, ROWS), key=experiments)


def test_variants_differ_only_in_the_experiments_with_a_database() -> None:
    numbers = set(map(experiments, ROWS))
    assert numbers == {0, experiments(FEWEST), experiments("chaos-yes")}
    assert experiments(FEWEST) < experiments("chaos-yes")


@pytest.mark.serial
@pytest.mark.parametrize(
    ("variant", "experiments"), [("chaos-yes", "test_"), (FEWEST, "test_rolling_restart")]
)
def test_each_experiment_reports_measurements(
    rendered: Callable[[str], Path], variant: str, experiments: str
) -> None:
    """Without a resource, only the requests differ, so one experiment suffices."""
    service = rendered(variant)
    need_redis(service)
    done = subprocess.run(
        ["make", f"UV={UV}", "chaos"],
        cwd=service,
        env=outside() | {"CHAOS_SCALE": "0.05", "PYTEST_ADDOPTS": f"-k {experiments}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = {path.name for path in service.glob(f"chaos/{experiments}*.py")}
    assert files == set(re.findall(r" (test_\w+\.py)::", done.stdout))
