"""Without its database the service still does what its OpenAPI document says."""

from pathlib import Path

from tests.support.service import Proxy, Service
from tests.twelve_factor.report import Measure

from .fuzzing import fuzz
from .scale import scaled


def test_without_its_database_it_says_unavailable_and_nothing_worse(
    database_proxy: Proxy, service: Service, tmp_path: Path, measure: Measure
) -> None:
    database_proxy.cut()
    # Each answer is waited for, which leaves time for others.
    allowed, examples = ["2xx", "3xx", "4xx", "503"], int(scaled(5, 1))
    cases = fuzz(service.url, tmp_path, allowed, examples, at_once=8)
    measure("the same without a database", cases, "", at_least=10)
    assert service.get("/livez").status_code == 200
