"""However many addresses are asked for, the metrics stay few."""

import re
from itertools import cycle, product

import httpx

from ..support.service import Service, fetch

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "MKCOL", "LOCK"]


def test_many_addresses_and_methods_make_few_series(shared: Service) -> None:
    paths = {*shared.get("/openapi.json").json()["paths"], "", "/docs", "/openapi.json"}
    with httpx.Client(base_url=shared.url) as client:
        for path, method, more in product(sorted(paths), METHODS, ("", "/", "/1", "?a=1")):
            client.request(method, f"{path}{more}")
        for number, method in zip(range(500), cycle(METHODS), strict=False):
            client.request(method, f"/{number}?a={number}")
    metrics = fetch(shared.metrics_url).text
    series = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert len(series) < 500
    labels = re.findall(r'_count\{http_request_method="(.*?)",.*?,http_route="(.*?)"\}', metrics)
    assert {method for method, _ in labels} == {*METHODS[:7], "_OTHER"}
    assert {route for _, route in labels} <= paths
