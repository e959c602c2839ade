"""The changelog: names of releases, and a list of breaking changes in each."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.support.template import DECLARED, ROOT, SERVICE

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
UNRELEASED = "Unreleased"


def problems(changelog: str, version: str) -> list[str]:
    """Return the problems of a changelog, and whether `version` is that of its newest section."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    headings = [section.partition("\n")[0] for section in sections]
    releases = headings[1:] if headings[:1] == [UNRELEASED] else headings
    found = [f"{release} is not a date" for release in releases if not is_a_date(release)]
    if releases != sorted(set(releases), reverse=True):
        found.append("releases are not unique and newest first")
    for heading, section in zip(headings, sections, strict=True):
        if not re.search(r"^### BREAKING\n\n\S", section, re.MULTILINE):
            found.append(f"{heading} has no section BREAKING")
    if [version] != [heading.lower() for heading in headings[:1]]:
        found.append(f"the version of the template is {version}")
    return found


def is_a_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def test_the_changelog_is_valid_and_starts_with_the_version_of_the_template() -> None:
    assert problems(CHANGELOG, DECLARED["_version"]) == []


BREAKING = "\n\n### BREAKING\n\nNothing.\n\n"
GOOD = f"# Changelog\n\n## Unreleased{BREAKING}## 2026-12-01{BREAKING}## 2026-11-21{BREAKING}"


def test_a_valid_changelog_has_no_problems_before_a_release_or_after() -> None:
    assert problems(GOOD, "unreleased") == []
    assert problems(GOOD.replace(f"## Unreleased{BREAKING}", ""), "2026-12-01") == []


@pytest.mark.parametrize(
    ("changelog", "version", "problem"),
    [
        (GOOD, "2026-12-01", "the version of the template is 2026-12-01"),
        ("# Changelog\n", "unreleased", "the version of the template is unreleased"),
        (GOOD.replace("2026-12-01", "2026-12-32"), "unreleased", "2026-12-32 is not a date"),
        (GOOD.replace("2026-12-01", "2026-11-20"), "unreleased", "releases are not unique"),
        (GOOD.replace("2026-12-01", "2026-11-21"), "unreleased", "releases are not unique"),
        (GOOD.removesuffix(BREAKING), "unreleased", "2026-11-21 has no section BREAKING"),
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


def test_cruft_is_pinned_to_one_version_everywhere() -> None:
    pinned = re.findall(r'"(cruft==.*?)"', (ROOT / "pyproject.toml").read_text())
    used = re.findall(r'"(cruft==.*?)"', (SERVICE / "dev/template_merge.py").read_text())
    assert pinned == used
    assert len(used) == 1
