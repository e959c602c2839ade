"""Where processes listen, and where others think that they do."""

from collections.abc import Iterator

from .objects import Object, Workload, called, of_kind, ours, workloads
from .variables import environment_of

PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def ports(objects: list[Object]) -> Iterator[str]:
    """A port that is meant by its name has that name in the pods that are meant."""
    for pods in workloads(objects):
        for found, field, port in (*_from_outside(pods, objects), *_probed(pods)):
            if isinstance(port, str) and port not in pods.ports:
                yield f"{called(found)}: {field}: {pods} has no port {port}"


def _from_outside(pods: Workload, objects: list[Object]) -> Iterator[tuple[Object, str, object]]:
    for found in of_kind(objects, "Service"):
        if pods.is_selected_by({"matchLabels": found["spec"]["selector"]}):
            for port in found["spec"]["ports"]:
                yield found, "targetPort", port.get("targetPort", port["port"])
    for found in of_kind(objects, "NetworkPolicy"):
        if pods.is_selected_by(found["spec"]["podSelector"]):
            for rule in found["spec"].get("ingress", []):
                yield from ((found, "ports", port["port"]) for port in rule.get("ports", []))


def _probed(pods: Workload) -> Iterator[tuple[Object, str, object]]:
    for container in pods.containers:
        for probe in PROBES:
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            yield pods.made_by, f"{probe}.port", port


def listening(objects: list[Object]) -> Iterator[str]:
    """A process listens where its manifest says, by its settings, and is asked how it is."""
    for pods in ours(objects):
        settings = environment_of(pods, objects)
        for name, variable in (("http", "PORT"), ("metrics", "METRICS_PORT")):
            port, configured = pods.ports.get(name), settings[variable]
            if port and str(port) != configured:
                yield f"{pods}: ports: {name} is {port}, {variable} {configured}"
        for probe, path in PROBES.items() if pods.ports else ():
            asked = pods.containers[-1].get(probe, {}).get("httpGet", {})
            if asked.get("path") != path:
                yield f"{pods}: {probe}: asks {asked.get('path')}, not {path}"
