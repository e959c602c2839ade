"""The check of wording finds what it is for, and accepts the field's own terms."""

import pytest

from tools.wording import read

WORDING = read()
SERVICE_FILE = "{{cookiecutter.project_slug}}/src/module.py"


@pytest.mark.parametrize(
    "line",
    [
        "# Refuses a request whose Host header is malformed.",
        "def test_a_refused_request() -> None:",
        "DEADLINE_SECONDS = 4",
        "log.warning('worker away')",
        "Makes a bill of materials.",
        "Returns all kinds of jobs.",
        "Ends with what is left of it.",
        "A folder that is no repository.",
    ],
)
def test_a_wording_to_avoid_is_found_with_its_line(line: str) -> None:
    assert [found[:3] for found in WORDING.findings("tools/module.py", f"\n{line}\n")] == ["2: "]


@pytest.mark.parametrize(
    "line",
    [
        "# Connection refused: the port is closed.",
        "ConnectionRefusedError",
        "activeDeadlineSeconds: 600",
        "There is no pool.",
        "The worker is no longer running.",
    ],
)
def test_terms_of_the_field_are_accepted(line: str) -> None:
    assert list(WORDING.findings("tools/module.py", line)) == []


def test_answers_are_those_to_questions_but_in_a_service_responses() -> None:
    line = "# The answer is JSON."
    assert list(WORDING.findings("tests/rules/test_manifest.py", line)) == []
    assert len(list(WORDING.findings(SERVICE_FILE, line))) == 1


def test_files_that_are_not_read_have_no_findings() -> None:
    assert list(WORDING.findings("LICENSE", "anew")) == []
