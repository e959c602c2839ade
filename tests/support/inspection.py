"""What can be seen of a rendered service without running it: each finding is `file: what`."""

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
    """The files are exactly those that belong to the answers."""
    expected, found = expected_files(answers), files_of(service)
    yield from (f"{path}: is missing" for path in sorted(expected - found))
    yield from (f"{path}: is not chosen" for path in sorted(found - expected))
    for folder in sorted(path for path in service.rglob("*") if path.is_dir()):
        if not any(folder.iterdir()):
            yield f"{folder.relative_to(service)}: is an empty folder"


def residue(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Nothing of the template is left: no tag, no blank where a line was, no name of an option."""
    strange = re.compile(rf"\b({'|'.join(sorted(not_chosen(service, answers)))})\b", re.IGNORECASE)
    for path in sorted(files_of(service)):
        text = read(service, path)
        tag = re.search(r"cookiecutter|\{%|%\}|\n{4}", text, re.IGNORECASE)
        if tag:
            yield f"{path}: holds {tag[0]!r}"
        if text != "" and text != text.rstrip("\n") + "\n":
            yield f"{path}: does not end with one line end"
        for number, line in enumerate(text.splitlines(), 1):
            if found := strange.search(line):
                yield f"{path}:{number}: speaks of {found[0]!r}, which was not chosen"


def not_chosen(service: Path, answers: dict[str, Any]) -> set[str]:
    """Return the words that only other services have: names of features and of dependencies."""
    answers = with_derived(answers)
    names = {
        feature.partition("=")[2] or feature
        for feature in FEATURES
        if not feature.startswith("__") and "!=" not in feature and not chosen(feature, answers)
    }
    every = REQUIREMENT.findall((SERVICE / "pyproject.toml").read_text(encoding="utf-8"))
    return names | set(every) - set(REQUIREMENT.findall(read(service, "pyproject.toml")))


def formats(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Each file is valid in its format, and those of Compose by its schema."""
    for path in sorted(files_of(service)):
        found = [*syntax_errors(service / path)]
        yield from (f"{path}: {fault}" for fault in found)
        if path.startswith("compose") and path.endswith(".yaml") and not found:
            for fault in compose_schema().iter_errors(yaml.safe_load(read(service, path))):
                yield f"{path}: {fault.json_path}: {fault.message}"


@cache
def compose_schema() -> Draft202012Validator:
    return Draft202012Validator(get_builtin_schema("vendor.compose-spec"))


def markdown(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """One blank line stands between the blocks of a Markdown file, tables included."""
    for path in sorted(files_of(service)):
        if not path.endswith(".md"):
            continue
        lines = read(service, path).splitlines()
        in_code = accumulate((line.lstrip().startswith("```") for line in lines), xor)
        numbered = zip(enumerate(lines, 1), in_code, strict=True)
        prose = [line for line, code in numbered if not code]
        for (before, above), (at, line) in pairwise(prose):
            if not above and not line and at == before + 1:
                yield f"{path}:{at}: is a second blank line"
            elif above and line and above.startswith("|") != line.startswith("|"):
                yield f"{path}:{at}: is glued to a table"


def texts(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Free text arrives as it was given."""
    project = tomllib.loads(read(service, "pyproject.toml"))["project"]
    if project["description"] != answers["description"]:
        yield "pyproject.toml: another description"
    if project["authors"] != [{"name": answers["author_name"], "email": answers["author_email"]}]:
        yield "pyproject.toml: other authors"
    title = f"# {answers['project_name']}\n\n{answers['description']}\n"
    if not read(service, "README.md").startswith(title):
        yield "README.md: another title or description"
    if answers["license"] != "Apache-2.0" and answers["organization"] not in read(
        service, "LICENSE"
    ):
        yield "LICENSE: another owner"


def links(service: Path, answers: dict[str, Any]) -> Iterator[str]:
    """Paths in the README and in the pages of `docs` exist."""
    package = service / "src" / answers["package_name"]
    for path in [service / "README.md", *sorted(service.glob("docs/*.md"))]:
        text, page = path.read_text(encoding="utf-8"), path.relative_to(service)
        named = set(re.findall(r"`((?:[\w./]+/)?[\w.-]+\.(?:py|toml|yaml|lock)|[\w/]+/)`", text))
        linked = set(re.findall(r"\]\((?![a-z]+:|#)([^)#]+)", text))
        if page.name == "README.md" and len(named) < 5:
            yield "README.md: names fewer than five paths"
        for name in sorted((named | linked) - {"uv.lock", ".dev/"}):
            if not any((root / name).exists() for root in (service, package, path.parent)):
                yield f"{page}: {name} is not there"


def orphans(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Each module is imported, run by name or found by a tool; Compose includes each of its files.

    A folder with a `kustomization.yaml` names each of its manifests, and another names the folder.

    "Found by a tool" are tests and migrations, which are in folders that are searched, and what
    `SIGNER` and `PLATFORM` may name. `__main__.py` names what the chassis is to import.
    """
    ours = sorted(files_of(service))
    by_tools = re.compile(
        r"(.*/)?(__\w+__|conftest|test_\w+)\.py|migrations/.*"
        r"|delivery/(keyless|key_vault|platform_\w+)\.py"
    )
    declared = declared_modules(service)
    for path, users in importers(service).items():
        name = path.removesuffix(".py").replace("/", ".")
        named = re.compile(rf"\b{re.escape(name)}\b")
        if path not in ours or users or path in declared or by_tools.fullmatch(path):
            continue
        if not any(named.search(read(service, other)) for other in ours):
            yield f"{path}: is used by nothing"
    composed = "".join(read(service, path) for path in ours if path.startswith("compose"))
    for path in ours:
        if path.startswith("compose/") and Path(path).name not in composed:
            yield f"{path}: is included by nothing"
    yield from unnamed_manifests(service)


def declared_modules(service: Path) -> set[str]:
    """Return the modules that the declaration of the service names by import strings."""
    (main,) = service.glob("src/*/__main__.py")
    text = main.read_text(encoding="utf-8").replace("{CHASSIS}", "{PACKAGE}.chassis.commands")
    names = re.findall(r'"\{PACKAGE\}\.([\w.]+)', text)
    folder = main.parent.relative_to(service)
    return {f"{folder}/{name.replace('.', '/')}.py" for name in names}


def unnamed_manifests(service: Path) -> Iterator[str]:
    """Yield what no kustomization names; overlays people name, and a README may name others.

    Of a folder that it says to apply all is named.
    """
    deploy = service / "deploy"
    files = sorted(deploy.rglob("kustomization.yaml"))
    texts = {path.parent: path.read_text(encoding="utf-8") for path in files}
    named = {
        os.path.normpath(folder / name)
        for folder, text in texts.items()
        for name in re.findall(r"[\w./-]+", text)
    } | {str(folder) for folder in deploy.glob("overlays/*")}
    readmes = [path for path in (service / "README.md", deploy / "README.md") if path.exists()]
    readme = "".join(path.read_text(encoding="utf-8") for path in readmes)
    applied = set(re.findall(r"--filename (deploy/[\w/.-]+)", readme))
    for path in [*texts, *deploy.rglob("*.env"), *deploy.rglob("*.yaml")]:
        if path.name == "kustomization.yaml" or str(path) in named:
            continue
        name = str(path.relative_to(service))
        spoken_of = f"`{path.name}`" if path.parent.name == "components" else name
        if spoken_of not in readme and str(Path(name).parent) not in applied:
            yield f"{name}: is named by no kustomization"


def importers(service: Path) -> dict[str, list[str]]:
    """Return the modules that import each module, all by their paths."""
    command = [sys.executable, "-m", "ruff", "analyze", "graph", "--preview"]
    done = subprocess.run(
        [*command, "--direction", "dependents", "."],
        cwd=service,
        capture_output=True,
        text=True,
        check=True,
    )
    graph: dict[str, list[str]] = json.loads(done.stdout)
    return graph


def tools(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """What only development needs is named somewhere: imported, run or configured."""
    groups = tomllib.loads(read(service, "pyproject.toml"))["dependency-groups"]
    text = "".join(
        "".join(line for line in read(service, path).splitlines(True) if "==" not in line)
        for path in sorted(files_of(service))
    )
    for requirement in sorted(set(chain.from_iterable(groups.values()))):
        name = re.split(r"[\[=]", requirement)[0]
        # Types are those of another package, and PyYAML is imported as yaml.
        base = re.sub("^(types-)?(py(?!test|dantic))?|-python-lib$", "", name)
        spellings = {base, base.replace("-", "_"), base.replace("-", "")}
        if not re.search(rf"\b({'|'.join(spellings)})(\b|_)", text):
            yield f"pyproject.toml: {name} is used by nothing"


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
        orphans,
        tools,
        engines,
    )
}
