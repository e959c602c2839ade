"""The service does what its OpenAPI document says, whatever it is asked."""

import os
from pathlib import Path

from tests.service import Service

from .fuzzing import fuzz

CASES = int(os.environ.get("FUZZ_CASES", "2000"))


def test_whatever_is_asked_the_answer_is_one_of_the_document(
    service: Service, tmp_path: Path
) -> None:
    cases = fuzz(service.url, tmp_path, ["2xx", "3xx", "4xx"], CASES // 4)
    print(f"{cases} cases")
    assert cases > 10
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""
