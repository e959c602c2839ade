"""Network policies: each process has exactly the connections that it uses."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from . import compose
from .manifests import Object, Workload, name_of, processes, select, workloads
from .settings import environment


def default_deny(objects: list[Object]) -> Iterator[str]:
    """Policies restrict every pod in both directions."""
    for workload in workloads(objects):
        policies = _policies(workload, objects)
        types = {each for policy in policies for each in policy["spec"]["policyTypes"]}
        for direction in sorted({"Ingress", "Egress"} - types):
            yield f"{workload}: no NetworkPolicy restricts {direction}"


def narrow_rules(objects: list[Object]) -> Iterator[str]:
    """No rule allows all peers or all ports."""
    for policy in select(objects, "NetworkPolicy"):
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                for field in (peers, "ports"):
                    if not rule.get(field):
                        yield f"{name_of(policy)}: {direction}: allows all, without `{field}`"
                for peer in rule.get(peers, []):
                    if _is_everyone(peer):
                        yield f"{name_of(policy)}: {direction}: {peer} allows all"


def _is_everyone(peer: Object) -> bool:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"]).endswith("/0")
    return peer.get("namespaceSelector") == {} and not peer.get("podSelector")


def egress(objects: list[Object]) -> Iterator[str]:
    """Each process may connect to DNS, its backing services and its collector, no more."""
    for workload in processes(objects):
        needed: dict[tuple[object, str], str] = {(53, "UDP"): "DNS", (53, "TCP"): "DNS"}
        needed |= {(port, "TCP"): name for name, port in compose.backing_ports().items()}
        if endpoint := environment(workload, objects).get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            needed[urlsplit(endpoint).port or 4318, "TCP"] = "OTLP"
        allowed = _allowed(workload, objects, "egress")
        for port, protocol in needed.keys() - allowed:
            name = needed[port, protocol]
            yield f"{workload}: egress: {name} ({protocol} {port}) is not allowed"
        for port, protocol in allowed - needed.keys():
            yield f"{workload}: egress: {protocol} {port} is allowed, but not used"


def ingress(objects: list[Object]) -> Iterator[str]:
    """Policies allow connections to each port of a process, and to no other one."""
    for workload in processes(objects):
        allowed = {port for port, _ in _allowed(workload, objects, "ingress")}
        numbers = {workload.ports.get(str(port), port) for port in allowed}
        for name, number in workload.ports.items():
            if number not in numbers:
                yield f"{workload}: ingress: no connection to {name} is allowed"
        for port in numbers - {*workload.ports.values()}:
            yield f"{workload}: ingress: {port} is allowed, but not used"


def _policies(workload: Workload, objects: list[Object]) -> list[Object]:
    policies = select(objects, "NetworkPolicy")
    return [each for each in policies if workload.matches(each["spec"]["podSelector"])]


def _allowed(workload: Workload, objects: list[Object], direction: str) -> set[tuple[object, str]]:
    return {
        (port["port"], port.get("protocol", "TCP"))
        for policy in _policies(workload, objects)
        for rule in policy["spec"].get(direction, [])
        for port in rule.get("ports", [])
    }
