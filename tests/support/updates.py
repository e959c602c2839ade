"""Services rendered from a release of the template, edited as a team would, and updated."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.pythons import UV, outside

from .template_releases import COPIER, commit, contents, create, git, publish, replace

Renders = Callable[..., Path]


@pytest.fixture(scope="session")
def template_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("releases") / "template")


@pytest.fixture(scope="session")
def rendering(template_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Renders:
    """Return the render of a release, an engine and answers; rendered once, not to be changed."""
    renders: dict[str, Path] = {}

    def render(version: str, engine: str = COPIER, **answers: Any) -> Path:
        key = json.dumps([version, engine, answers])
        if key not in renders:
            folder = tmp_path_factory.mktemp("render") / "in"
            renders[key] = create(engine, template_repository, version, folder, **answers)
        return renders[key]

    return render


@pytest.fixture
def owned(rendering: Renders, tmp_path: Path) -> Renders:
    """Return a service in a git repository, edited by a function."""

    def own(
        version: str, edit: Callable[[Path], None], engine: str = COPIER, **answers: Any
    ) -> Path:
        folder = tmp_path / "service"
        shutil.copytree(rendering(version, engine, **answers), folder)
        commit(folder)
        edit(folder)
        if git(folder, "status", "--porcelain"):
            commit(folder)
        return folder

    return own


def nothing(_: Path) -> None:
    """Edit nothing."""


def typical_edits(service: Path) -> None:
    """Change the example; add a dependency, a setting and a migration, each documented."""
    (package,) = service.glob("src/*")
    placed = '    PLACED = "placed"\n'
    replace(package / "orders/model.py", placed, f'    CANCELLED = "cancelled"\n{placed}')
    replace(package / "orders/routes.py", "max_length=200", "max_length=250")
    line = f"{httptools(service)}\n"
    replace(service / "pyproject.toml", line, f'{line}    "idna==3.20",\n')
    setting = '    greeting: str = Field(default="hello", description="Greeting of customers.")\n'
    replace(package / "orders/settings.py", "    keep_days: int", f"{setting}    keep_days: int")
    replace(service / "README.md", "Takes orders over HTTP.", "Takes orders, gives greetings.")
    text = "# Greeting of customers.\nGREETING=hello\n# Delete orders"
    replace(service / ".env.example", "# Delete orders", text)
    first = (service / "migrations/versions/0001_orders.py").read_text()
    own = (
        first.replace('"0001"', '"0002"').replace("= None", '= "0001"').replace("orders", "rebates")
    )
    (service / "migrations/versions/0002_rebates.py").write_text(own)
    with (service / "LICENSE").open("a") as license_text:
        license_text.write("Ask us for another.\n")


def httptools(service: Path) -> str:
    lines = (service / "pyproject.toml").read_text().splitlines()
    (line,) = [line for line in lines if '"httptools==' in line]
    return line


EXAMPLE = "src/*/orders", "tests/*order*", "migrations/versions"


def without_the_example(service: Path) -> None:
    """Delete files of the example resource."""
    for pattern in EXAMPLE:
        for path in list(service.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def edited(service: Path, edit: Callable[[Path], None], folder: Path) -> dict[str, bytes]:
    """Return the files of a render after an edit."""
    shutil.copytree(service, folder)
    edit(folder)
    return contents(folder)


def conflicts(service: Path) -> list[str]:
    """Return the unmerged files and the files with rejected hunks."""
    unmerged = git(service, "diff", "--name-only", "--diff-filter=U").splitlines()
    return unmerged + [str(path.relative_to(service)) for path in service.rglob("*.rej")]


def make_update(service: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `make update`, with these options of the engine."""
    given = [f"OPTIONS={' '.join(options)}"] if options else []
    return subprocess.run(
        ["make", "--silent", f"UV={UV}", "update", *given],
        cwd=service,
        env=outside(),
        capture_output=True,
        text=True,
        check=False,
    )


def must_update(service: Path, *options: str) -> str:
    done = make_update(service, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def must_make(service: Path, *targets: str) -> None:
    must_run(service, "make", f"UV={UV}", *targets)


def must_run(service: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=service, env=outside(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
