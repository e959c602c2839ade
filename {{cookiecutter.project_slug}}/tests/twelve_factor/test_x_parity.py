"""X. Dev/prod parity: the same code, commands, versions and backing services everywhere."""

import re
import sys
from uuid import uuid4

from ..support.service import COMMAND, Service, fetch, free_ports
from . import project
from .report import Measure

IMAGE = re.compile(r"""(?m)(?:image: |IMAGE = )["']?([a-z][a-z0-9./-]*):?([\w.-]*)["']?$""")


def backing_images() -> dict[str, str]:
    """Return the tags of the images of backing services in Compose, by name."""
    services = project.compose_services().values()
    images = [made["image"] for made in services if "extends" not in made]
    named = (image.partition(":") for image in images if "$" not in image)
    return {name: version for name, _, version in named}


def test_each_backing_service_has_the_same_version_in_all_files(measure: Measure) -> None:
    versions = backing_images()
    if not versions:
        project.not_applicable("the service has no backing services")
    assert [name for name, version in versions.items() if not re.match(r"\d", version)] == []
    found: dict[str, set[str]] = {}
    for path in project.tracked():
        if path.suffix in {".py", ".yaml", ".yml"}:
            for name, version in IMAGE.findall(path.read_text(encoding="utf-8")):
                found.setdefault(name, set()).add(version)
    for name, version in versions.items():
        assert found[name] == {version}
    measure("one version of each image", len(versions), "backing services")


def test_the_python_version_is_the_same_in_all_files(measure: Measure) -> None:
    version = project.read(".python-version").strip()
    bases = [words for name, words in project.dockerfile() if name == "FROM"]
    found = [
        f"{sys.version_info.major}.{sys.version_info.minor}",
        project.declared()["requires-python"].removeprefix("==").removesuffix(".*"),
        *(re.split("[:-]", base)[1] for base in bases if base.startswith("python:")),
    ]
    assert set(found) == {version}
    measure(f"Python {version}", len(found) + 1, "places", at_least=4)


def test_development_and_production_run_the_same_command() -> None:
    package = COMMAND[-1]
    assert project.image_command()[1:] == ["-m", package, "web"]
    dev = project.read("dev/run.py")
    assert f'SERVICE = [sys.executable, "-m", "{package}"]' in dev


def test_the_log_level_does_not_affect_responses(environment: dict[str, str]) -> None:
    paths = [path for path in [*project.get_paths(), "/openapi.json"] if path != "/readyz"]
    responses = []
    for level in ("debug", "info"):
        with Service(environment | {"LOG_LEVEL": level}) as service:
            responses.append([(path, service.get(path).text) for path in paths])
    assert responses[0] == responses[1]


def test_compose_starts_the_service_and_its_backing_services(image: str, measure: Measure) -> None:
    del image  # It has filled the build cache.
    name = f"conformance-{uuid4().hex}"
    variables = {"REVISION": name, "PORT": free_ports()["PORT"]}
    command = ["compose", "--project-name", name]
    try:
        with measure.seconds("docker compose up --wait", at_most=project.COMPOSE_SECONDS):
            project.docker(*command, "up", "--build", "--wait", **variables)
        assert fetch(f"http://127.0.0.1:{variables['PORT']}/readyz").status_code == 200
    finally:
        project.docker(*command, "down", "--volumes", "--rmi", "local", **variables)
