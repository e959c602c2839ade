"""Schemathesis sends requests that the OpenAPI document allows, and others that it does not."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.service import Service, assert_stops
from tests.twelve_factor.report import Measure

from .load import scaled

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(__file__).parents[1]),
    "SCHEMATHESIS_HOOKS": "chaos.schemathesis_hooks",
}
STATUSES = ["2xx", "3xx", "4xx"]
SETTINGS = """
[checks]
not_a_server_error.expected-statuses = {statuses}
"""


def fuzz(url: str, folder: Path, examples: int, *others: str, workers: int = 1) -> int:
    """Send `examples` requests or more per operation, the same in each run; return their number.

    `others` are further statuses that are allowed, such as 503.
    """
    settings = SETTINGS.format(statuses=[*STATUSES, *others])
    (folder / "schemathesis.toml").write_text(settings, encoding="utf-8")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--no-color",
            "run",
            "--checks=all",
            "--seed=1",
            "--generation-database=none",
            f"--max-examples={examples}",
            f"--workers={workers}",
            "--request-timeout=20",
            f"{url}/openapi.json",
        ],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout
    return int(generated[1])


def test_all_responses_conform_to_the_openapi_document(
    service: Service, tmp_path: Path, measure: Measure
) -> None:
    requests = fuzz(service.url, tmp_path, int(scaled(500, 20)))
    measure("fuzzed requests", requests, "", at_least=10)
    assert_stops(service)
