"""Without its database the service still does what its OpenAPI document says."""

import os
from pathlib import Path

from tests.proxy import Proxy
from tests.service import Service

from .fuzzing import fuzz

CASES = int(os.environ.get("FUZZ_CASES", "2000"))


def test_without_its_database_it_says_unavailable_and_nothing_worse(
    database_proxy: Proxy, service: Service, tmp_path: Path
) -> None:
    database_proxy.cut()
    # Each answer is waited for, which leaves time for others.
    cases = fuzz(service.url, tmp_path, ["2xx", "3xx", "4xx", "503"], CASES // 400, at_once=8)
    print(f"{cases} cases")
    assert cases > 10
    assert service.get("/livez").status_code == 200
