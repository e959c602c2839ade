"""A cluster on this machine: its image comes from here, and its password is made there, once."""

import os
import shutil
import subprocess
import sys
from secrets import token_hex

from .cluster import kubectl
from .docker import docker, inspect
from .manifests import SERVICE, Image, Object

LOCAL = "local"
"""The overlay that brings backing services along, and takes an image that no registry has."""
LOADERS = {
    "kind-": ["kind", "load", "docker-image", "IMAGE", "--name", "CLUSTER"],
    "k3d-": ["k3d", "image", "import", "IMAGE", "--cluster", "CLUSTER"],
    "minikube": ["minikube", "image", "load", "IMAGE"],
    "docker-desktop": [],  # It runs what the engine has.
}
"""How an image gets into a cluster, by what its context is called."""


def provide() -> Image:
    """Bring the image of `make image` into the cluster; return what it is called there.

    No registry has given it a digest, so its tag is made of the image's own id: another image has
    another name here too.
    """
    context = kubectl("config", "current-context").strip()
    kind = next((name for name in LOADERS if context.startswith(name)), None)
    if kind is None:
        known = ", ".join(LOADERS)
        sys.exit(f"OVERLAY=local: the context {context} is not of this machine; known are {known}")
    built = f"{SERVICE}:{os.environ.get('REVISION', 'unknown')}"
    image = Image(SERVICE, tag=inspect(built)["Id"].removeprefix("sha256:")[:12])
    docker("tag", built, str(image))
    words = {"IMAGE": str(image), "CLUSTER": context.removeprefix(kind)}
    if LOADERS[kind]:
        load([words.get(word, word) for word in LOADERS[kind]])
    return image


def load(command: list[str]) -> None:
    """Run what loads an image, or end with its words."""
    if not shutil.which(command[0]):
        sys.exit(f"OVERLAY=local: {command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"OVERLAY=local: {' '.join(command)}: {' '.join(done.stderr.split())}")


def secret(name: str, place: str) -> Object:
    """Return a new Secret, for backing services and those who use them.

    The cluster alone keeps it; with its namespace it goes, and what it opens goes too.
    """
    password = token_hex(32)
    values = {
        "password": password,
        {% if cookiecutter.database == "mongodb" %}
        "mongodb_url": f"mongodb://app:{password}@mongodb:27017/app?authSource=admin",
        {% endif %}
        {% if cookiecutter.database == "postgresql" %}
        "database_url": f"postgresql://app:{password}@postgres:5432/app",
        {% endif %}
        {% if cookiecutter.redis %}
        "redis_url": "redis://redis:6379/0",
        {% endif %}
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": place},
        "stringData": values,
    }
