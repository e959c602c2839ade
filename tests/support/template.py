"""The declarations of the template: its questions, features and files."""

import json
import shutil
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from tools.own_files import own_files

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "{{cookiecutter.project_slug}}"
DECLARED: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
QUESTIONS = {name: value for name, value in DECLARED.items() if not name.startswith("_")}
OPTIONS: dict[str, Any] = {
    name: value for name, value in QUESTIONS.items() if isinstance(value, list | bool)
}
DERIVED: dict[str, str] = {
    name: value
    for name, value in DECLARED.items()
    if name.startswith("__") and isinstance(value, str)
}
"""Answers derived from others, such as `__attached`: is there any backing service?"""
FIRST: dict[str, Any] = {
    name: value[0] if isinstance(value, list) else value for name, value in QUESTIONS.items()
}
"""The default answers; those of derived text questions are Jinja templates."""
FEATURES: dict[str, list[str]] = DECLARED["_features"]
REQUIREMENTS: dict[str, list[str]] = DECLARED["_requires"]
RENDERED_PARTS = ("cookiecutter.json", "hooks", "templates", SERVICE.name)
"""The files and folders of the template that rendering needs."""

GENERATED = {
    ".venv", ".tools", ".dev", "__pycache__", "uv.lock", ".env", ".hypothesis", ".schemathesis",
}  # fmt: skip


def files_of(folder: Path) -> set[str]:
    """Return the paths of all files below `folder` that are not generated."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and not GENERATED.intersection(path.relative_to(folder).parts)
        and not any(part.endswith("_cache") for part in path.relative_to(folder).parts)
    }


def chosen(feature: str, answers: dict[str, Any]) -> bool:
    """Return whether the answers choose a feature: `name`, `name=value` or `name!=value`."""
    if "!=" in feature:
        question, value = feature.split("!=")
        return bool(answers[question] != value)
    if "=" in feature:
        question, value = feature.split("=")
        return bool(answers[question] == value)
    return bool(answers[feature])


def unmet(answers: dict[str, Any]) -> list[str]:
    """Return the chosen features whose requirements are not chosen."""
    return [
        feature
        for feature, needs in REQUIREMENTS.items()
        if chosen(feature, answers) and not all(chosen(need, answers) for need in needs)
    ]


@cache
def derivations() -> dict[str, Template]:
    """Return the Jinja templates of the derived answers."""
    jinja = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  # Not HTML.
    return {name: jinja.from_string(text) for name, text in DERIVED.items()}


def with_derived(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answers and the derived answers."""
    return answers | {
        name: made.render(cookiecutter=answers) for name, made in derivations().items()
    }


@cache
def template_files() -> frozenset[str]:
    """Return the files of the service, with their unrendered paths."""
    return frozenset(files_of(SERVICE))


def expected_files(answers: dict[str, Any]) -> set[str]:
    """Return the exact set of files that a render with these answers must have."""
    answers = with_derived(answers)
    removed = [
        matching(pattern)
        for feature, patterns in FEATURES.items()
        if not chosen(feature, answers)
        for pattern in patterns
    ]
    files = template_files().difference(*removed)
    package = answers["package_name"]
    return {path.replace("{{cookiecutter.package_name}}", package) for path in files}


@cache
def matching(pattern: str) -> frozenset[str]:
    """Return the files of the service that a pattern matches."""
    return frozenset(path for path in template_files() if within(path, pattern))


def verbatim(text: str) -> bool:
    """Return whether a file is rendered verbatim, since its syntax has braces as Jinja has."""
    return text.startswith("{% raw -%}\n") and text.endswith("{% endraw %}\n")


def within(path: str, pattern: str) -> bool:
    """Return whether `pattern` matches `path` or a folder that contains it."""
    parts = path.split("/")
    wanted = pattern.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatch, parts, wanted))


def copy_rendered_parts(folder: Path) -> Path:
    """Copy what rendering needs into a new folder."""
    folder.mkdir()
    for part in RENDERED_PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    return folder


def copy_checkout(folder: Path) -> Path:
    """Copy all files of the template that git does not ignore into a new folder."""
    for path in own_files(ROOT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder
