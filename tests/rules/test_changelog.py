"""The changelog: names of releases, and a list of breaking changes in each."""

import re
from pathlib import Path

import pytest

from tests.support.template import DECLARED, ROOT, SERVICE

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
UNRELEASED = "Unreleased"
VERSION = re.compile(r"20\d\d\.([1-9]|1[0-2])\.[1-9]\d*")
"""Year, month and number; PEP 440 orders them."""


def problems(changelog: str, version: str) -> list[str]:
    """Return the problems of a changelog, and whether `version` is that of its newest section."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    headings = [section.partition("\n")[0] for section in sections]
    releases = headings[1:] if headings[:1] == [UNRELEASED] else headings
    found = [
        f"{release} is not a version" for release in releases if not VERSION.fullmatch(release)
    ]
    if releases != sorted(set(releases), key=numbers, reverse=True):
        found.append("releases are not unique and newest first")
    for heading, section in zip(headings, sections, strict=True):
        if not re.search(r"^### BREAKING\n\n\S", section, re.MULTILINE):
            found.append(f"{heading} has no section BREAKING")
    if [version] != [heading.lower() for heading in headings[:1]]:
        found.append(f"the version of the template is {version}")
    return found


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def test_the_changelog_is_valid_and_starts_with_the_version_of_the_template() -> None:
    assert problems(CHANGELOG, DECLARED["_version"]) == []


BREAKING = "\n\n### BREAKING\n\nNothing.\n\n"
GOOD = f"# Changelog\n\n## Unreleased{BREAKING}## 2026.12.1{BREAKING}## 2026.11.21{BREAKING}"


def test_a_valid_changelog_has_no_problems_before_a_release_or_after() -> None:
    assert problems(GOOD, "unreleased") == []
    assert problems(GOOD.replace(f"## Unreleased{BREAKING}", ""), "2026.12.1") == []


@pytest.mark.parametrize(
    ("changelog", "version", "problem"),
    [
        (GOOD, "2026.12.1", "the version of the template is 2026.12.1"),
        ("# Changelog\n", "unreleased", "the version of the template is unreleased"),
        (GOOD.replace("2026.12.1", "2026.13.1"), "unreleased", "2026.13.1 is not a version"),
        (GOOD.replace("2026.12.1", "2026.11.20"), "unreleased", "releases are not unique"),
        (GOOD.replace("2026.12.1", "2026.11.21"), "unreleased", "releases are not unique"),
        (GOOD.removesuffix(BREAKING), "unreleased", "2026.11.21 has no section BREAKING"),
        (GOOD.replace("Nothing.\n\n", "", 1), "unreleased", "Unreleased has no section BREAKING"),
    ],
)
def test_each_problem_of_a_changelog_is_found(changelog: str, version: str, problem: str) -> None:
    assert [found.startswith(problem) for found in problems(changelog, version)] == [True]


def test_the_readme_and_package_of_a_service_name_the_template_version(
    default_service: Path,
) -> None:
    version = DECLARED["_version"]
    assert f"version `{version}` of its template" in (default_service / "README.md").read_text()
    (package,) = default_service.glob("src/*/chassis/__init__.py")
    assert f'TEMPLATE = "{version}"\n' in package.read_text()


@pytest.mark.parametrize("engine", ["copier", "cruft"])
def test_an_engine_is_pinned_to_one_version_everywhere(engine: str) -> None:
    (pinned,) = re.findall(rf'"{engine}==(.*?)"', (ROOT / "pyproject.toml").read_text())
    (used,) = re.findall(rf"{engine}==(\S+)", (SERVICE / "Makefile").read_text())
    assert pinned == used
