"""Pods are probed, stop in time, survive node drains, share the database and lack privileges."""

from collections.abc import Iterator
from math import ceil

from . import compose
from .manifests import Object, Workload, processes, replicas, select, servers
from .settings import setting

PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
MARGIN_SECONDS = 5
"""Time between the shutdown timeout of a process and its termination."""


def probes(objects: list[Object]) -> Iterator[str]:
    """Each server listens on its configured ports, and has all three probes."""
    for workload in servers(objects):
        for name, variable in (("http", "PORT"), ("metrics", "METRICS_PORT")):
            port, configured = workload.ports.get(name), setting(variable, workload, objects)
            if port and port != configured:
                yield f"{workload}: ports: {name} is {port}, but {variable} is {configured:g}"
        for probe, path in PROBES.items():
            found = workload.pod["containers"][0].get(probe, {}).get("httpGet", {})
            if found.get("path") != path:
                yield f"{workload}: {probe}: gets {found.get('path')}, not {path}"


def grace_period(objects: list[Object]) -> Iterator[str]:
    """The cluster terminates a process only after all its shutdown timeouts."""
    for workload in servers(objects):
        seconds = [
            float(_pre_stop_seconds(workload)),
            setting("DRAIN_SECONDS", workload, objects),
            setting("SHUTDOWN_SECONDS", workload, objects),
            MARGIN_SECONDS,
        ]
        allowed = workload.pod.get("terminationGracePeriodSeconds", 30)
        if allowed < sum(seconds):
            parts = " + ".join(f"{each:g}" for each in seconds)
            yield f"{workload}: terminationGracePeriodSeconds: {allowed} is less than {parts}"


def _pre_stop_seconds(workload: Workload) -> int:
    hook = workload.pod["containers"][0].get("lifecycle", {}).get("preStop", {})
    return int(hook.get("sleep", {}).get("seconds", 0))


def node_drains(objects: list[Object]) -> Iterator[str]:
    """A node drain evicts pods of every server, but never all of them at once."""
    for workload in servers(objects):
        fewest, _ = replicas(workload, objects)
        if fewest < 2:
            yield f"{workload}: replicas: a node drain stops the only pod"
        budgets = select(objects, "PodDisruptionBudget")
        found = [each["spec"] for each in budgets if workload.matches(each["spec"]["selector"])]
        if len(found) != 1:
            yield f"{workload}: has {len(found)} PodDisruptionBudgets, not 1"
        for budget in found:
            if budget.get("maxUnavailable") in {None, 0, "0%"}:
                yield f"{workload}: PodDisruptionBudget: set maxUnavailable to more than 0"


def connection_pools(objects: list[Object]) -> Iterator[str]:
    """The database accepts the connections of all pods, also during a rollout."""
    limit = compose.max_connections()
    connections = 0.0
    for workload in processes(objects) if limit < float("inf") else []:
        rollout = workload.owner["spec"].get("strategy", {}).get("rollingUpdate", {})
        surge, most = str(rollout.get("maxSurge", 0)), replicas(workload, objects)[1]
        extra = ceil(most * int(surge[:-1]) / 100) if surge.endswith("%") else int(surge)
        connections += (most + extra) * (setting("DATABASE_POOL_SIZE", workload, objects) + 1)
    if connections > limit:
        yield f"all pods have {connections:g} connections; max_connections in Compose is {limit:g}"


def privileges(objects: list[Object]) -> Iterator[str]:
    """Beyond the Pod Security Standard `restricted`, pods have no token and bounded resources."""
    for namespace in select(objects, "Namespace"):
        labels = namespace["metadata"].get("labels", {})
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "Namespace: pod-security.kubernetes.io/enforce is not restricted"
    for workload in processes(objects):
        for field in ("automountServiceAccountToken", "enableServiceLinks"):
            if workload.pod.get(field) is not False:
                yield f"{workload}: {field} is not false"
        for volume in workload.pod.get("volumes", []):
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield f"{workload}: volumes: {volume['name']} has no sizeLimit"
        for container in workload.containers:
            yield from (f"{workload}: {finding}" for finding in _of_container(container))


def _of_container(container: Object) -> Iterator[str]:
    if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
        yield "readOnlyRootFilesystem is not true"
    resources = container.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    if not limits.get("memory") or limits["memory"] != requests.get("memory"):
        yield "resources: the memory limit is not the memory request"
    if "cpu" not in requests:
        yield "resources: no CPU is requested"
