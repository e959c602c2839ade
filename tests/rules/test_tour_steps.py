"""The steps of the tour: one for each factor, complete, and about files that exist."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tools.tour import record, tour
from tools.tour.__main__ import main
from tools.tour.step import STEPS, InvalidStepError, Step, read, read_all

NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
ALL = read_all()
VALID = (STEPS / "06-no-sticky-sessions.md").read_text(encoding="utf-8")


def test_the_steps_lead_through_all_factors_in_their_order() -> None:
    assert [step.number for step in ALL] == list(range(1, len(ALL) + 1))
    numerals = [step.factor.partition(".")[0] for step in ALL]
    assert list(dict.fromkeys(numerals)) == NUMERALS
    for step, numeral in zip(ALL, numerals, strict=True):
        assert step.mutant.factor.partition("_")[0] == numeral.lower()


@pytest.fixture(scope="module")
def service(cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake()


@pytest.mark.parametrize("step", ALL, ids=[step.id for step in ALL])
def test_a_step_names_the_files_of_its_bug_and_only_existing_ones(
    service: Path, step: Step
) -> None:
    text = " ".join(step.sections.values())
    named = set(
        re.findall(r"`((?:[\w.-]+/)+[\w.-]+|\.python-version|Dockerfile|pyproject\.toml)`", text)
    )
    assert [path for path in named if not (service / path).exists()] == []
    hints = " ".join(step.hints)
    for pattern, _, _ in step.mutant.edits:
        (changed,) = service.glob(pattern)
        path = str(changed.relative_to(service))
        assert f"`{path}`" in hints or any(f"`{parent}`" in hints for parent in Path(path).parents)


@pytest.mark.parametrize("step", ALL, ids=[step.id for step in ALL])
def test_hints_come_before_the_solution_and_there_are_three(step: Step) -> None:
    assert len(step.hints) == 3


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("sessions.md", str, "is not NN-slug.md"),
        ("06-x.md", replaced("+++\n\n# ", "+++\n\n"), "is not NN-slug.md"),
        ("06-x.md", replaced("## Story", "## Tale"), "its sections are not Factor, Story,"),
        ("06-x.md", replaced("factor =", "faktor ="), "needs factor and bug"),
        ("06-x.md", replaced("kept in process", "lost in process"), "'orders lost in process mem"),
        ("06-x.md", lambda text: re.sub(r"(?m)^\d\. ", "", text), "has no numbered hints"),
        ("06-x.md", replaced('bug = "', "bug = "), "is not TOML: "),
    ],
)
def test_an_invalid_step_is_reported_by_the_name_of_its_file(
    tmp_path: Path, name: str, change: Callable[[str], str], problem: str
) -> None:
    (tmp_path / name).write_text(change(VALID), encoding="utf-8")
    with pytest.raises(InvalidStepError) as raised:
        read(tmp_path / name)
    assert str(raised.value).startswith(f"{name}: {problem}")
    assert "\n" not in str(raised.value)


def test_commands_report_an_invalid_step_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "steps.md").touch()
    for module in (tour, record):
        monkeypatch.setattr(module, "read_all", lambda: read_all(tmp_path))
    assert main("tour", "", tmp_path / "service") == 1
    assert record.main("") == 1
    lines = capsys.readouterr().err.splitlines()
    problem = "steps.md: is not NN-slug.md with +++ TOML +++ and a title"
    assert lines == [f"make tour: {problem}", f"make tour-record: {problem}"]
    assert not (tmp_path / "service").exists()
