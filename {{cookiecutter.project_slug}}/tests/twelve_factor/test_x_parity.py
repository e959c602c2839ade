"""X. Dev/prod parity: the same code, commands, versions and backing services everywhere."""

import re
import sys
import tomllib
from time import perf_counter
from uuid import uuid4

import httpx

from ..support.service import COMMAND, TIMEOUT, Service, free_ports
from .project import (
    COMPOSE_SECONDS,
    ROOT,
    command_of_record,
    compose,
    docker,
    dockerfile,
    not_applicable,
    readable_paths,
    tracked,
)
from .report import Measure

IMAGE = re.compile(r"""(?m)(?:image: |IMAGE = )["']?([a-z][a-z0-9./-]*):?([\w.-]*)["']?$""")


def backing_images() -> dict[str, str]:
    """Return the image of every backing service in Compose, by name, with its version."""
    images = [made["image"] for made in compose().values() if "extends" not in made]
    others = [image for image in images if "$" not in image]
    return {name: version for name, _, version in (image.partition(":") for image in others)}


def test_backing_services_have_one_version_wherever_they_are_named(measure: Measure) -> None:
    versions = backing_images()
    if not versions:
        not_applicable("nothing is attached")
    unversioned = [name for name, version in versions.items() if not re.match(r"\d", version)]
    assert unversioned == []
    named: dict[str, set[str]] = {}
    for path in tracked():
        if path.suffix in {".py", ".yaml", ".yml"}:
            for name, version in IMAGE.findall(path.read_text(encoding="utf-8")):
                named.setdefault(name, set()).add(version)
    for name, version in versions.items():
        assert named[name] == {version}
    measure("backing services", len(versions), "images of one version each")


def test_one_version_of_python_everywhere(measure: Measure) -> None:
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bases = [rest for name, rest in dockerfile() if name == "FROM" and rest.startswith("python:")]
    found = {re.split(r"[:-]", base)[1] for base in bases}
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found | {running, project["requires-python"].removeprefix("==").removesuffix(".*")} == {
        version
    }
    measure("named", len(bases) + 3, "times, one version", at_least=4)


def test_one_command_starts_it_everywhere() -> None:
    package = COMMAND[-1]
    assert command_of_record()[1:] == ["-m", package, "web"]
    dev = (ROOT / "dev" / "run.py").read_text(encoding="utf-8")
    assert f'SERVICE = [sys.executable, "-m", "{package}"]' in dev


def test_debugging_changes_nothing_but_the_log(environment: dict[str, str]) -> None:
    answers = []
    for level in ("debug", "info"):
        with Service(environment | {"LOG_LEVEL": level}) as service:
            paths = [path for path in readable_paths() if path != "/readyz"]
            answers.append([(path, service.get(path).text) for path in [*paths, "/openapi.json"]])
    assert answers[0] == answers[1]


def test_compose_brings_everything_up(image: str, measure: Measure) -> None:
    del image  # What it is made of need not be built again.
    project = f"conformance-{uuid4().hex}"
    variables = {"REVISION": project, "PORT": free_ports()["PORT"]}
    command = ["compose", "--project-name", project]
    try:
        started = perf_counter()
        docker(*command, "up", "--build", "--wait", **variables)
        measure("up and healthy", perf_counter() - started, "s", at_most=COMPOSE_SECONDS)
        url = f"http://127.0.0.1:{variables['PORT']}"
        assert httpx.get(f"{url}/readyz", timeout=TIMEOUT).status_code == 200
    finally:
        docker(*command, "down", "--volumes", "--rmi", "local", **variables)
