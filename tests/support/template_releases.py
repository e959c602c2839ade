"""Releases of the template in a repository of their own: one that differs, and this one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.pythons import newest_python

from .template import ROOT, SERVICE, files_of

OLDER, NEWER = "2001-02-03", "2002-03-04"
AUTHOR = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
PARTS = ("cookiecutter.json", "hooks", "templates", SERVICE.name)
PACKAGE = "src/{{cookiecutter.package_name}}"

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
    f"{PACKAGE}/orders/routes.py": ('"""Body of `POST /orders`."""', '"""What is asked for."""'),
    ".github/workflows/ci.yml": ("timeout-minutes: 20", "timeout-minutes: 21"),
}
"""What one line of a file says now, and what it said in the older release."""
NOT_YET = ("tests/chassis/test_stdout.py", f"{PACKAGE}/chassis/http/middleware/cors.py")
"""Files that the older release had not."""
NO_MORE = "dev/retired.py"
"""A file of services with a database that only the older release had."""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, in the name of somebody."""
    done = subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def commit(folder: Path) -> None:
    """Commit everything in a folder, as a repository of its own."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")


def publish(template: Path) -> Path:
    """Make a repository of both releases; return its folder."""
    template.mkdir()
    take_over(template)
    make_older(template)
    release(template, OLDER, f"## {OLDER}\n\n### BREAKING\n\nNothing.\n")
    take_over(template)
    first = (template / "CHANGELOG.md").read_text().partition("\n\n")[2]
    told = f"### BREAKING\n\nRename the widgets.\n\n### New\n\n- Cross-origin requests.\n\n{first}"
    release(template, NEWER, f"## {NEWER}\n\n{told}")
    return template


def take_over(template: Path) -> None:
    """Replace what is rendered by that of this working tree."""
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
    """Undo some of what stands there, in files and in the manifest."""
    service = template / SERVICE.name
    for name, (now, before) in OLD_LINES.items():
        replace(service / name, now, before)
    for name in NOT_YET:
        (service / name).unlink()
    (service / NO_MORE).write_text('"""Retired."""\n')
    declared = json.loads((template / "cookiecutter.json").read_text())
    declared["_features"]["database!=none"].append(NO_MORE)
    declared["_reserved"] = ["retired"]
    (template / "cookiecutter.json").write_text(json.dumps(declared))


def release(template: Path, version: str, told: str) -> None:
    """Commit what stands there as a release, with what the changelog tells of it."""
    path = template / "cookiecutter.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"_version": version}, indent=2))
    (template / "CHANGELOG.md").write_text(f"# Changelog\n\n{told}")
    commit(template)
    git(template, "tag", version)


def replace(path: Path, old: str, new: str) -> None:
    """Replace what stands in a file, wherever it does."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def cruft(folder: Path, *arguments: str) -> str:
    """Run cruft as people do; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "cruft", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"cruft {arguments}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def create(template: Path, version: str, folder: Path, **answers: Any) -> Path:
    """Render a release by `cruft create` into a folder; return the service's."""
    folder.mkdir(parents=True)
    given = json.dumps({"python_version": newest_python()} | answers)
    options = ("--no-input", "--default-config", "--extra-context", given)
    cruft(folder, "create", str(template), "--checkout", version, *options)
    (service,) = folder.iterdir()
    return service


def contents(service: Path) -> dict[str, bytes]:
    """Return every file but those of git, cruft and reports, by its path."""
    return {
        name: (service / name).read_bytes()
        for name in files_of(service)
        if not name.startswith((".git/", ".reports/")) and name != ".cruft.json"
    }
