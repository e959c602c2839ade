"""The parts of an HTML page that tests look at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "circle", "hr", "img", "link", "meta", "path", "rect"}
"""Elements without an end; in SVG, those that the pages end by `/>`."""
LOADING = {"src", "srcset", "data", "poster", "action", "background"}
"""Attributes that load a resource; `href` does so except in `a`."""


@dataclass
class Page(HTMLParser):
    """The elements of a page; nesting that is wrong raises `AssertionError`."""

    text: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> without a beginning"
        assert self._open.pop() == tag, f"</{tag}> ends another element"

    def tags(self) -> set[str]:
        """Return the names of all elements."""
        return {tag for tag, _ in self.elements}

    def ids(self) -> list[str]:
        """Return the ids, in order."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def references(self) -> Iterator[str]:
        """Yield the ids that other elements refer to."""
        for _, attributes in self.elements:
            for name in ("aria-labelledby", "aria-describedby", "for"):
                yield from attributes.get(name, "").split()

    def links(self) -> list[str]:
        """Return the targets of the links."""
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]

    def resources(self) -> Iterator[str]:
        """Yield everything that a browser loads for this page."""
        for tag, attributes in self.elements:
            for name, value in attributes.items():
                if name in LOADING or (name == "href" and tag != "a") or name.endswith(":href"):
                    yield value

    def headings(self) -> list[int]:
        """Return the levels of the headings, in order."""
        return [int(tag[1]) for tag, _ in self.elements if tag in {"h1", "h2", "h3", "h4"}]
