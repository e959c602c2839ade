"""The service does what its OpenAPI document says, whatever it is asked."""

from pathlib import Path

from tests.support.service import Service
from tests.twelve_factor.report import Measure

from .fuzzing import fuzz
from .scale import scaled


def test_whatever_is_asked_the_answer_is_one_of_the_document(
    service: Service, tmp_path: Path, measure: Measure
) -> None:
    cases = fuzz(service.url, tmp_path, ["2xx", "3xx", "4xx"], int(scaled(500, 20)))
    measure("requests of all kinds, all answered as documented", cases, "", at_least=10)
    service.terminate()
    assert service.wait() == 0
    assert service.stderr() == b""
