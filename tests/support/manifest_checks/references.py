"""References between objects: selectors, names and ports match something that exists."""

from collections.abc import Iterator
from typing import Any

from .manifests import Object, Workload, name_of, select, workloads

REFERENCES = {
    "backend": "Service",
    "backendRefs": "Service",
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "scaleTargetRef": "Deployment",
    "serviceAccountName": "ServiceAccount",
}
"""Types by the field that refers to them. `make deploy` looks for Secrets in the cluster."""


def selectors(objects: list[Object]) -> Iterator[str]:
    """A selector matches the pods of one workload; that of a network policy, of any."""
    for found in select(objects, "Service", "PodDisruptionBudget", "Deployment", "StatefulSet"):
        selector = found["spec"]["selector"]
        if found["kind"] == "Service":
            selector = {"matchLabels": selector}
        matching = [str(each) for each in workloads(objects) if each.matches(selector)]
        if len(matching) != 1:
            yield f"{name_of(found)}: selector: matches {', '.join(matching) or 'no pods'}"
    for policy in select(objects, "NetworkPolicy"):
        if not any(each.matches(policy["spec"]["podSelector"]) for each in workloads(objects)):
            yield f"{name_of(policy)}: podSelector: matches no pods"
    for workload in workloads(objects):
        for constraint in workload.pod.get("topologySpreadConstraints", []):
            if not workload.matches(constraint["labelSelector"]):
                yield f"{workload}: topologySpreadConstraints: matches other pods"


def names(objects: list[Object]) -> Iterator[str]:
    """Each object that another one refers to by name exists."""
    known = {*map(name_of, objects)}
    for found in objects:
        for field, name in _references(found):
            if name not in known:
                yield f"{name_of(found)}: {field}: {name} does not exist"


def _references(part: Any) -> Iterator[tuple[str, str]]:
    """Yield each reference below a part of an object, with its field."""
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        for field, value in part.items():
            if field not in REFERENCES:
                yield from _references(value)
                continue
            for target in value if isinstance(value, list) else [value]:
                name = target if isinstance(target, str) else target.get("service", target)["name"]
                yield field, f"{REFERENCES[field]}/{name}"


def ports(objects: list[Object]) -> Iterator[str]:
    """Each port that is referred to by name is a port of the pods."""
    for workload in workloads(objects):
        for user, field, port in (*_incoming(workload, objects), *_probed(workload)):
            if isinstance(port, str) and port not in workload.ports:
                yield f"{user}: {field}: {workload} has no port {port}"


def _incoming(workload: Workload, objects: list[Object]) -> Iterator[tuple[str, str, object]]:
    for service in select(objects, "Service"):
        if workload.matches({"matchLabels": service["spec"]["selector"]}):
            for port in service["spec"]["ports"]:
                yield name_of(service), "targetPort", port.get("targetPort", port["port"])
    for policy in select(objects, "NetworkPolicy"):
        if workload.matches(policy["spec"]["podSelector"]):
            for rule in policy["spec"].get("ingress", []):
                yield from ((name_of(policy), "ports", port["port"]) for port in rule["ports"])


def _probed(workload: Workload) -> Iterator[tuple[str, str, object]]:
    for container in workload.containers:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            yield str(workload), probe, container.get(probe, {}).get("httpGet", {}).get("port")
