"""The pages of the tour: up to date, complete, without broken links and external resources."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.html import Page
from tests.support.template import SERVICE
from tools.pythons import ROOT
from tools.tour import pages as tool
from tools.tour.changes import changes
from tools.tour.pages import PAGES, Pages
from tools.tour.record import machine_path
from tools.tour.recording import path_of, read, write
from tools.tour.step import Step, read_all

STEPS = read_all()
NAMES = ["index.html", "draft.html", *(f"{step.id}.html" for step in STEPS)]
HOSTS = ("https://12factor.net", "https://github.com/twelve-factor/")
"""Sites that the pages link to."""
each_page = pytest.mark.parametrize("name", NAMES)
each_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tool.render(tmp_path_factory.mktemp("render"))


def page(name: str) -> Page:
    return Page((PAGES / name).read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def test_the_committed_pages_are_those_that_make_builds(render: Path, tmp_path: Path) -> None:
    Pages(render).build(tmp_path / "pages")
    built, committed = contents(tmp_path / "pages"), contents(PAGES)
    assert built.keys() == committed.keys(), "run: make tour-pages"
    assert [name for name in built if built[name] != committed[name]] == [], "run: make tour-pages"


def test_building_replaces_a_page_of_a_removed_step(render: Path, tmp_path: Path) -> None:
    (tmp_path / "07-removed.html").touch()
    Pages(render).build(tmp_path)
    assert sorted(contents(tmp_path)) == sorted(NAMES)


@each_step
def test_the_index_links_to_each_step(step: Step) -> None:
    assert f"{step.id}.html" in page("index.html").links()
    text = (PAGES / f"{step.id}.html").read_text(encoding="utf-8")
    assert f"<h1>{step.title}</h1>" in text
    assert f"make tour STEP={step.number}" in text


def test_steps_are_linked_in_both_directions() -> None:
    for one, other in pairwise(f"{step.id}.html" for step in STEPS):
        assert other in page(one).links()
        assert one in page(other).links()


@each_page
def test_links_and_anchors_resolve(name: str) -> None:
    for link in page(name).links():
        if link.startswith(HOSTS):
            continue
        assert ":" not in link, f"{link}: not one of {HOSTS}"
        path, _, anchor = link.partition("#")
        target = PAGES / path if path else PAGES / name
        assert target.is_file(), link
        assert not anchor or anchor in page(target.name).ids(), link


@each_page
def test_elements_are_nested_and_named_correctly(name: str) -> None:
    found = page(name)
    assert len(found.ids()) == len(set(found.ids()))
    assert set(found.references()) <= set(found.ids())
    assert found.headings()[0] == 1
    assert found.headings().count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(found.headings()))
    assert ("html", {"lang": "en"}) in found.elements


@each_page
def test_nothing_is_loaded_but_the_style_sheet(name: str) -> None:
    assert set(page(name).resources()) == {"style.css"}
    assert not page(name).tags() & {"script", "iframe", "object", "style"}


def test_the_style_sheet_loads_nothing() -> None:
    style = (PAGES / "style.css").read_text(encoding="utf-8")
    assert not re.findall(r"url\(|@import|https?:", style)


def test_recorded_output_never_becomes_markup(render: Path, tmp_path: Path) -> None:
    hostile = "<script>alert('&amp;')</script>"
    for step in STEPS:
        recording = read(path_of(step))
        events = [replace(event, name=hostile, path=hostile) for event in recording.broken.events]
        broken = replace(recording.broken, output=[hostile], events=events)
        write(replace(recording, broken=broken), path_of(step, tmp_path / "recorded"))
    Pages(render, recorded=tmp_path / "recorded").build(tmp_path / "pages")
    for step in STEPS:
        text = (tmp_path / "pages" / f"{step.id}.html").read_text(encoding="utf-8")
        assert "script" not in Page(text).tags()
        assert "&lt;script&gt;alert(&#39;&amp;amp;&#39;)" in text


def test_a_step_without_a_recording_is_reported_by_name(render: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{STEPS[0].id}.json"):
        Pages(render, recorded=tmp_path).build(tmp_path / "pages")


def test_all_recordings_are_of_the_same_python(tmp_path: Path) -> None:
    for number, step in enumerate(STEPS):
        recording = replace(read(path_of(step)), python=f"3.{13 + number % 2}")
        write(recording, path_of(step, tmp_path / "recorded"))
    with pytest.raises(LookupError, match=r"3\.13, 3\.14"):
        tool.render(tmp_path / "service", tmp_path / "recorded")


@each_step
def test_a_recording_is_of_the_bug_of_its_step(step: Step, render: Path) -> None:
    fixes = [changed(change.fix()) for change in changes(step, render)]
    recorded = changed(read(path_of(step)).patch)
    assert set().union(*fixes) == recorded, f"run: make tour-record STEP={step.number}"


def changed(patch: list[str]) -> set[str]:
    """Return the lines that a patch adds and removes."""
    return {line for line in patch if re.match(r"[+-](?![+-]{2} )", line) and line.strip("+- ")}


@each_step
def test_a_recording_fails_with_the_bug_and_passes_without_it(step: Step) -> None:
    recording = read(path_of(step))
    assert re.match("1 failed in ", recording.broken.output[-1])
    assert re.match("1 passed in ", recording.solved.output[-1])
    assert step.check in "\n".join(recording.broken.output)


@each_step
def test_a_recording_contains_no_path_of_a_machine(step: Step) -> None:
    assert machine_path(path_of(step).read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("E   in /home/me/service/x.py", "/home/me/service/x.py"),
        (f"file {ROOT}/tools", str(ROOT)),
        ("GET /orders/1 404", None),
        ("tests/usr/x.py:3: in f", None),
        ("https://example.com/home/x", None),
    ],
)
def test_paths_of_a_machine_are_recognised(text: str, found: str | None) -> None:
    assert machine_path(text) == found


def named_files() -> Iterator[str]:
    text = (ROOT / "tour" / "pages" / "draft.md").read_text(encoding="utf-8")
    yield from re.findall(r"`([\w./-]+\.(?:md|py|sh|yaml|yml)|Dockerfile|Procfile)`", text)


@pytest.mark.parametrize("name", sorted(set(named_files())))
def test_the_draft_names_files_that_exist(name: str) -> None:
    package = SERVICE / "src" / "{{cookiecutter.package_name}}"
    folders = (SERVICE, package, SERVICE / "tests" / "twelve_factor", ROOT)
    assert [folder for folder in folders if (folder / name).is_file()]
