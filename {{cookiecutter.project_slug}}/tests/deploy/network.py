"""Who may connect to whom: what Compose connects, the cluster's own services, and nobody else."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from . import composed
from .objects import Object, Workload, called, of_kind, ours, workloads
from .variables import given

DNS = {(53, "UDP"), (53, "TCP")}


def closed(objects: list[Object]) -> Iterator[str]:
    """Every pod is closed in both directions, but for what policies allow."""
    policies = of_kind(objects, "NetworkPolicy")
    for pods in workloads(objects):
        found = [one["spec"] for one in policies if pods.is_selected_by(one["spec"]["podSelector"])]
        types = {each for spec in found for each in spec["policyTypes"]}
        for direction in sorted({"Ingress", "Egress"} - types):
            yield f"{pods}: {direction}: no NetworkPolicy closes it"


def bounded(objects: list[Object]) -> Iterator[str]:
    """No rule opens a pod to everybody, or to all ports of somebody."""
    for found in of_kind(objects, "NetworkPolicy"):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in found["spec"].get(direction, []):
                for field in (peers, "ports"):
                    if not rule.get(field):
                        yield f"{called(found)}: {direction}: without {field} it lets all through"
                for peer in filter(_is_everybody, rule.get(peers, [])):
                    yield f"{called(found)}: {direction}.{peers}: {peer} is everybody"


def _is_everybody(peer: Object) -> bool:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"]).endswith("/0")
    return peer.get("namespaceSelector") == {} and not peer.get("podSelector")


def connections(objects: list[Object]) -> Iterator[str]:
    """Each process may connect to exactly what it does in Compose, to DNS, and to its collector."""
    for pods in ours(objects):
        wanted: dict[tuple[object, str], str] = {
            (port, "TCP"): name for name, port in composed.backing_ports().items()
        }
        wanted |= dict.fromkeys(DNS, "DNS")
        if endpoint := given(pods, objects).get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            wanted[urlsplit(endpoint).port or 4318, "TCP"] = "OTLP"
        allowed = _allowed(pods, objects, "egress")
        for (port, protocol), name in wanted.items():
            if (port, protocol) not in allowed:
                yield f"{pods}: egress: may not connect to {name}, {protocol} {port}"
        for port, protocol in sorted(allowed - wanted.keys(), key=str):
            yield f"{pods}: egress: may connect to {protocol} {port}, which it does not use"


def entrances(objects: list[Object]) -> Iterator[str]:
    """Each port of a process is reached by somebody, and nothing else of it."""
    for pods in ours(objects):
        allowed = {port for port, _ in _allowed(pods, objects, "ingress")}
        numbers = {pods.ports.get(str(port), port) for port in allowed}
        for name, number in pods.ports.items():
            if number not in numbers:
                yield f"{pods}: ingress: nobody may connect to {name}"
        for port in sorted(numbers - set(pods.ports.values()), key=str):
            yield f"{pods}: ingress: {port} is open, where nobody listens"


def _allowed(pods: Workload, objects: list[Object], direction: str) -> set[tuple[object, str]]:
    return {
        (port["port"], port.get("protocol", "TCP"))
        for found in of_kind(objects, "NetworkPolicy")
        if pods.is_selected_by(found["spec"]["podSelector"])
        for rule in found["spec"].get(direction, [])
        for port in rule.get("ports", [])
    }
