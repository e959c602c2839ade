"""Asks the service whatever its OpenAPI document allows, and whatever it forbids."""

import os
import re
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
{% if cookiecutter.database != "none" %}
ENVIRONMENT["SCHEMATHESIS_HOOKS"] = "chaos.fuzzing_keys"
{% endif %}
SETTINGS = """
[checks]
not_a_server_error.expected-statuses = {statuses}
"""


def fuzz(url: str, folder: Path, statuses: list[str], examples: int, at_once: int = 1) -> int:
    """Try each operation on so many examples, always the same; return how many cases that made.

    `statuses` are what may be answered, at all times.
    """
    (folder / "schemathesis.toml").write_text(SETTINGS.format(statuses=statuses))
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--no-color",
            "run",
            "--checks=all",
            "--seed=1",
            "--generation-database=none",
            f"--max-examples={max(examples, 1)}",
            f"--workers={at_once}",
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
