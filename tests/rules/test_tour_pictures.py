"""Pictures of the tour: which of the recorded events are drawn, and how."""

import json
import re

import pytest

from tests.support.html import Page
from tools.tour import bars
from tools.tour.changes import Change
from tools.tour.process_log import ProcessLog
from tools.tour.recording import Event, Process, Recording, Run, run_of
from tools.tour.rows import MAX_ROWS, columns_of, rows_of
from tools.tour.timeline import MAX_COLUMNS, MAX_MARKS, TIMES, WIDTH, Timeline

KILLED = -9
WEB = Process("web", 99, KILLED)


def request(seconds: float, status: int, process: int = 0, path: str = "/orders") -> Event:
    return Event(process, seconds, "request", "GET", path, 1.0, status)


def run(*events: Event, processes: tuple[Process, ...] = (WEB,)) -> Run:
    return Run([], list(processes), list(events))


def texts(*events: Event, processes: tuple[Process, ...] = (WEB,)) -> list[str]:
    return [f"{row.count} {row.text}" for row in rows_of(run(*events, processes=processes))]


def test_few_events_are_drawn_one_by_one_in_their_order() -> None:
    found = texts(Event(0, 0, "listening"), request(1, 200), request(2, 404), request(3, 200))
    assert found == [
        "1 listening",
        "1 GET /orders 200",
        "1 GET /orders 404",
        "1 GET /orders 200",
    ]


def test_many_requests_are_merged_but_not_across_other_events() -> None:
    before = [request(number / 100, (200, 503)[number % 2]) for number in range(100)]
    after = [request(2 + number / 100, 200) for number in range(50)]
    found = texts(*before, Event(0, 1, "draining"), *after)
    assert found == ["50 GET /orders 200", "50 GET /orders 503", "1 draining", "50 GET /orders 200"]


def test_identifiers_in_paths_do_not_prevent_merging() -> None:
    uuid = "0f9d4d61-4dfb-4e44-a8d0-00858d1423{:02}"
    many = [request(number, 200, path=f"/orders/{uuid.format(number)}") for number in range(20)]
    assert texts(*many) == ["20 GET /orders/… 200"]


def test_a_request_without_a_response_has_another_shape_and_its_duration() -> None:
    (row,) = rows_of(run(Event(0, 8, "ReadTimeout", "GET", "/livez", 8012.3)))
    assert (row.text, row.shape, row.duration) == ("GET /livez ReadTimeout", "none", "8.0 s")


def test_each_class_of_responses_has_another_shape() -> None:
    shapes = [row.shape for row in rows_of(run(request(1, 200), request(2, 404), request(3, 503)))]
    assert shapes == ["2xx", "4xx", "5xx"]
    picture = Timeline(run(request(1, 200), request(2, 404)))
    assert picture.legend() == "Circle: success. Triangle: error of the client (4xx)."


@pytest.mark.parametrize(
    ("status", "end", "found"),
    [
        (KILLED, 1, ["1 GET /orders 200", "1 killed by the check", "1 GET /orders 200"]),
        (KILLED, 5, ["1 GET /orders 200", "1 GET /orders 200"]),
        (143, 5, ["1 GET /orders 200", "1 GET /orders 200", "1 exit status 143"]),
        (0, 1, ["1 GET /orders 200", "1 GET /orders 200"]),
    ],
)
def test_the_end_of_a_process_is_drawn_if_it_matters(
    status: int, end: float, found: list[str]
) -> None:
    processes = (Process("web", end, status), WEB)
    assert texts(request(0, 200), request(2, 200, process=1), processes=processes) == found


def test_processes_share_a_column_if_they_follow_each_other() -> None:
    processes = (Process("web", 1), Process("web", 3), Process("web", 3))
    drawn = run(request(0, 200), request(1, 200, 1), request(2, 200, 2), processes=processes)
    assert columns_of(drawn, rows_of(drawn)) == [0, 0, 1]


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_everything_is_inside_of_the_picture(count: int) -> None:
    processes = tuple(Process("web", 9) for _ in range(count))
    events = [
        request(number / 1000, 200, number % count, "/a/long/path/to/a/resource")
        for number in range(1000)
    ]
    picture = Timeline(run(*events, processes=processes))
    assert len(picture.rows) == count <= MAX_ROWS
    svg = picture.svg("one", "Title")
    places = [float(x) for x in re.findall(r"translate\(([\d.]+)", svg)]
    assert max(places) + 4 <= WIDTH
    assert len(places) == count * (MAX_MARKS + 1)
    headers = re.findall('class="process"', svg)
    assert len(headers) == (count if count <= MAX_COLUMNS else 1)


