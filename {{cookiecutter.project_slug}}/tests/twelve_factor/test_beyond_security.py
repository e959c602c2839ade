"""Beyond, security: nothing is given away, and no more is taken in than can be held."""

import json
import re

import httpx
import yaml

from ..support.service import TIMEOUT, Service
from .project import ROOT, compose, docker, last_stage, readable_paths
from .report import Measure


def test_no_answer_tells_what_serves_it(service: Service, measure: Measure) -> None:
    paths = [*readable_paths(), "/no/such/path"]
    answers = [service.get(path) for path in paths]
    measure("asked", len(answers), "paths", at_least=4)
    assert not [a for a in answers if {"server", "x-powered-by"} & a.headers.keys()]


def test_no_other_site_may_read_an_answer(service: Service) -> None:
    headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(method, f"{service.url}/version", headers=headers, timeout=TIMEOUT)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_body_that_is_too_large_is_refused(environment: dict[str, str]) -> None:
    with Service(environment | {"MAX_BODY_BYTES": "1000"}) as service:
        answer = httpx.post(f"{service.url}/version", content=b"x" * 1001, timeout=TIMEOUT)
        assert answer.status_code == 413


def test_the_image_is_run_by_nobody_and_without_rights() -> None:
    users = [rest for name, rest in last_stage() if name == "USER"]
    assert len(users) == 1
    assert re.fullmatch(r"[1-9]\d{4,}(:\d+)?", users[0])
    common = yaml.safe_load((ROOT / "compose/service.yaml").read_text(encoding="utf-8"))
    made = common["services"]["service"]
    assert made["read_only"] is True
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]


def test_no_port_but_that_of_web_is_open_to_the_host() -> None:
    published = {name: made["ports"] for name, made in compose().items() if "ports" in made}
    assert published.keys() == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_the_image_has_no_way_to_more_rights(image: str) -> None:
    find = "find / -xdev -path /proc -prune -o -type f -perm /6000 -print"
    run = ["run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", find]
    assert docker(*run).split() == []
    user = json.loads(docker("image", "inspect", image))[0]["Config"]["User"]
    assert user.partition(":")[0] not in {"", "0", "root"}
