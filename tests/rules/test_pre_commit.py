"""`make check` and the pre-commit hooks, which run its parts."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.commands import must_run, run
from tests.support.template import SERVICE, copy_checkout, copy_rendered_parts
from tests.support.variants import VARIANTS
from tools import own_files, renders
from tools.pythons import ROOT, UV

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
    "hooks"
]
PACKAGE = f"{SERVICE.name}/src/{{{{cookiecutter.package_name}}}}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with the files of the template and without a commit."""
    folder = copy_checkout(tmp_path_factory.mktemp("checkout") / "template")
    must_run("git", "init", "--quiet", cwd=folder)
    must_run("git", "add", "--all", cwd=folder)
    return folder


def pre_commit(checkout: Path, *hooks: str) -> subprocess.CompletedProcess[str]:
    """Run all hooks, or these, on all files, with the tools of this environment."""
    uv = Path(shutil.which(UV) or UV).parent
    variables = {
        "PATH": f"{uv}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(checkout.parent / "pre-commit"),
        "UV_NO_SYNC": "1",
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
    }
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", *hooks]
    return run(*command, cwd=checkout, **variables)


def edit(folder: Path, path: str, old: str, new: str) -> str:
    """Replace the first occurrence of `old` in a file; return the previous content."""
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text


def test_the_hooks_are_the_parts_of_make_check() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (parts,) = re.findall(r"^CHECKS := (.*)$", makefile, re.MULTILINE)
    assert "\ncheck: $(CHECKS)" in makefile
    assert [hook["entry"] for hook in HOOKS] == [f"make {part}" for part in parts.split()]
    assert {hook["language"] for hook in HOOKS} == {"system"}


ALWAYS = {"files", "words"}
RENDERED = {"rules", "renders"}
"""The hooks that check a file of the service."""
CI = RENDERED | {"workflows"}


@pytest.mark.parametrize(
    ("path", "hooks"),
    [
        ("tools/demo.py", {"code", "types", "rules", "renders"}),
        ("hooks/pre_gen_project.py", {"code", "renders"}),
        ("tests/rules/test_seams.py", {"code", "types", "rules"}),
        ("pyproject.toml", {"code", "types"}),
        ("cookiecutter.json", {"rules", "renders"}),
        ("templates/licenses/MIT.txt", {"renders"}),
        ("docs/decisions/0004-migrations-are-numbered.md", set()),
        (".github/workflows/ci.yml", {"workflows"}),
        (".ci/run", set()),
        (f"{SERVICE.name}/.github/actions/uv/action.yml", CI),
        (f"{SERVICE.name}/.gitlab/ci/check.yml", CI),
        (f"{SERVICE.name}/azure/targets.yml", CI),
        (f"{SERVICE.name}/.circleci/config.yml", CI),
        (f"{SERVICE.name}/compose.yaml", RENDERED),
        (f"{PACKAGE}/main.py", RENDERED),
    ],
)
def test_a_changed_file_triggers_the_hooks_that_check_it(path: str, hooks: set[str]) -> None:
    assert (ROOT / path).is_file()
    assert {
        hook["id"] for hook in HOOKS if re.search(hook.get("files", ""), path)
    } == hooks | ALWAYS


@pytest.mark.slow
def test_all_hooks_pass_in_a_clean_checkout(checkout: Path) -> None:
    done = pre_commit(checkout)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == len(HOOKS)


def test_a_syntax_error_in_a_rendered_file_is_reported_with_variant_and_file(
    checkout: Path,
) -> None:
    path = f"{SERVICE.name}/compose.yaml"
    kept = edit(checkout, path, "  - compose/postgres.yaml\n", "  - compose/postgres.yaml: [\n")
    try:
        done = pre_commit(checkout, "renders")
    finally:
        (checkout / path).write_text(kept, encoding="utf-8")
    assert done.returncode == 1
    found = [line for line in done.stdout.splitlines() if "compose.yaml" in line]
    assert [line.split(": while parsing")[0] for line in found] == [
        "default: compose.yaml",
        "full: compose.yaml",
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("workflows/ci.yml", "runs-on:", "run-on:", "'runs-on' is a required property"),
        ("workflows/ci.yml", "credentials: false", "credentials: true", "artipacked"),
        ("actions/uv/action.yml", "description:", "summary:", "'description' is a required"),
        ("dependabot.yml", "default-days: 7", "default-days: 6", "dependabot-cooldown"),
    ],
)
def test_make_check_finds_an_invalid_or_insecure_workflow(
    checkout: Path, path: str, old: str, new: str, message: str
) -> None:
    path = f"{SERVICE.name}/.github/{path}"
    before = edit(checkout, path, old, new)
    try:
        done = pre_commit(checkout, "workflows")
    finally:
        (checkout / path).write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert message in done.stdout


