"""Beyond, API first: the interface is a document that holds, errors included."""

import json

import httpx
import pytest

from ..support.service import TIMEOUT, Service
from .project import interface, resource
from .report import Measure

MEMBERS = {"type", "title", "status", "instance", "request_id"}


def test_what_is_served_is_what_the_command_prints(service: Service, measure: Measure) -> None:
    served = service.get("/openapi.json").json()
    printed = interface()
    measure("interface", len(printed["paths"]), "paths", at_least=3)
    assert served["paths"] == printed["paths"]
    assert served.get("components") == printed.get("components")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/no/such/path", 404), ("DELETE", "/livez", 405), ("PURGE", "/livez", 405)],
)
def test_every_error_has_one_shape(service: Service, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, service.url + path, timeout=TIMEOUT)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() >= MEMBERS


def test_what_is_invalid_is_an_error_of_that_shape(service: Service) -> None:
    made = resource()
    for sent in (b"{", b"[]", b'"text"', json.dumps(dict.fromkeys(made.example)).encode()):
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(service.url + made.path, content=sent, headers=headers)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() >= MEMBERS
