"""What objects say of each other: selectors and names lead to something that is there."""

from collections import Counter
from collections.abc import Iterator

from .objects import Object, Workload, called, of_kind, ours, service_name, workloads

KINDS = {
    *("ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Namespace", "NetworkPolicy"),
    *("PodDisruptionBudget", "Service", "ServiceAccount"),
}
"""What there is at least one of, wherever the service runs."""
MADE_ELSEWHERE = {
    f"{service_name()}-local": {f"{service_name()}-secrets": "make deploy makes it in the cluster"}
}
"""Secrets that no manifest makes, by namespace, each with who makes it."""


def complete(objects: list[Object]) -> Iterator[str]:
    """Everything is there that must be; nothing would be checked in an empty text."""
    for kind in sorted(KINDS - {found["kind"] for found in objects}):
        yield f"{kind}: there is none"
    if not ours(objects):
        yield "Deployment: none runs the image of this service"
    for name, count in Counter(map(called, objects)).items():
        if count > 1:
            yield f"{name}: is there {count} times"


def selectors(objects: list[Object]) -> Iterator[str]:
    """A selector of pods means those of one workload, and a policy's those of some."""
    there = [*workloads(objects)]
    for found in objects:
        spec, kind = found.get("spec", {}), found["kind"]
        if kind == "NetworkPolicy":
            if not any(pods.is_selected_by(spec["podSelector"]) for pods in there):
                yield f"{called(found)}: spec.podSelector: no pod has these labels"
            continue
        selector = {"matchLabels": spec["selector"]} if kind == "Service" else spec.get("selector")
        if selector and "matchLabels" in selector:
            chosen = [pods for pods in there if pods.is_selected_by(selector)]
            own = kind not in {"Deployment", "StatefulSet"} or chosen[:1] == _made_by(found, there)
            if len(chosen) != 1 or not own:
                names = ", ".join(map(str, chosen)) or "nothing"
                yield f"{called(found)}: spec.selector: means {names}, not one workload"
    for pods in there:
        for spread in pods.pod.get("topologySpreadConstraints", []):
            if not pods.is_selected_by(spread["labelSelector"]):
                yield f"{pods}: topologySpreadConstraints: means other pods"


def _made_by(found: Object, there: list[Workload]) -> list[Workload]:
    return [pods for pods in there if pods.made_by is found]


def names(objects: list[Object]) -> Iterator[str]:
    """What is referred to by its name is there; a Secret, or it is known who makes it."""
    there = {called(found) for found in objects} | {
        f"Secret/{found['spec']['target']['name']}" for found in of_kind(objects, "ExternalSecret")
    }
    for found in objects:
        elsewhere = MADE_ELSEWHERE.get(found["metadata"].get("namespace", ""), {})
        known = there | {f"Secret/{name}" for name in elsewhere}
        for field, name in _referred(found):
            if name not in known:
                yield f"{called(found)}: {field}: {name} is not there"
    accounts = Counter(pods.pod.get("serviceAccountName") for pods in ours(objects))
    for pods in ours(objects):
        if accounts[pods.pod.get("serviceAccountName")] > 1:
            yield f"{pods}: serviceAccountName: is that of other processes, too"
        if not pods.pod.get("serviceAccountName"):
            yield f"{pods}: serviceAccountName: is not set"


def _referred(found: Object) -> Iterator[tuple[str, str]]:
    """Yield what an object refers to by name, each after its field."""
    for pods in workloads([found]):
        if account := pods.pod.get("serviceAccountName"):
            yield "serviceAccountName", f"ServiceAccount/{account}"
        for volume in pods.pod.get("volumes", []):
            field = f"volumes.{volume['name']}"
            if "secret" in volume:
                yield field, f"Secret/{volume['secret']['secretName']}"
            if "configMap" in volume:
                yield field, f"ConfigMap/{volume['configMap']['name']}"
        for container in pods.containers:
            yield from _sources(container)
    if target := found.get("spec", {}).get("scaleTargetRef"):
        yield "spec.scaleTargetRef", f"{target['kind']}/{target['name']}"
    if found["kind"] in {"Ingress", "HTTPRoute"}:
        yield from _backends(found["spec"]["rules"])


def _sources(container: Object) -> Iterator[tuple[str, str]]:
    values = [one["valueFrom"] for one in container.get("env", []) if "valueFrom" in one]
    for source in [*container.get("envFrom", []), *values]:
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if reference := source.get(f"{field}Ref") or source.get(f"{field}KeyRef"):
                yield "env", f"{kind}/{reference['name']}"


def _backends(rules: list[Object]) -> Iterator[tuple[str, str]]:
    for rule in rules:
        for backend in rule.get("backendRefs", []):
            yield "spec.rules.backendRefs", f"Service/{backend['name']}"
        for path in rule.get("http", {}).get("paths", []):
            yield "spec.rules.http.paths", f"Service/{path['backend']['service']['name']}"
