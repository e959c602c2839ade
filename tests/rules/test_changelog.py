"""What releases are called, and what the changelog has to tell of each."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.support.template import DECLARED, ROOT, SERVICE

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
UNRELEASED = "Unreleased"


def faults(changelog: str, version: str) -> list[str]:
    """Return what is wrong with a changelog, and with the version that the template says it is."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    headings = [section.partition("\n")[0] for section in sections]
    releases = headings[1:] if headings[:1] == [UNRELEASED] else headings
    found = [f"{release} is not a date" for release in releases if not is_a_date(release)]
    if releases != sorted(set(releases), reverse=True):
        found.append("releases do not stand newest first, once each")
    for heading, section in zip(headings, sections, strict=True):
        if not re.search(r"^### BREAKING\n\n\S", section, re.MULTILINE):
            found.append(f"{heading} does not say what breaks, even if it is nothing")
    if [version] != [heading.lower() for heading in headings[:1]]:
        found.append(f"the template calls itself {version}")
    return found


def is_a_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def test_the_changelog_is_complete_and_the_template_bears_the_name_of_its_newest_part() -> None:
    assert faults(CHANGELOG, DECLARED["_version"]) == []


BREAKING = "\n\n### BREAKING\n\nNothing.\n\n"
GOOD = f"# Changelog\n\n## Unreleased{BREAKING}## 2026-12-01{BREAKING}## 2026-11-21{BREAKING}"


def test_a_good_changelog_has_no_faults_before_a_release_or_after() -> None:
    assert faults(GOOD, "unreleased") == []
    assert faults(GOOD.replace(f"## Unreleased{BREAKING}", ""), "2026-12-01") == []


@pytest.mark.parametrize(
    ("changelog", "version", "fault"),
    [
        (GOOD, "2026-12-01", "the template calls itself 2026-12-01"),
        ("# Changelog\n", "unreleased", "the template calls itself unreleased"),
        (GOOD.replace("2026-12-01", "2026-12-32"), "unreleased", "2026-12-32 is not a date"),
        (GOOD.replace("2026-12-01", "2026-11-20"), "unreleased", "releases do not stand newest"),
        (GOOD.replace("2026-12-01", "2026-11-21"), "unreleased", "releases do not stand newest"),
        (GOOD.removesuffix(BREAKING), "unreleased", "2026-11-21 does not say what breaks"),
        (GOOD.replace("Nothing.\n\n", "", 1), "unreleased", "Unreleased does not say what breaks"),
    ],
)
def test_each_fault_of_a_changelog_is_found(changelog: str, version: str, fault: str) -> None:
    assert [found.startswith(fault) for found in faults(changelog, version)] == [True]


def test_a_service_tells_the_version_in_its_readme_and_where_it_runs(default_service: Path) -> None:
    version = DECLARED["_version"]
    assert f"version `{version}` of its template" in (default_service / "README.md").read_text()
    (package,) = default_service.glob("src/*/chassis/__init__.py")
    assert f'TEMPLATE = "{version}"\n' in package.read_text()


def test_cruft_has_one_version_wherever_it_is_named() -> None:
    pinned = re.findall(r'"(cruft==.*?)"', (ROOT / "pyproject.toml").read_text())
    used = re.findall(r'"(cruft==.*?)"', (SERVICE / "dev/template_merge.py").read_text())
    assert pinned == used
    assert len(used) == 1
