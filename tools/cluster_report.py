"""Write the measurements of `make test-cluster` to docs/kubernetes.md; draw a rolling update."""

import json
from collections import Counter
from typing import Any

from .pythons import ROOT

MEASUREMENTS = ROOT / ".reports" / "cluster"
VARIANTS = ("plain", "worker", "mongodb")
PAGE, PICTURE = ROOT / "docs" / "kubernetes.md", ROOT / "docs" / "rolling-update.svg"
START, END = "<!-- measurements -->\n", "<!-- end -->\n"
COLOURS = {"previous release": "#9aa5b1", "new release": "#2f6fb3", "failed": "#c62828"}
NAMES = {"two": "new release", "failed": "failed"}
"""Revisions in the measurements; any other is that of the previous release."""
WIDTH, HEIGHT, MARGIN = 720, 220, 40
FONT = 'font-family="sans-serif" font-size="11"'

Row = dict[str, Any]


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| Variant | While it is under load | Seconds | Requests | Failed | p50 (ms) | p99 (ms) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        keys = ("variant", "what", "took", "requests", "failed", "p50", "p99")
        lines.append(
            "| "
            + " | ".join(f"{row[key]:,}" if key == "requests" else str(row[key]) for key in keys)
            + " |"
        )
    return "\n".join(lines) + "\n"


def picture(timeline: list[dict[str, int]]) -> str:
    """Return a diagram of the responses to `GET /version`, per second and release."""
    seconds = [Counter[str]() for _ in timeline]
    for counts, second in zip(seconds, timeline, strict=True):
        for revision, count in second.items():
            counts[NAMES.get(revision, "previous release")] += count
    most = max(sum(second.values()) for second in timeline)
    width = (WIDTH - 2 * MARGIN) / len(timeline)
    scale = (HEIGHT - 2 * MARGIN) / most
    bottom = HEIGHT - MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        rectangle(0, 0, WIDTH, HEIGHT, "#fff"),
    ]
    for number, second in enumerate(seconds):
        top = float(bottom)
        for name, colour in COLOURS.items():
            height = second[name] * scale
            top -= height
            if height:
                x = MARGIN + number * width
                parts.append(rectangle(x, top, width * 0.9, height, colour))
    for number in range(0, len(timeline), 10):
        x = MARGIN + number * width
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}">{number} s</text>')
    parts.append(f'<text x="{MARGIN}" y="{MARGIN - 8}">{most} per second</text>')
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = 250 + number * 150
        parts.append(rectangle(x, 12, 10, 10, colour))
        parts.append(f'<text x="{x + 15}" y="21">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def main() -> None:
    """Write the page and the picture."""
    files = (MEASUREMENTS / f"{variant}.json" for variant in VARIANTS)
    rows: list[Row] = [row for file in files for row in json.loads(file.read_text())]
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + START + table(rows) + END + rest.partition(END)[2])
    (update,) = (
        row for row in rows if (row["variant"], row["what"]) == ("plain", "Rolling update")
    )
    PICTURE.write_text(picture(update["timeline"]))


if __name__ == "__main__":
    main()
