"""Services made from an older release of the template, edits of a team, and updates of them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.template_releases import (
    commit,
    contents,
    create,
    cruft,
    git,
    publish,
    replace,
)
from tools.pythons import UV, outside

Made = Callable[..., Path]


@pytest.fixture(scope="session")
def template_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("releases") / "template")


@pytest.fixture(scope="session")
def rendering(template_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return the render of a release with some answers; it is made once, and not to be changed."""
    made: dict[str, Path] = {}

    def render(version: str, **answers: Any) -> Path:
        key = json.dumps([version, answers])
        if key not in made:
            folder = tmp_path_factory.mktemp("render") / "in"
            made[key] = create(template_repository, version, folder, **answers)
        return made[key]

    return render


@pytest.fixture
def owned(rendering: Made, tmp_path: Path) -> Made:
    """Return a service of somebody's, under version control, edited by a function."""

    def own(version: str, edit: Callable[[Path], None], **answers: Any) -> Path:
        folder = tmp_path / "service"
        shutil.copytree(rendering(version, **answers), folder)
        commit(folder)
        edit(folder)
        if git(folder, "status", "--porcelain"):
            commit(folder)
        return folder

    return own


def nothing(_: Path) -> None:
    """Edit nothing."""


def as_a_team_does(service: Path) -> None:
    """Change the example, add a dependency, a setting and a migration, and say so."""
    (package,) = service.glob("src/*")
    placed = '    PLACED = "placed"\n'
    replace(package / "orders/model.py", placed, f'    CANCELLED = "cancelled"\n{placed}')
    replace(package / "orders/routes.py", "max_length=200", "max_length=250")
    line = f"{httptools(service)}\n"
    replace(service / "pyproject.toml", line, f'{line}    "idna==3.20",\n')
    setting = '    greeting: str = Field(default="hello", description="What is said first.")\n'
    replace(package / "settings.py", "    keep_days: int", f"{setting}    keep_days: int")
    replace(service / "README.md", "Takes orders over HTTP.", "Takes orders, gives greetings.")
    text = "# What is said first.\nGREETING=hello\n# Delete orders"
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
    """Return what a render holds after an edit."""
    shutil.copytree(service, folder)
    edit(folder)
    return contents(folder)


def conflicts(service: Path) -> list[str]:
    """Return the files that hold a conflict, and those with rejected hunks."""
    unmerged = git(service, "diff", "--name-only", "--diff-filter=U").splitlines()
    return unmerged + [str(path.relative_to(service)) for path in service.rglob("*.rej")]


def state(service: Path) -> Any:
    return json.loads((service / ".cruft.json").read_text())


def make_update(service: Path, **answers: Any) -> subprocess.CompletedProcess[str]:
    """Run `make update` as somebody would."""
    given = [f"ANSWERS={json.dumps(answers)}"] if answers else []
    return subprocess.run(
        ["make", "--silent", f"UV={UV}", "update", *given],
        cwd=service,
        env=outside(),
        capture_output=True,
        text=True,
        check=False,
    )


def must_update(service: Path, **answers: Any) -> str:
    done = make_update(service, **answers)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cruft_update(service: Path) -> None:
    """Update by cruft's own means."""
    cruft(service, "update", "--skip-apply-ask")


def must_make(service: Path, *targets: str) -> None:
    must_run(service, "make", f"UV={UV}", *targets)


def must_run(service: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=service, env=outside(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
