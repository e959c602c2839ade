"""Objects of a cluster, as Kustomize renders them, and the pods that they make."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

type Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
OVERLAYS = sorted(path.parent.name for path in ROOT.glob("deploy/overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent.name for path in ROOT.glob("deploy/components/*/kust*.yaml"))


@cache
def service_name() -> str:
    """Return the name of the service, which is that of its image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["name"])


def render(folder: Path) -> str:
    """Return what Kustomize makes of a folder."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)],  # noqa: S607  # It is wherever the PATH says.
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{folder}: {done.stderr.strip()}"
    return done.stdout


def parse(text: str) -> list[Object]:
    """Return the objects of a rendered text."""
    return [found for found in yaml.safe_load_all(text) if found]


def called(found: Object) -> str:
    """Return an object's kind and name, as findings begin."""
    return f"{found['kind']}/{found['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


@dataclass(frozen=True)
class Workload:
    """An object that makes pods, and what these are."""

    made_by: Object
    labels: dict[str, str]
    pod: Object

    def __str__(self) -> str:
        """Return how findings call it."""
        return called(self.made_by)

    @property
    def component(self) -> str:
        """Return which process it is."""
        return self.labels.get("app.kubernetes.io/component", "")

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Return the ports that its containers name."""
        each = (port for found in self.containers for port in found.get("ports", []))
        return {port.get("name", ""): port["containerPort"] for port in each}

    @property
    def is_ours(self) -> bool:
        """Tell whether it runs the image of this service."""
        return any(bare(found["image"]) == service_name() for found in self.containers)

    @property
    def is_endless(self) -> bool:
        return self.made_by["kind"] not in {"Job", "CronJob"}

    def is_selected_by(self, selector: Object) -> bool:
        """Tell whether a selector of labels means its pods; an empty one means all."""
        wanted = selector.get("matchLabels", {})
        assert selector.keys() <= {"matchLabels"}, f"{selector} is more than labels"
        return bool(wanted.items() <= self.labels.items())


def workloads(objects: list[Object]) -> Iterator[Workload]:
    """Yield everything that makes pods."""
    for found in objects:
        spec = found.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        if "containers" in template.get("spec", {}):
            yield Workload(found, template["metadata"]["labels"], template["spec"])


def ours(objects: list[Object]) -> list[Workload]:
    """Return the workloads that run the image of this service."""
    return [workload for workload in workloads(objects) if workload.is_ours]


def bare(image: str) -> str:
    """Return the name of an image without registry, tag and digest."""
    return re.split("[:@]", image.rpartition("/")[2])[0]


def replicas(workload: Workload, objects: list[Object]) -> tuple[int, int]:
    """Return the fewest and the most pods that a workload is meant to have."""
    for found in of_kind(objects, "HorizontalPodAutoscaler"):
        target, spec = found["spec"]["scaleTargetRef"], found["spec"]
        if called(workload.made_by) == f"{target['kind']}/{target['name']}":
            return spec.get("minReplicas", 1), spec["maxReplicas"]
    count = workload.made_by["spec"].get("replicas", 1)
    return count, count
