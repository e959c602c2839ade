"""Kubernetes objects, as Kustomize renders them, and the pods that they create."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]

ROOT = Path.cwd()
"""The folder of the rendered service."""
SERVICE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
"""The name of the service and of its image."""


def select(objects: list[Object], *types: str) -> list[Object]:
    return [found for found in objects if found["kind"] in types]


def name_of(found: Object) -> str:
    """Return type and name of an object, such as `Deployment/orders-web`."""
    return f"{found['kind']}/{found['metadata']['name']}"


@dataclass(frozen=True)
class Workload:
    """A Deployment, Job or other object that creates pods, and its pod template."""

    owner: Object
    labels: dict[str, str]
    pod: Object

    def __str__(self) -> str:
        """Return the name of its owner."""
        return name_of(self.owner)

    @property
    def component(self) -> str:
        """The process that it runs, such as `web`."""
        return self.labels.get("app.kubernetes.io/component", "")

    @property
    def containers(self) -> list[Object]:
        """All containers, including those that only initialize the pod."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Container ports by name."""
        ports = (port for container in self.containers for port in container.get("ports", []))
        return {port.get("name", ""): port["containerPort"] for port in ports}

    @property
    def runs_service(self) -> bool:
        """Whether a container has the image of this service."""
        images = (found["image"].rpartition("/")[2] for found in self.containers)
        return any(image.partition("@")[0].partition(":")[0] == SERVICE for image in images)

    def matches(self, selector: Object) -> bool:
        """Return whether a label selector matches its pods; an empty one matches all."""
        assert selector.keys() <= {"matchLabels"}, f"{selector}: only matchLabels are supported"
        return bool(selector.get("matchLabels", {}).items() <= self.labels.items())


def workloads(objects: list[Object]) -> Iterator[Workload]:
    for found in objects:
        spec = found.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        if "containers" in template.get("spec", {}):
            yield Workload(found, template["metadata"]["labels"], template["spec"])


def processes(objects: list[Object]) -> list[Workload]:
    """Return the workloads that run the image of this service."""
    return [workload for workload in workloads(objects) if workload.runs_service]


def servers(objects: list[Object]) -> list[Workload]:
    """Return the processes that run until they are stopped, unlike Jobs."""
    return [each for each in processes(objects) if each.owner["kind"] == "Deployment"]


def replicas(workload: Workload, objects: list[Object]) -> tuple[int, int]:
    """Return the minimum and maximum number of pods."""
    for autoscaler in select(objects, "HorizontalPodAutoscaler"):
        spec = autoscaler["spec"]
        target = spec["scaleTargetRef"]
        if f"{target['kind']}/{target['name']}" == str(workload):
            return spec.get("minReplicas", 1), spec["maxReplicas"]
    count = workload.owner["spec"].get("replicas", 1)
    return count, count
