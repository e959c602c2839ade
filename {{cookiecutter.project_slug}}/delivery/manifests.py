"""What an overlay asks a cluster for, with a release in it."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .cluster import kubectl

OVERLAYS = Path("deploy/overlays")
FOLDER = Path(".reports/deploy")
"""Where the release is put on top of an overlay, so that no file of the repository is edited."""
SERVICE = "{{ cookiecutter.project_slug }}"
"""What the manifests call the image, and whose the processes are."""
VERSION = "app.kubernetes.io~1version"

type Object = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """An image by its digest; or by a tag, where it comes from no registry."""

    name: str
    digest: str = ""
    tag: str = ""

    def __str__(self) -> str:
        """Return what stands in a manifest."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def version(self) -> str:
        """What tells it from others, in few characters."""
        return (self.digest.removeprefix("sha256:") or self.tag)[:12]


def rendered(overlay: str, image: Image) -> list[Object]:
    """Return the objects of an overlay with an image in place of the service's."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../../{OVERLAYS / overlay}"],
        "images": [{"name": SERVICE, "newName": image.name, **_point(image)}],
        "patches": [
            _labelled("Deployment|Job", "/spec/template", image.version),
            _labelled("CronJob", "/spec/jobTemplate/spec/template", image.version),
        ],
    }
    (FOLDER / "kustomization.yaml").write_text(json.dumps(kustomization, indent=2))
    objects = [found for found in yaml.safe_load_all(kubectl("kustomize", str(FOLDER))) if found]
    for job in (found for found in objects if found["kind"] == "Job"):
        # What a Job does cannot be changed, and what is the same need not be done again.
        content = hashlib.sha256(json.dumps(job["spec"], sort_keys=True).encode()).hexdigest()
        job["metadata"]["name"] += f"-{image.version}-{content[:6]}"
    (FOLDER / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    return objects


def _point(image: Image) -> dict[str, str]:
    return {"digest": image.digest} if image.digest else {"newTag": image.tag}


def _labelled(kinds: str, template: str, version: str) -> Object:
    """Return a patch that labels the processes of the service, and their pods, with a version."""
    paths = (f"{part}/metadata/labels/{VERSION}" for part in ("", template))
    return {
        "target": {"kind": kinds, "labelSelector": f"app.kubernetes.io/name={SERVICE}"},
        "patch": json.dumps([{"op": "add", "path": path, "value": version} for path in paths]),
    }


def named(found: Object) -> str:
    """Return an object's name as `kubectl` takes it."""
    return f"{found['kind'].lower()}/{found['metadata']['name']}"


def namespace(found: Object) -> list[str]:
    """Return the option that names an object's namespace, if it has one."""
    name = found["metadata"].get("namespace")
    return [f"--namespace={name}"] if name else []


def pod(found: Object) -> Object | None:
    """Return what an object says of its pods, if it has any."""
    spec = found.get("spec") or {}
    if found["kind"] == "Pod":
        return dict(spec)
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    inner = (spec.get("template") or {}).get("spec") or {}
    return inner if "containers" in inner else None


def images(found: Object) -> set[str]:
    """Return the images of an object's containers."""
    spec = pod(found) or {}
    return {one["image"] for one in [*spec.get("initContainers", []), *spec.get("containers", [])]}
