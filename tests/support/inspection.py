"""Checks of a rendered service without running it; each finding is `file: problem`."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate, chain, pairwise
from operator import xor
from pathlib import Path
from typing import Any

import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from tools.formats import syntax_errors

from .citations import citations
from .copier_render import engines
from .template import (
    FEATURES,
    SERVICE,
    chosen,
    expected_files,
    files_of,
    with_derived,
)

Inspect = Callable[[Path, dict[str, Any]], Iterator[str]]

REQUIREMENT = re.compile(r'^ +"([\w-]+)(?:\[\w+\])?==', re.MULTILINE)


def read(service: Path, path: str) -> str:
    return (service / path).read_text(encoding="utf-8")


def files(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """The files are exactly those of the chosen features."""
    expected, found = expected_files(answers), files_of(service)
    yield from (f"{path}: is missing" for path in sorted(expected - found))
    yield from (f"{path}: was not chosen" for path in sorted(found - expected))
    for folder in sorted(path for path in service.rglob("*") if path.is_dir()):
        if not any(folder.iterdir()):
            yield f"{folder.relative_to(service)}: is an empty folder"


WORDS = {
    "events": ["event.store|projections?"],
    "observe": ["docs/observe|grafana|make observe|open_saturation|promtool"],
    "release": ["cosign|grype|sbom|sigstore|syft"],
}
"""Words of a feature whose name has another meaning as well."""


def residue(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Nothing of the template is left: no tags, no blank lines of tags, no unchosen options."""
    unchosen = re.compile(rf"\b({'|'.join(sorted(not_chosen(service, answers)))})\b", re.IGNORECASE)
    for path in sorted(files_of(service)):
        text = read(service, path)
        tag = re.search(r"cookiecutter|\{%|%\}|\n{4}", text, re.IGNORECASE)
        if tag:
            yield f"{path}: contains {tag[0]!r}"
        if text != "" and text != text.rstrip("\n") + "\n":
            yield f"{path}: does not end with exactly one newline"
        for number, line in enumerate(text.splitlines(), 1):
            if found := unchosen.search(line):
                yield f"{path}:{number}: mentions {found[0]!r}, which was not chosen"


def not_chosen(service: Path, answers: dict[str, Any]) -> set[str]:
    """Return the names of unchosen features and their dependencies."""
    answers = with_derived(answers)
    features = {
        feature.partition("=")[2] or feature
        for feature in FEATURES
        if not feature.startswith("__") and "!=" not in feature and not chosen(feature, answers)
    }
    names = {word for feature in features for word in WORDS.get(feature, [feature])}
    every = REQUIREMENT.findall((SERVICE / "pyproject.toml").read_text(encoding="utf-8"))
    return names | set(every) - set(REQUIREMENT.findall(read(service, "pyproject.toml")))


