"""The pages in `docs/` list the events that the code logs, with their levels and fields."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "critical"}

type Events = dict[str, tuple[set[str], set[str]]]
"""Levels and fields by event."""


def documented() -> Events:
    text = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    rows = re.findall(r"^\| `([^`]+)` \| ([\w, ]+) \| (.*?)\| ", text, re.MULTILINE)
    return {
        event: (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields)))
        for event, levels, fields in rows
    }


def logged() -> Events:
    """Find calls such as `log.info("event", field=1)` in the source.

    A level that is computed, or the key of a `**dictionary`, stands elsewhere in the function.
    """
    events: Events = defaultdict(lambda: (set(), set()))
    for path in (ROOT / "src").rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            nodes = list(ast.walk(function))
            computed = {n.id.lower() for n in nodes if isinstance(n, ast.Name)} & LEVELS
            keys = [key for node in nodes if isinstance(node, ast.Dict) for key in node.keys]
            named = {str(key.value) for key in keys if isinstance(key, ast.Constant)}
            for call in nodes:
                match call:
                    case ast.Call(
                        func=ast.Attribute(value=logger, attr=method),
                        args=[*_, ast.Constant(value=str(event))],
                        keywords=keywords,
                    ) if ast.unparse(logger).endswith("log"):
                        levels, fields = events[event]
                        levels |= computed if method == "log" else {method}
                        for keyword in keywords:
                            fields |= {keyword.arg} if keyword.arg else named
    return events


def test_every_event_is_documented() -> None:
    for _, fields in (events := logged()).values():
        if "exc_info" in fields:
            fields.remove("exc_info")
            fields.add("exception")
    assert documented() == events
