"""A repository with two releases of the template: one that differs, and the current files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import copier_config
from tools.pythons import newest_python

from .template import ROOT, SERVICE, files_of

OLDER, NEWER = "2001.2.3", "2002.3.4"
AUTHOR = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
PARTS = ("cookiecutter.json", "hooks", "templates", SERVICE.name)
PACKAGE = "src/{{cookiecutter.package_name}}"
COPIER, CRUFT = "copier", "cruft"
ENGINES = (COPIER, CRUFT)
STATE = {COPIER: ".copier-answers.yml", CRUFT: ".cruft.json"}
"""The file in which an engine records the template and the answers of a service."""

OLD_LINES: dict[str, tuple[str, str]] = {
    "Makefile": ("Stop the containers; their data is kept", "Stop the containers"),
    "README.md": ("Prometheus metrics |", "its metrics, for Prometheus |"),
    ".env.example": ("HSTS_SECONDS=0\n", "HSTS_SECONDS=1\n"),
    "pyproject.toml": ('"fastapi==', '"fastapi>0,=='),
    f"{PACKAGE}/chassis/http/settings.py": (
        "        default=0, ge=0, ",
        "        default=1, ge=0, ",
    ),
    f"{PACKAGE}/settings.py": (
        "of the chassis that it uses, and its own",
        "of the chassis, and others",
    ),
    f"{PACKAGE}/orders/routes.py": ('"""Body of `POST /orders`."""', '"""An order."""'),
    ".github/workflows/ci.yml": ("timeout-minutes: 20", "timeout-minutes: 21"),
}
"""A line of a file now, and in the older release."""
ADDED = ("docs/operations.md", f"{PACKAGE}/chassis/http/middleware.py")
"""Files that the older release did not have."""
REMOVED = "dev/retired.py"
"""A file of services with a database that only the older release had."""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return its output."""
    done = subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def commit(folder: Path) -> None:
    """Commit all files of a folder, which becomes a repository if it is not in one."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")


def publish(template: Path) -> Path:
    """Create a repository with both releases; return its folder."""
    template.mkdir()
    copy_files(template)
    make_older(template)
    release(template, OLDER)
    copy_files(template)
    release(template, NEWER)
    return template


def copy_files(template: Path) -> None:
    """Replace the files of the template by those of this working tree."""
    for part in PARTS:
        source, target = ROOT / part, template / part
        if source.is_file():
            shutil.copy(source, target)
            continue
        shutil.rmtree(target, ignore_errors=True)
        for name in files_of(source):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)


def make_older(template: Path) -> None:
    """Change lines, files and declarations to those of the older release."""
    service = template / SERVICE.name
    for name, (now, before) in OLD_LINES.items():
        replace(service / name, now, before)
    for name in ADDED:
        (service / name).unlink()
    (service / REMOVED).write_text('"""Retired."""\n')
    declared = json.loads((template / "cookiecutter.json").read_text())
    declared["_features"]["database!=none"].append(REMOVED)
    declared["_reserved"] = ["retired"]
    (template / "cookiecutter.json").write_text(json.dumps(declared))


def release(template: Path, version: str) -> None:
    """Commit and tag the files as a release."""
    path = template / "cookiecutter.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"_version": version}, indent=2))
    (template / "copier.yml").write_text(copier_config.text(template))
    commit(template)
    git(template, "tag", version)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text wherever it occurs in a file."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def engine(name: str, folder: Path, *arguments: str) -> str:
    """Run Copier or cruft; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name} {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def create(name: str, template: Path, version: str, folder: Path, **answers: Any) -> Path:
    """Render a release with an engine in a folder; return the folder of the service."""
    folder.mkdir(parents=True)
    given = {"python_version": newest_python()} | answers
    if name == COPIER:
        data = [f"--data={question}={answer}" for question, answer in given.items()]
        options = ("--quiet", "--defaults", "--vcs-ref", version, *data)
        engine(COPIER, folder, "copy", *options, str(template), "order-service")
    else:
        options = ("--no-input", "--default-config", "--extra-context", json.dumps(given))
        engine(CRUFT, folder, "create", str(template), "--checkout", version, *options)
    (service,) = folder.iterdir()
    return service


def contents(service: Path) -> dict[str, bytes]:
    """Return all files by path, without git's and those in which engines record their state."""
    return {
        name: (service / name).read_bytes()
        for name in files_of(service)
        if not name.startswith((".git/", ".reports/")) and name not in STATE.values()
    }