def formats(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Files have valid syntax, and Compose files match their schema."""
    for path in sorted(files_of(service)):
        found = [*syntax_errors(service / path)]
        yield from (f"{path}: {error}" for error in found)
        if path.startswith("compose") and path.endswith(".yaml") and not found:
            for error in compose_schema().iter_errors(yaml.safe_load(read(service, path))):
                yield f"{path}: {error.json_path}: {error.message}"


@cache
def compose_schema() -> Draft202012Validator:
    return Draft202012Validator(get_builtin_schema("vendor.compose-spec"))


def markdown(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Blocks of Markdown, tables included, are separated by one blank line."""
    for path in sorted(files_of(service)):
        if not path.endswith(".md"):
            continue
        lines = read(service, path).splitlines()
        in_code = accumulate((line.lstrip().startswith("```") for line in lines), xor)
        numbered = zip(enumerate(lines, 1), in_code, strict=True)
        prose = [line for line, code in numbered if not code]
        for (before, above), (at, line) in pairwise(prose):
            if not above and not line and at == before + 1:
                yield f"{path}:{at}: second blank line"
            elif above and line and above.startswith("|") != line.startswith("|"):
                yield f"{path}:{at}: no blank line at a table"


def texts(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Free text is rendered unchanged."""
    project = tomllib.loads(read(service, "pyproject.toml"))["project"]
    if project["description"] != answers["description"]:
        yield "pyproject.toml: wrong description"
    if project["authors"] != [{"name": answers["author_name"], "email": answers["author_email"]}]:
        yield "pyproject.toml: wrong authors"
    title = f"# {answers['project_name']}\n\n{answers['description']}\n"
    if not read(service, "README.md").startswith(title):
        yield "README.md: wrong title or description"
    if answers["license"] != "Apache-2.0" and answers["organization"] not in read(
        service, "LICENSE"
    ):
        yield "LICENSE: wrong owner"


def links(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Paths in the pages of the service exist."""
    package = service / "src" / answers["package_name"]
    for path in [*sorted(service.glob("*.md")), *sorted(service.glob("docs/**/*.md"))]:
        text, page = path.read_text(encoding="utf-8"), path.relative_to(service)
        named = set(re.findall(r"`((?:[\w./]+/)?[\w.-]+\.(?:py|toml|yaml|lock)|[\w/]+/)`", text))
        linked = set(re.findall(r"\]\((?![a-z]+:|#)([^)#]+)", text))
        if page.name == "README.md" and len(named) < 5:
            yield "README.md: mentions fewer than five paths"
        for name in sorted((named | linked) - {"uv.lock", ".dev/"}):
            if not any((root / name).exists() for root in (service, package, path.parent)):
                yield f"{page}: {name} does not exist"


def unused(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Modules are imported, run by name or found by a tool; Compose and Kustomize use their files.

    Tools find tests, fixtures in `tests/support` and migrations by their folder. `__main__.py`
    names modules that the chassis imports.
    """
    paths = sorted(files_of(service))
    by_tools = re.compile(
        r"(.*/)?(__\w+__|conftest|test_\w+)\.py|migrations/.*|tests/support/\w+\.py"
    )
    declared = declared_modules(service)
    for path, users in importers(service).items():
        name = path.removesuffix(".py").replace("/", ".")
        named = re.compile(rf"\b{re.escape(name)}\b")
        if path not in paths or users or path in declared or by_tools.fullmatch(path):
            continue
        if not any(named.search(read(service, other)) for other in paths):
            yield f"{path}: is unused"
    composed = "".join(read(service, path) for path in paths if path.startswith("compose"))
    for path in paths:
        if re.match(r"compose/(?!.*\.mk$)", path) and Path(path).name not in composed:
            yield f"{path}: is not included"
    yield from unnamed_manifests(service)


def declared_modules(service: Path) -> set[str]:
    """Return the modules that `__main__.py` names by import strings."""
    (main,) = service.glob("src/*/__main__.py")
    text = main.read_text(encoding="utf-8")
    for name, value in reversed(re.findall(r'^(\w+) = f"(.*)"$', text, re.MULTILINE)):
        text = text.replace(f"{{{name}}}", value)
    names = re.findall(r'"\{PACKAGE\}\.([\w.]+)', text)
    folder = main.parent.relative_to(service)
    return {f"{folder}/{name.replace('.', '/')}.py" for name in names}


def unnamed_manifests(service: Path) -> Iterator[str]:
    """Yield the manifests that no kustomization and no page uses.

    Overlays are applied by name. `kubectl apply --filename FOLDER` uses all manifests of a folder.
    """
    deploy = service / "deploy"
    files = sorted(deploy.rglob("kustomization.yaml"))
    texts = {path.parent: path.read_text(encoding="utf-8") for path in files}
    named = {
        os.path.normpath(folder / name)
        for folder, text in texts.items()
        for name in re.findall(r"[\w./-]+", text)
    } | {str(folder) for folder in deploy.glob("overlays/*")}
    pages = [service / "README.md", *deploy.glob("*.md")]
    readme = "".join(path.read_text(encoding="utf-8") for path in pages)
    applied = set(re.findall(r"--filename (deploy/[\w/.-]+)", readme))
    for path in [*texts, *deploy.rglob("*.env"), *deploy.rglob("*.yaml")]:
        if path.name == "kustomization.yaml" or str(path) in named:
            continue
        name = str(path.relative_to(service))
        mention = f"`{path.name}`" if path.parent.name == "components" else name
        if mention not in readme and str(Path(name).parent) not in applied:
            yield f"{name}: is in no kustomization"


def importers(service: Path) -> dict[str, list[str]]:
    """Return for each module the paths of the modules that import it."""
    analyze = [sys.executable, "-m", "ruff", "analyze", "graph", "--preview"]
    command = [*analyze, "--direction", "dependents", "."]
    output = subprocess.check_output(command, cwd=service, stderr=subprocess.PIPE)
    graph: dict[str, list[str]] = json.loads(output)
    return graph


def tools(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Development dependencies are imported, run or configured somewhere."""
    groups = tomllib.loads(read(service, "pyproject.toml"))["dependency-groups"]
    text = "".join(
        "".join(line for line in read(service, path).splitlines(True) if "==" not in line)
        for path in sorted(files_of(service))
    )
    for requirement in sorted(set(chain.from_iterable(groups.values()))):
        name = re.split(r"[\[=]", requirement)[0]
        # Type stubs belong to another package; PyYAML is imported as yaml.
        base = re.sub("^(types-)?(py(?!test|dantic))?|-python-lib$", "", name)
        forms = {base, base.replace("-", "_"), base.replace("-", "")}
        if not re.search(rf"\b({'|'.join(forms)})(\b|_)", text):
            yield f"pyproject.toml: {name} is unused"


INSPECTIONS: dict[str, Inspect] = {
    inspect.__name__: inspect
    for inspect in (
        files,
        residue,
        formats,
        markdown,
        texts,
        links,
        citations,
        unused,
        tools,
        engines,
    )
}
