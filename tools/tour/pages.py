"""`make tour-pages`: build the pages of the tour in `docs/tour`."""

import re
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from tools.pythons import ROOT

from . import bars
from .changes import changes, source
from .recording import RECORDED, path_of, read
from .step import STEPS, InvalidStepError, Step, read_all
from .timeline import Timeline

SOURCES = ROOT / "tour" / "pages"
PAGES = ROOT / "docs" / "tour"
RULE = re.compile(r"([=_]{3,}) (.+) ([=_]{3,})")
"""A title in the output of pytest."""


def render(folder: Path, recorded: Path = RECORDED) -> Path:
    """Render the default service for the Python version of the recordings."""
    versions = {read(path).python for path in recorded.glob("*.json")}
    if len(versions) != 1:
        found = ", ".join(sorted(versions)) or "none"
        raise LookupError(f"recordings with different Python versions ({found}): make tour-record")
    made = cookiecutter(
        str(ROOT),
        no_input=True,
        default_config=True,
        extra_context={"python_version": versions.pop()},
        output_dir=str(folder),
    )
    return Path(made)


class Pages:
    """Builds the pages of all steps."""

    def __init__(self, service: Path, steps: Path = STEPS, recorded: Path = RECORDED) -> None:
        self._service, self._recorded = service, recorded
        self._steps = read_all(steps)
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._jinja = Environment(
            loader=FileSystemLoader(SOURCES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.filters |= {
            "markdown": self._html,
            "split": lambda line: (found := RULE.fullmatch(line)) and found.groups(),
        }

    def build(self, folder: Path) -> None:
        """Replace all pages of a folder; their style sheet is not generated."""
        folder.mkdir(parents=True, exist_ok=True)
        for page in folder.glob("*.html"):
            page.unlink()
        self._write(folder / "index.html", steps=self._steps)
        text = (SOURCES / "draft.md").read_text(encoding="utf-8")
        self._write(folder / "draft.html", text=text)
        around = [None, *self._steps, None]
        for previous, step, following in zip(around, around[1:], around[2:], strict=False):
            if step:
                facts = self._facts(step) | {"previous": previous, "following": following}
                self._write(folder / f"{step.id}.html", "step", **facts)

    def _facts(self, step: Step) -> dict[str, Any]:
        recording = read(path_of(step, self._recorded))
        changed = changes(step, self._service)
        largest = max(changed, key=lambda each: max(map(len, each.blocks())))
        return {
            "step": step,
            "count": len(self._steps),
            "changes": changed,
            "recording": recording,
            "broken": Timeline(recording.broken),
            "solved": Timeline(recording.solved),
            "bars": bars.svg(recording, "bars"),
            "excerpt": largest.excerpt(),
            "source": source(step, self._service),
        }

    def _write(self, path: Path, template: str = "", **facts: Any) -> None:
        made = self._jinja.get_template(f"{template or path.stem}.html.jinja").render(facts)
        lines = [line.rstrip() for line in made.splitlines()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _html(self, text: str) -> str:
        """Convert Markdown, in which HTML is text; mark the cells of tables with their column."""
        tokens = self._markdown.parse(text)
        names: list[str] = []
        column = 0
        for token, following in pairwise(tokens):
            if token.type == "table_open":
                names = []
            elif token.type == "tr_open":
                column = 0
            elif token.type == "th_open":
                names.append(following.content)
            elif token.type == "td_open":
                token.attrSet("data-label", names[column])
                column += 1
            elif token.type == "heading_open":
                token.attrSet(
                    "id", re.sub(r"[^a-z0-9]+", "-", following.content.lower()).strip("-")
                )
        return str(self._markdown.renderer.render(tokens, self._markdown.options, {}))


def main() -> int:
    """Build the pages; return 1 if a step or its recording is invalid."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            Pages(render(Path(folder))).build(PAGES)
    except (InvalidStepError, LookupError) as error:
        print(f"make tour-pages: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"make tour-pages: {error.filename} is missing: make tour-record", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
