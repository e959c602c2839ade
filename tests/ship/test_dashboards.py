"""The dashboards of Grafana show metrics and log events that the service has."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.alerts import VARIANTS, alerts, load, rule_files
from tests.support.baking import Baker
from tests.support.commands import must_run, run
from tests.support.needs import need_promtool

Panel = dict[str, Any]

STANDARD = {
    "ALERTS",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "up",
}
"""Metrics of Prometheus, and of every process with a Prometheus client."""
DEFINED = re.compile(r'\b(Counter|Gauge|Histogram)(?:MetricFamily)?\(\s*"(\w+)"')
SUFFIXES = {"Counter": ["_total"], "Gauge": [""], "Histogram": ["_bucket", "_count", "_sum"]}
STRING = re.compile(r'"[^"]*"')
NOT_METRICS = re.compile(
    r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring) *\([^)]*\)"
    r"|\b(?:and|or|unless|by|on|bool|offset)\b|\b\w+ *(?=\(|\b(?:by|without)\b)|\b[\d.]+\b"
)


@pytest.fixture(scope="module", params=VARIANTS)
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(**VARIANTS[request.param])


def dashboards(service: Path) -> dict[str, Any]:
    files = sorted((service / "observe" / "grafana" / "dashboards").iterdir())
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def panels(service: Path) -> list[Panel]:
    """Return all panels but rows."""
    found = [each for board in dashboards(service).values() for each in board["panels"]]
    return [panel for panel in found if panel["type"] != "row"]


def queries(service: Path, source: str) -> list[str]:
    """Return the queries to a data source, without Grafana's variables."""
    found = [panel for panel in panels(service) if panel["datasource"]["uid"] == source]
    assert found
    texts = [target["expr"] for panel in found for target in panel["targets"]]
    return [text.replace("$__rate_interval", "5m") for text in texts]


def metrics_in(query: str) -> set[str]:
    return set(re.findall(r"[a-zA-Z_:][\w:]*", NOT_METRICS.sub(" ", STRING.sub(" ", query))))


def defined_metrics(service: Path) -> set[str]:
    """Return the metrics that the source code defines, and the recorded ones."""
    sources = "".join(path.read_text(encoding="utf-8") for path in service.rglob("src/**/*.py"))
    found = {name + s for sort, name in DEFINED.findall(sources) for s in SUFFIXES[sort]}
    groups = [group for path in rule_files(service) for group in load(path)["groups"]]
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    return found | recorded | STANDARD


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('sum by (le) (rate(a_bucket{b="c", d=~"e f"}[5m])) / 1.5', {"a_bucket"}),
        ("a:b:c > 14.4 * 0.001 and d unless on (e) f or vector(0)", {"a:b:c", "d", "f"}),
        ('time() - a{b="}"}', {"a"}),
    ],
)
def test_metrics_are_found_in_queries(query: str, names: set[str]) -> None:
    assert metrics_in(query) == names


def test_dashboards_have_only_metrics_that_the_service_defines(service: Path) -> None:
    found = {name for query in queries(service, "prometheus") for name in metrics_in(query)}
    assert found - defined_metrics(service) == set()


def test_alerts_have_only_metrics_that_the_service_defines(service: Path) -> None:
    found = {name for _, rule in alerts(service) for name in metrics_in(rule["expr"])}
    assert found - defined_metrics(service) == set()


def test_dashboards_and_panels_have_unique_titles(service: Path) -> None:
    boards = dashboards(service)
    assert boards.keys() >= {"service", "twelve-factors"}
    assert {name: board["uid"] for name, board in boards.items()} == {name: name for name in boards}
    assert len({board["title"] for board in boards.values()}) == len(boards)
    for board in boards.values():
        titles = [panel["title"] for panel in board["panels"]]
        assert len(set(titles)) == len(titles), board["title"]


def test_the_page_lists_the_dashboards(service: Path) -> None:
    page = (service / "docs" / "observe.md").read_text(encoding="utf-8")
    table = page.partition("## Dashboards")[2].partition("##")[0]
    listed = re.findall(r"^\| ([A-Z][\w ]+) \|", table, re.MULTILINE)[1:]
    assert sorted(listed) == sorted(board["title"] for board in dashboards(service).values())


def test_panels_refer_to_data_sources_that_are_provisioned(service: Path) -> None:
    file = service / "observe/grafana/provisioning/datasources/datasources.yaml"
    sources = load(file)["datasources"]
    known = {source["uid"]: source["type"] for source in sources}
    assert known.keys() == {"prometheus", "logs", "traces"}
    linked = [f for s in sources for f in s.get("jsonData", {}).get("derivedFields", [])]
    assert [field["datasourceUid"] for field in linked] == ["traces"]
    variables = [
        variable
        for board in dashboards(service).values()
        for variable in board.get("templating", {}).get("list", [])
        if variable["type"] != "constant"
    ]
    for each in panels(service) + variables:
        assert known[each["datasource"]["uid"]] == each["datasource"]["type"]


def test_panels_do_not_overlap(service: Path) -> None:
    for board in dashboards(service).values():
        places = [panel["gridPos"] for panel in board["panels"]]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        for one, other in combinations(places, 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or below, (board["title"], one, other)


def test_queries_use_only_variables_of_their_dashboard(service: Path) -> None:
    for board in dashboards(service).values():
        variables = board.get("templating", {}).get("list", [])
        named = set(re.findall(r"\$([a-z]\w*)", json.dumps(board["panels"])))
        assert named == {variable["name"] for variable in variables}, board["title"]


def test_prometheus_can_parse_the_queries(service: Path, tmp_path: Path) -> None:
    need_promtool()
    rules = [{"record": "a", "expr": query} for query in queries(service, "prometheus")]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]}))
    must_run("promtool", "check", "rules", "--lint=none", file, cwd=tmp_path)
    file.write_text(
        yaml.safe_dump({"groups": [{"name": "a", "rules": [{**rules[0], "expr": "a("}]}]})
    )
    assert run("promtool", "check", "rules", "--lint=none", file, cwd=tmp_path).returncode


def test_log_events_in_queries_are_events_of_the_service(service: Path) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in service.rglob("src/**/*.py"))
    texts = [
        re.sub(r"(?<!_msg):\S*\([^)]*\)|\w+:[~=]+\S+", "", q) for q in queries(service, "logs")
    ]
    events = {event for text in texts for event in re.findall(r'"([^"]+)"', text)}
    assert len(events) >= 10
    assert {event for event in events if f'"{event}"' not in sources} == set()
