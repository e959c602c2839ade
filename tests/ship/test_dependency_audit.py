"""The dependency audit fails for a known vulnerability and for an audit without a result."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.delivery_programs import error_line, python


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


LOCKED = "fastapi==0.165.0 --hash=sha256:00\n"
PROGRAM = "#!/bin/sh\n{}\n"
VULNERABILITY = {"id": "PYSEC-1", "fix_versions": ["2.0"]}


def audited(
    service: Path, folder: Path, output: str, status: int
) -> subprocess.CompletedProcess[str]:
    """Run the audit with a fake `pip-audit`, since the real one needs the internet."""
    for name, does in {
        "uv": 'for last; do :; done; printf \'%s\' "$LOCKED" > "${last#*=}"',
        "pip-audit": f"echo \"$@\" > {folder}/options; printf '%s' '{output}'; exit {status}",
    }.items():
        (folder / name).write_text(PROGRAM.format(does))
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return python(service, "-m", "delivery.audit", PATH=path, LOCKED=LOCKED)


def test_the_audit_is_strict_and_passes_without_vulnerabilities(
    service: Path, tmp_path: Path
) -> None:
    found = {"dependencies": [{"name": "fastapi", "version": "0.165.0", "vulns": []}]}
    done = audited(service, tmp_path, json.dumps(found), 0)
    assert (done.returncode, done.stderr) == (0, "")
    options = (tmp_path / "options").read_text().split()
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(options)


@pytest.mark.parametrize(
    ("output", "status", "message"),
    [
        ('{"dependencies": []}', 0, "Nothing could be audited: the lock has no dependencies"),
        ("", 1, "Nothing could be audited: no word"),
        ("", 0, "Nothing could be audited: no word"),
        ("{}", 0, "Nothing could be audited: no word"),
        (
            json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [VULNERABILITY]}]}),
            1,
            "Known faults: take what mends them",
        ),
    ],
)
def test_the_audit_fails_for_a_vulnerability_and_without_a_result(
    service: Path, tmp_path: Path, output: str, status: int, message: str
) -> None:
    assert message in error_line(audited(service, tmp_path, output, status))


def test_an_accepted_vulnerability_has_a_reason_and_is_ignored(
    cookies_session: Cookies, tmp_path: Path
) -> None:
    service = Baker(cookies_session).bake()
    accepted = service / "delivery/accepted.yaml"
    found = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
    entry = "ignore:\n  - vulnerability: CVE-1\n"
    accepted.write_text(accepted.read_text().replace("ignore: []\n", entry))
    assert "needs a vulnerability and a reason" in error_line(audited(service, tmp_path, found, 0))
    accepted.write_text(accepted.read_text() + "    reason: It is not reached.\n")
    assert audited(service, tmp_path, found, 0).returncode == 0
    assert "--ignore-vuln=CVE-1" in (tmp_path / "options").read_text()
