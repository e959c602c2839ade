"""The queries of Grafana's dashboards, as Grafana sends them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
ALL = ".*"


class Query(NamedTuple):
    """A query of a panel; the data source is `prometheus` or `logs`."""

    panel: str
    source: str
    text: str


def queries(folder: Path) -> Iterator[Query]:
    """Yield the queries of all dashboards of a service; variables have the value for all."""
    for path in sorted(folder.glob("observe/grafana/dashboards/*.json")):
        dashboard = json.loads(path.read_text())
        variables = BUILT_IN | {
            each["name"]: each["query"] if each["type"] == "constant" else ALL
            for each in dashboard.get("templating", {}).get("list", [])
        }
        for panel in panels(dashboard):
            for target in panel.get("targets", []):
                source = (target.get("datasource") or panel["datasource"])["uid"]
                parts = re.split(r"\$\{?(\w+)\}?", target["expr"])
                parts[1::2] = [variables[name] for name in parts[1::2]]
                yield Query(f"{path.stem}: {panel['title']}", source, "".join(parts))


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard, also those in rows."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])