SRC = "src/{{cookiecutter.package_name}}"
AVOIDED = "wena"[::-1]  # Reversed: this file must not contain it.
SYNTAX_ERRORS = {
    f"{SRC}/chassis/errors.py": ("failure = failure", "failure=failure", "unformatted"),
    f"{SRC}/chassis/commands.py": ("import json\n", "import json\nimport re\n", "F401"),
    f"{SRC}/main.py": ("def create_app(", "def (", "invalid-syntax"),
    "Dockerfile": ("\nUSER ", "\nUSERS ", "Dockerfile:"),
    "Makefile": ("\t$(UV) sync", "        $(UV) sync", "Makefile:"),
    ".env.example": ("\nREVISION=", "\nREVISION ", "is not NAME=value"),
    "compose.yaml": ("include:", "include: {", "while parsing"),
    ".dockerignore": ("\n*\n", f"\n# {AVOIDED}\n*\n", "better: again"),
    ".github/dependabot.yml": ("updates:", "updates: ]", "while parsing"),
}
"""File: the text to replace, its replacement, and the expected message."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_rendered_parts(tmp_path / "template")


def test_all_syntax_errors_of_a_render_are_found(copy: Path) -> None:
    for name, (old, new, _) in SYNTAX_ERRORS.items():
        edit(copy, f"{SERVICE.name}/{name}", old, new)
    found = list(renders.findings(copy, {"database-none": VARIANTS["database-none"]}))
    assert all(line.startswith("database-none: ") for line in found)
    for name, (_, _, message) in SYNTAX_ERRORS.items():
        rendered = name.replace("{{cookiecutter.package_name}}", "order_service")
        lines = [line for line in found if line.startswith(f"database-none: {rendered}:")]
        assert any(message in line for line in lines), (name, found)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("compose.yaml", "name: ", "{% fi %}", "rendering failed: "),
        ("compose.yaml", ".project_slug", ".no_such_question", "rendering failed: "),
        ("pyproject.toml", "line-length = 100", "line-length = []", "pyproject.toml: ruff failed"),
    ],
)
def test_a_failed_render_or_configuration_is_reported_in_one_line(
    copy: Path, name: str, old: str, new: str, message: str
) -> None:
    edit(copy, f"{SERVICE.name}/{name}", old, new)
    first = next(renders.findings(copy, {"bare": VARIANTS["bare"]}))
    assert first.startswith(f"bare: {message}")
    assert "\n" not in first


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "a = ]\n", "Invalid value"),
        ("a.yaml", "a: [\n", "line 2"),
        ("a.yml", "a: b: c\n", "mapping values are not allowed here"),
        ("a.json", "{,}\n", "Expecting property name"),
        ("a.ini", "a\n", "no section headers"),
        ("run", "#!/bin/sh\nif\n", "run:2:1: error"),
        ("run", "#!/usr/bin/env bash\nrm $1\n", "SC2086"),
        ("a.txt", "no newline", "does not end with exactly one newline"),
        ("a.txt", "two newlines\n\n", "does not end with exactly one newline"),
        ("a.txt", "a blank \n", "line 1: trailing whitespace"),
        ("a.txt", "Windows\r\n", "line 1: trailing whitespace"),
        ("a.txt", "<<<<<<< ours\n", "line 1: conflict marker"),
        ("a.txt", b"\xff\n", "not UTF-8"),
        ("a.md", "[it](b.md)\n", "broken link b.md: no such file"),
        ("a.md", "# One\n\n[it](#two)\n", "broken link #two: no such heading"),
    ],
)
def test_each_problem_of_a_template_file_is_reported_in_one_line(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (line,) = own_files.findings(tmp_path)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    assert message in line


def test_valid_and_ignored_files_have_no_findings(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / "ignored").mkdir()
    (tmp_path / "ignored/a.json").write_text("{")
    (tmp_path / "a.md").write_text("# One thing\n\n[it](#one-thing) [b](b.toml) [w](https://w.w)\n")
    (tmp_path / "b.toml").write_text("")
    (tmp_path / "run").write_text("#!/usr/bin/env bash\ntrue\n")
    assert list(own_files.findings(tmp_path)) == []


def test_the_template_and_its_services_use_the_same_ruff() -> None:
    ours = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    theirs = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall('"ruff==.*"', ours) == re.findall('"ruff==.*"', theirs) != []
