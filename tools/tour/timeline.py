"""A timeline of a run as SVG: a column for each process, a row for each event or group of requests.

Time runs downwards, since phones are narrow. Rows are in order, but not to scale: a check
waits seconds for a start, and the requests that matter take milliseconds.
"""

from html import escape

from .recording import Run
from .rows import Row, columns_of, names_of, rows_of

WIDTH = 328
"""Of a page on a phone of 360 px, so that nothing is scaled down there."""
TIME_WIDTH = 46
TIMES = "\N{MULTIPLICATION SIGN}"
LETTER_WIDTH = 6.4
"""On average, with 12 px."""
MAX_COLUMNS = 3
TOP, SINGLE, GROUP, BOTTOM = 34, 24, 40, 8
MARK_DISTANCE, MAX_MARKS = 9, 40
SHAPES = {
    "event": '<rect class="event" x="-5" y="-2" width="10" height="4" rx="1"/>',
    "2xx": '<circle class="ok" r="4"/>',
    "3xx": '<circle class="ok" r="4"/>',
    "4xx": '<path class="rejected" d="M0-5 5 4H-5z"/>',
    "5xx": '<rect class="failed" x="-4" y="-4" width="8" height="8"/>',
    "none": '<path class="missing" d="M-4-4 4 4M-4 4 4-4"/>',
}
LEGEND = {
    "2xx": "Circle: success.",
    "4xx": "Triangle: error of the client (4xx).",
    "5xx": "Square: error of the service (5xx).",
    "none": "Cross: no response.",
}


class Timeline:
    """The picture of a run."""

    def __init__(self, run: Run) -> None:
        self.rows = rows_of(run)
        self._names = names_of(run)
        self._columns = columns_of(run, self.rows)
        self._count = max(self._columns, default=0) + 1
        self._stacked = self._count > MAX_COLUMNS
        if self._stacked:
            self._columns, self._count = [0] * len(self._columns), 1
        self._width = (WIDTH - TIME_WIDTH) / self._count

    def legend(self) -> str:
        """Return the meaning of the shapes in this picture."""
        used = {row.shape for row in self.rows}
        return " ".join(text for shape, text in LEGEND.items() if shape in used)

    def svg(self, name: str, title: str) -> str:
        """Return the picture; the name makes its ids unique on a page."""
        y, body, spans = float(TOP), [], dict[int, list[float]]()
        earlier = ""
        for row in self.rows:
            height = GROUP if row.count > 1 else SINGLE
            time = f"{row.seconds:.{2 if row.seconds < 10 else 1}f} s"
            if time != earlier:
                body.append(f'<text class="time" x="0" y="{y + 4:g}">{time}</text>')
            body += self._row(row, y)
            spans.setdefault(row.process, []).append(y)
            y, earlier = y + height, time
        described = "; ".join(self._described(row) for row in self.rows)
        box = f'viewBox="0 0 {WIDTH} {y + BOTTOM - SINGLE / 2:g}"'
        parts = [
            f'<svg class="timeline" {box} role="img" aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{escape(described)}</desc>',
            *self._headers(),
            *(self._line(number, *ys) for number, ys in spans.items()),
            *body,
            "</svg>",
        ]
        return "\n".join(parts)

    def _x(self, process: int) -> float:
        return TIME_WIDTH + self._columns[process] * self._width + 6

    def _headers(self) -> list[str]:
        made = []
        for column in range(self._count):
            names = [
                name
                for name, each in zip(self._names, self._columns, strict=True)
                if each == column
            ]
            numbers = [name.partition(" ")[2] for name in names]
            text = names[0].partition(" ")[0] + " " + ", ".join(filter(None, numbers))
            x = TIME_WIDTH + column * self._width
            made.append(f'<text class="process" x="{x:g}" y="12">{escape(text.strip())}</text>')
        return made

    def _line(self, process: int, *ys: float) -> str:
        x = self._x(process)
        return f'<path class="life" d="M{x:g} {min(ys):g}V{max(ys) + 6:g}"/>'

    def _row(self, row: Row, y: float) -> list[str]:
        x = self._x(row.process)
        kind = "label" if row.is_request else "label name"
        label = (
            f'<text class="{kind}" x="{x + 12:g}" y="{y + 4:g}">{escape(self._label(row))}</text>'
        )
        if row.count == 1:
            return [_mark(row.shape, x, y), label]
        count = f"{row.count} {TIMES}"
        first = x + 12 + len(count) * LETTER_WIDTH + 6
        space = self._x(row.process) - 6 + self._width - first - 8
        shown = min(row.count, MAX_MARKS)
        distance = min(MARK_DISTANCE, space / (shown - 1))
        marks = [_mark(row.shape, first + number * distance, y + 16) for number in range(shown)]
        counted = f'<text class="label" x="{x + 12:g}" y="{y + 20:g}">{count}</text>'
        return [_mark(row.shape, x, y), label, counted, *marks]

    def _label(self, row: Row) -> str:
        name = self._names[row.process]
        shared = self._columns.count(self._columns[row.process]) > 1
        prefix = f"{name}: " if shared and (self._stacked or not row.is_request) else ""
        longest = (self._width - 16) / LETTER_WIDTH
        candidates = [
            " · ".join(filter(None, (prefix + text, row.duration)))
            for text in (row.text, row.short)
        ]
        fitting = [text for text in candidates if len(text) <= longest]
        return fitting[0] if fitting else f"{candidates[-1][: int(longest) - 1]}…"

    def _described(self, row: Row) -> str:
        count = f"{row.count} {TIMES} " if row.count > 1 else ""
        duration = f", {row.duration}" if row.duration else ""
        return f"{row.seconds:.2f} s, {self._names[row.process]}: {count}{row.text}{duration}"


def _mark(shape: str, x: float, y: float) -> str:
    return f'<g transform="translate({x:.1f} {y:g})">{SHAPES[shape]}</g>'
