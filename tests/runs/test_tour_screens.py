"""The pages of the tour in headless Chromium, on screens of phones, tablets and desktops."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import must_run
from tests.support.needs import need_chromium
from tools.pythons import ROOT, UV
from tools.tour.pages import PAGES

pytestmark = pytest.mark.slow
PACKAGES = ("--with=pillow==13.0.0", "--with=playwright==1.65.2")
WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
BUGS = {
    "main { min-width: 500px }": "the page scrolls horizontally",
    "main { width: 500px } html { overflow-x: clip }": "wider than the screen",
    "pre.output { white-space: pre; width: max-content }": "wider than the screen",
    "p { color: #aaaaaa }": "contrast",
    "del { color: var(--removed) }": "contrast",
    "svg .time { fill: #cccccc }": "contrast",
    "svg .ok { fill: #f0f0f0 }": "contrast of a shape",
    "body { background: rgba(0, 0, 0, 0.1) }": "translucent background",
    "p { font-size: 15px }": "font size 15.0: <p",
    "pre { font-size: 12px }": "font size 12.0",
    "svg { max-width: 290px }": "font size 10.6",
    "nav a { padding: 0; line-height: 1 }": "small target: <a",
    "summary { padding: 0; line-height: 1 }": "small target: <summary",
    "svg { height: 0 }": "picture not visible",
    "svg { visibility: hidden }": "picture not visible",
    "svg { opacity: 0 }": "picture not visible",
    "svg * { fill: none !important; stroke: none !important }": "blank picture",
    "body { visibility: hidden }": "blank screen",
    "body { background: url(missing.png) }": "not loaded",
}
"""Bugs of the style sheet, and the problem that each of them causes."""


SCREENS = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
SCRIPT = ROOT / "tests" / "support" / "screens.py"
STEP_PAGE = PAGES / "06-no-sticky-sessions.html"
"""Has pictures, patches and hints."""
Problems = dict[tuple[int, str, Path], list[str]]


def measure(widths: Sequence[int], schemes: Sequence[str], *pages: Path) -> Problems:
    """Return the problems of pages on screens of these widths and colour schemes."""
    python = (UV, "run", "--quiet", "--no-project", *PACKAGES, "python", SCRIPT)
    lists = (",".join(map(str, widths)), ",".join(schemes))
    printed = must_run(*python, need_chromium(), *lists, *pages, cwd=ROOT)
    return {
        (width, scheme, Path(page)): found for width, scheme, page, found in json.loads(printed)
    }


@pytest.fixture(scope="module")
def problems() -> Problems:
    return measure(WIDTHS, SCHEMES, *PAGES.glob("*.html"))


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_is_legible_on_every_screen(problems: Problems, width: int, scheme: str) -> None:
    found = {
        page.name: each for (*screen, page), each in problems.items() if screen == [width, scheme]
    }
    assert found.keys() == {page.name for page in PAGES.glob("*.html")}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.fixture(scope="module")
def problems_of_bugs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the problems of a page for each bug of the style sheet."""
    pages = {}
    for bug in BUGS:
        folder = tmp_path_factory.mktemp("pages")
        shutil.copy(STEP_PAGE, folder)
        style = (PAGES / "style.css").read_text(encoding="utf-8")
        (folder / "style.css").write_text(f"{style}\n{bug}\n", encoding="utf-8")
        pages[folder / STEP_PAGE.name] = bug
    found = measure(WIDTHS[:1], SCHEMES[:1], *pages)
    return {pages[page]: each for (_, _, page), each in found.items()}


@pytest.mark.parametrize(("bug", "problem"), BUGS.items())
def test_a_bug_of_the_style_sheet_is_found(
    problems_of_bugs: dict[str, list[str]], bug: str, problem: str
) -> None:
    assert [found for found in problems_of_bugs[bug] if problem in found]