def test_a_picture_is_described_in_words() -> None:
    svg = Timeline(run(*[request(number, 404) for number in range(20)])).svg("one", "A <title>")
    assert '<title id="one-title">A &lt;title&gt;</title>' in svg
    assert f'<desc id="one-desc">0.00 s, web: 20 {TIMES} GET /orders 404</desc>' in svg
    assert set(Page(svg).references()) == {"one-title", "one-desc"}


def test_a_line_that_is_not_an_event_is_drawn_after_the_line_before_it() -> None:
    lines = ['{"ts": "2026-11-29T12:00:00Z", "event": "listening"}\n', "stopped\n"]
    process = {"command": "web", "lines": lines, "status": 0, "end": None}
    made = run_of("1 passed \n\n", {"processes": [process], "requests": []})
    assert made.output == ["1 passed"]
    assert [event.name for event in made.events] == ["listening", "not an event: stopped"]


def test_requests_of_clients_are_added_if_they_are_not_in_the_log() -> None:
    line = {"ts": "2026-11-29T12:00:00Z", "event": "request", "method": "GET", "path": "/orders"}
    process = {"command": "web", "lines": [json.dumps(line | {"status": 200})]}
    sent = {"process": 0, "time": 1795953601, "method": "GET", "path": "/orders", "status": 200}
    made = run_of(
        "",
        {
            "processes": [process | {"status": 0, "end": None}],
            "requests": [
                sent | {"event": "request"},
                sent | {"event": "request", "path": "/livez"},
                sent | {"event": "request", "path": "/livez"},
                sent | {"event": "ReadTimeout", "status": None},
                sent | {"event": "request", "process": None},
            ],
        },
    )
    assert [(each.seconds, each.name, each.path, each.status) for each in made.events] == [
        (0, "request", "/orders", 200),
        (1, "request", "/livez", 200),
        (1, "request", "/livez", 200),
        (1, "ReadTimeout", "/orders", None),
    ]


def test_requests_belong_to_the_newest_process_with_their_port() -> None:
    log = ProcessLog()
    for port in (8000, 8001, 8000):
        log.processes.append(type("Service", (), {"url": f"http://127.0.0.1:{port}"}))
    assert [log.process_at(port) for port in (8000, 8001, 9000)] == [2, 1, None]


def measured(*values: str) -> Run:
    return Run([f"    failed: {value} (at most 1,000)" for value in values], [], [])


def test_bars_are_drawn_if_the_bug_is_out_of_bounds() -> None:
    made = bars.svg(
        Recording("3.14", [], measured("1,200 requests"), measured("0 requests")), "bars"
    )
    widths = [float(width) for width in re.findall(r'<rect class="\w+" .* width="([\d.]+)"', made)]
    assert widths[0] > 50
    assert widths[1] < 10
    assert "1,200 requests ✗" in made
    assert "failed, fixed: 0 requests" in made
    assert bars.svg(Recording("3.14", [], measured("1 s"), measured("0 s")), "bars") == ""
    assert bars.svg(Recording("3.14", [], measured("2,000 s"), measured()), "bars") == ""


SOURCE = '''
@decorated
def first(
    one: int,
) -> int:
    """Text."""

    return one


class Second:
    async def third(self) -> None:
        old = 1
        return old
'''


@pytest.mark.parametrize(
    ("fixed", "first", "last"),
    [("    return one", 2, 8), ("        old = 1", 12, 14), ("class Second:", 5, 14)],
)
def test_an_excerpt_is_the_function_around_the_fix(fixed: str, first: int, last: int) -> None:
    right = SOURCE.splitlines()
    change = Change("x.py", [line for line in right if line != fixed], right)
    excerpt = change.excerpt()
    assert (excerpt.first, excerpt.last) == (first, last)
    assert [line for number, line in enumerate(right, 1) if number in excerpt.fixed] == [fixed]
    assert f"+{fixed}" in change.fix()
    assert f"-{fixed}" in change.bug()
