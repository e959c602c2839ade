"""What is true only if figures in several places agree: drains of nodes, time to stop, pools."""

from collections.abc import Iterator

from . import composed
from .objects import Object, Workload, called, of_kind, ours, replicas
from .variables import environment_of

RESERVE = 5
"""Seconds by which a process may be late before it is killed."""


def drains(objects: list[Object]) -> Iterator[str]:
    """Each process survives that a node is emptied, and its budget never keeps a node from it."""
    budgets = of_kind(objects, "PodDisruptionBudget")
    for pods in (each for each in ours(objects) if each.is_endless):
        fewest, _ = replicas(pods, objects)
        if fewest < 2:
            yield f"{pods}: replicas: {fewest} is none while its node is emptied"
        found = [one for one in budgets if pods.is_selected_by(one["spec"]["selector"])]
        if len(found) != 1:
            yield f"{pods}: has {len(found)} PodDisruptionBudgets, not one"
        for budget in found:
            if _evictable(budget["spec"], fewest) < 1:
                yield f"{called(budget)}: spec: lets no pod of {fewest} go, so no node is emptied"


def _evictable(spec: Object, count: int) -> int:
    if "maxUnavailable" in spec:
        return -(-_share(spec["maxUnavailable"], count) // 100)
    return (count * 100 - _share(spec["minAvailable"], count)) // 100


def _share(value: int | str, count: int) -> int:
    """Return hundredths of pods, for a number of them or a percentage."""
    return value * 100 if isinstance(value, int) else int(value.rstrip("%")) * count


def grace(objects: list[Object]) -> Iterator[str]:
    """A process is killed only after all the time that it may take to stop."""
    for pods in (each for each in ours(objects) if each.is_endless):
        settings = environment_of(pods, objects)
        drain, shutdown = settings["DRAIN_SECONDS"], settings["SHUTDOWN_SECONDS"]
        parts = [_sleep(pods), float(drain), float(shutdown), RESERVE]
        allowed = pods.pod.get("terminationGracePeriodSeconds", 30)
        if allowed < sum(parts):
            said = " + ".join(f"{part:g}" for part in parts)
            yield f"{pods}: terminationGracePeriodSeconds: {allowed} is less than {said}"


def _sleep(pods: Workload) -> float:
    hooks = [one.get("lifecycle", {}).get("preStop", {}) for one in pods.containers]
    return float(max(hook.get("sleep", {}).get("seconds", 0) for hook in hooks))


def pools(objects: list[Object]) -> Iterator[str]:
    """All processes at once, with one more of each while they are replaced, find connections."""
    limit = composed.most_connections()
    if limit is None:
        return
    parts = {}
    for pods in ours(objects):
        pool = int(environment_of(pods, objects)["DATABASE_POOL_SIZE"]) + 1
        surge = pods.made_by["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0)
        parts[str(pods)] = (replicas(pods, objects)[1] + int(surge)) * pool
    if sum(parts.values()) > limit:
        said = ", ".join(f"{name} {count}" for name, count in parts.items())
        yield f"connections: {said}: {sum(parts.values())} is more than the {limit} of Compose"
