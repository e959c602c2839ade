"""The dependency audit fails on a known vulnerability, and if it could not audit anything."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.delivery_programs import python, refusal


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


LOCKED = "fastapi==0.165.0 --hash=sha256:00\n"
PROGRAM = "#!/bin/sh\n{}\n"
FAULT = {"id": "PYSEC-1", "fix_versions": ["2.0"]}


def audited(
    service: Path, folder: Path, answer: str, status: int
) -> subprocess.CompletedProcess[str]:
    """Run the audit with a `pip-audit` that answers so, for the real one asks the internet."""
    for name, does in {
        "uv": 'for last; do :; done; printf \'%s\' "$LOCKED" > "${last#*=}"',
        "pip-audit": f"echo \"$@\" > {folder}/asked; printf '%s' '{answer}'; exit {status}",
    }.items():
        (folder / name).write_text(PROGRAM.format(does))
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return python(service, "-m", "delivery.audit", PATH=path, LOCKED=LOCKED)


def test_an_audit_is_strict_and_passes_if_nothing_is_known(service: Path, tmp_path: Path) -> None:
    found = {"dependencies": [{"name": "fastapi", "version": "0.165.0", "vulns": []}]}
    done = audited(service, tmp_path, json.dumps(found), 0)
    assert (done.returncode, done.stderr) == (0, "")
    asked = (tmp_path / "asked").read_text().split()
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(asked)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ('{"dependencies": []}', 0, "Nothing could be audited: the lock has no dependencies"),
        ("", 1, "Nothing could be audited: no word"),
        ("", 0, "Nothing could be audited: no word"),
        ("{}", 0, "Nothing could be audited: no word"),
        (
            json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [FAULT]}]}),
            1,
            "Known faults: take what mends them",
        ),
    ],
)
def test_an_audit_fails_for_a_fault_and_for_want_of_an_answer(
    service: Path, tmp_path: Path, answer: str, status: int, said: str
) -> None:
    assert said in refusal(audited(service, tmp_path, answer, status))


def test_what_is_accepted_has_a_reason_and_is_told_to_the_audit(
    cookies_session: Cookies, tmp_path: Path
) -> None:
    service = Baker(cookies_session).bake()
    accepted = service / "delivery/accepted.yaml"
    found = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
    entry = "ignore:\n  - vulnerability: CVE-1\n"
    accepted.write_text(accepted.read_text().replace("ignore: []\n", entry))
    assert "needs a vulnerability and a reason" in refusal(audited(service, tmp_path, found, 0))
    accepted.write_text(accepted.read_text() + "    reason: It is not reached.\n")
    assert audited(service, tmp_path, found, 0).returncode == 0
    assert "--ignore-vuln=CVE-1" in (tmp_path / "asked").read_text()
