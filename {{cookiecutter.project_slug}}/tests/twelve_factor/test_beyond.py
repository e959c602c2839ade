"""Beyond the twelve factors: API first, and security."""

import json
import re

import pytest
import yaml

from ..support.service import Service, fetch
from . import project
from .report import Measure

MEMBERS = {"type", "title", "status", "instance", "request_id"}


def test_the_served_openapi_document_is_the_printed_one(service: Service, measure: Measure) -> None:
    served = service.get("/openapi.json").json()
    printed = project.openapi()
    measure("OpenAPI document", len(printed["paths"]), "paths", at_least=3)
    assert served["paths"] == printed["paths"]
    assert served.get("components") == printed.get("components")


def test_probes_respond_to_head(service: Service) -> None:
    for path in ("/livez", "/readyz", "/version"):
        response = fetch(service.url + path, "HEAD")
        assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/no/such/path", 404), ("DELETE", "/livez", 405), ("PURGE", "/livez", 405)],
)
def test_errors_are_problem_documents(
    service: Service, method: str, path: str, status: int
) -> None:
    response = fetch(service.url + path, method)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json().keys() >= MEMBERS


def test_validation_errors_are_problem_documents(service: Service) -> None:
    resource = project.example_resource()
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b'"text"', json.dumps(dict.fromkeys(resource.body)).encode()):
        response = fetch(service.url + resource.path, "POST", content=body, headers=headers)
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json().keys() >= MEMBERS


def test_responses_do_not_name_the_server_software(service: Service, measure: Measure) -> None:
    responses = [service.get(path) for path in [*project.get_paths(), "/no/such/path"]]
    measure("without a server header", len(responses), "responses", at_least=4)
    disclosing = {"server", "via", "x-powered-by"}
    assert not [response for response in responses if disclosing & response.headers.keys()]


def test_cross_origin_requests_are_not_allowed_by_default(service: Service) -> None:
    headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        response = fetch(f"{service.url}/version", method, headers=headers)
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_body_over_the_limit_is_rejected(environment: dict[str, str]) -> None:
    with Service(environment | {"MAX_BODY_BYTES": "1000"}) as service:
        assert fetch(f"{service.url}/version", "POST", content=b"x" * 1001).status_code == 413


def test_containers_are_unprivileged_with_a_read_only_root_file_system() -> None:
    (user,) = (rest for name, rest in project.runtime_stage() if name == "USER")
    assert re.fullmatch(r"[1-9]\d{4,}(:\d+)?", user)
    common = yaml.safe_load(project.read("compose/service.yaml"))
    made = common["services"]["service"]
    assert made["read_only"] is True
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]


def test_compose_publishes_only_the_port_of_web_and_on_loopback() -> None:
    published = {
        n: made["ports"] for n, made in project.compose_services().items() if "ports" in made
    }
    assert published.keys() == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_image_contains_no_setuid_or_setgid_files(image: str) -> None:
    find = "find / -xdev -path /proc -prune -o -type f -perm /6000 -print"
    run = ["run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", find]
    assert project.docker(*run).split() == []
