"""The objects of the Prometheus operator: copies of the alert rules, and the pods to scrape."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pytest_cookies.plugin import Cookies

from tests.support.alerts import VARIANTS, load, rule_files
from tests.support.baking import Baker
from tests.support.commands import make, must_run
from tests.support.kubernetes_manifests import OVERLAYS, Object, components, parse, released
from tests.support.needs import lack, need_kubectl

OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
TYPES = {"PodMonitor": "podmonitors", "PrometheusRule": "prometheusrules"}


@pytest.fixture(scope="module", params=VARIANTS)
def service(request: pytest.FixtureRequest, cookies_session: Cookies) -> Path:
    return Baker(cookies_session).bake(**VARIANTS[request.param])


@pytest.fixture(scope="module")
def objects(service: Path) -> list[Object]:
    """Return the objects of an overlay that uses the component."""
    need_kubectl()
    overlays = {name: released(service, name, "order-service") for name in OVERLAYS}
    return parse(components(service, overlays)["alerts"])


@pytest.fixture(scope="module")
def schemas() -> dict[str, Draft202012Validator]:
    """Return the schemas of the operator's resources, which the Go module proxy has."""
    go = shutil.which("go") or lack("Go is not installed")
    module = json.loads(must_run(go, "mod", "download", "-json", OPERATOR, cwd=Path("/")))
    folder = Path(module["Dir"]) / "example" / "prometheus-operator-crd"
    found = {}
    for kind, plural in TYPES.items():
        definition = load(folder / f"monitoring.coreos.com_{plural}.yaml")
        (version,) = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
        found[kind] = Draft202012Validator(strict(version["schema"]["openAPIV3Schema"]))
    return found


def strict(schema: Any) -> Any:
    """Return a schema that also finds unknown fields, other than those of `metadata`."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def select(objects: list[Object], kind: str) -> list[Object]:
    return [found for found in objects if found["kind"] == kind]


def test_rules_are_those_of_the_folder_observe(service: Path, objects: list[Object]) -> None:
    found = {
        each["metadata"]["name"]: each["spec"]["groups"]
        for each in select(objects, "PrometheusRule")
    }
    files = {f"alerts-{path.stem}": load(path)["groups"] for path in rule_files(service)}
    assert found == files


def test_all_processes_are_scraped_and_named_by_the_label_job(objects: list[Object]) -> None:
    (monitor,) = select(objects, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    for process in select(objects, "Deployment"):
        template = process["spec"]["template"]
        labels = template["metadata"]["labels"]
        is_selected = monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        component = labels[monitor["spec"]["jobLabel"]]
        assert is_selected == (component != "backing-service")
        if is_selected:
            assert process["metadata"]["name"] == f"order-service-{component}"
            (container,) = template["spec"]["containers"]
            assert endpoint["port"] in {port["name"] for port in container["ports"]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_objects_match_the_schemas_of_the_operator(
    kind: str, objects: list[Object], schemas: dict[str, Draft202012Validator]
) -> None:
    found = select(objects, kind)
    assert found
    for each in found:
        assert [error.message for error in schemas[kind].iter_errors(each)] == []
    unknown = found[0] | {"spec": found[0]["spec"] | {"jobLabels": "a"}}
    assert list(schemas[kind].iter_errors(unknown)) != []


def test_make_check_finds_a_copy_that_is_not_up_to_date(cookies_session: Cookies) -> None:
    service = Baker(cookies_session).bake(**VARIANTS["full"])
    assert make(service, "check-alerts").returncode == 0
    rules = service / "observe" / "alerts" / "jobs.yaml"
    rules.write_text(rules.read_text().replace("> 300", "> 600"))
    done = make(service, "check-alerts")
    assert done.returncode
    assert "Run make alerts" in done.stdout
    assert make(service, "alerts").returncode == 0
    assert make(service, "check-alerts").returncode == 0
    assert "> 600" in (service / "deploy/components/alerts/jobs.yaml").read_text()
