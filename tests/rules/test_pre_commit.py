"""What is checked before a commit is what `make check` checks: all that the template is made of."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.template import SERVICE
from tests.support.variants import VARIANTS
from tools import own_files, renders
from tools.pythons import ROOT, UV, outside

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
    "hooks"
]
PACKAGE = f"{SERVICE.name}/src/{{{{cookiecutter.package_name}}}}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that holds the files of the template and nothing else, not even a commit."""
    folder = tmp_path_factory.mktemp("checkout") / "template"
    for path in own_files.own_files(ROOT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    return folder


def committing(checkout: Path, *hooks: str) -> subprocess.CompletedProcess[str]:
    """Run all hooks, or one, on all files, with the tools that are installed beside this Python."""
    uv = Path(shutil.which(UV) or UV).parent
    environment = outside() | {
        "PATH": f"{uv}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(checkout.parent / "pre-commit"),
        "UV_NO_SYNC": "1",
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
    }
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", *hooks]
    return subprocess.run(
        command,
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def broken(folder: Path, path: str, old: str, new: str) -> str:
    """Replace in a file what stands there, the first time; return what the file held."""
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


@pytest.mark.parametrize(
    ("path", "hooks"),
    [
        ("tools/demo.py", {"code", "types", "files", "rules", "renders"}),
        ("hooks/pre_gen_project.py", {"code", "files", "renders"}),
        ("tests/rules/test_seams.py", {"code", "types", "files", "rules"}),
        ("pyproject.toml", {"code", "types", "files"}),
        ("cookiecutter.json", {"files", "rules", "renders"}),
        ("templates/licenses/MIT.txt", {"files", "renders"}),
        ("docs/decisions/0004-migrations-are-numbered.md", {"files"}),
        (".github/workflows/ci.yml", {"files", "workflows"}),
        (".ci/run", {"files"}),
        (f"{SERVICE.name}/.github/workflows/ci.yml", {"files", "workflows", "rules", "renders"}),
        (
            f"{SERVICE.name}/.github/actions/uv/action.yml",
            {"files", "workflows", "rules", "renders"},
        ),
        (f"{SERVICE.name}/.gitlab-ci.yml", {"files", "workflows", "rules", "renders"}),
        (f"{SERVICE.name}/.gitlab/ci/check.yml", {"files", "workflows", "rules", "renders"}),
        (f"{SERVICE.name}/azure-pipelines.yml", {"files", "workflows", "rules", "renders"}),
        (f"{SERVICE.name}/azure/targets.yml", {"files", "workflows", "rules", "renders"}),
        (f"{SERVICE.name}/.circleci/config.yml", {"files", "workflows", "rules", "renders"}),
        (f"{SERVICE.name}/compose.yaml", {"files", "rules", "renders"}),
        (f"{PACKAGE}/main.py", {"files", "rules", "renders"}),
    ],
)
def test_a_changed_file_is_seen_by_the_hooks_that_it_concerns(path: str, hooks: set[str]) -> None:
    assert (ROOT / path).is_file()
    assert {hook["id"] for hook in HOOKS if re.search(hook.get("files", ""), path)} == hooks


@pytest.mark.proof
def test_a_clean_checkout_passes(checkout: Path) -> None:
    done = committing(checkout)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == len(HOOKS)


def test_a_broken_file_of_the_service_fails_with_its_variant_its_name_and_the_fault(
    checkout: Path,
) -> None:
    path = f"{SERVICE.name}/compose.yaml"
    kept = broken(checkout, path, "  - compose/postgres.yaml\n", "  - compose/postgres.yaml: [\n")
    try:
        done = committing(checkout, "renders")
    finally:
        (checkout / path).write_text(kept, encoding="utf-8")
    assert done.returncode == 1
    found = [line for line in done.stdout.splitlines() if "compose.yaml" in line]
    assert [line.split(": while parsing")[0] for line in found] == [
        "default: compose.yaml",
        "full: compose.yaml",
    ]


SRC = "src/{{cookiecutter.package_name}}"
FAULTS = {
    f"{SRC}/chassis/errors.py": ("failure = failure", "failure=failure", "unformatted"),
    f"{SRC}/chassis/commands/openapi.py": ("import json\n", "import json\nimport os\n", "F401"),
    f"{SRC}/main.py": ("def create_app(", "def (", "invalid-syntax"),
    "Dockerfile": ("\nUSER ", "\nUSERS ", "Dockerfile:"),
    "Makefile": ("\t$(UV) sync", "        $(UV) sync", "Makefile:"),
    ".env.example": ("\nREVISION=", "\nREVISION ", "no NAME=value at line"),
    "compose.yaml": ("include:", "include: {", "while parsing"),
    ".github/dependabot.yml": ("updates:", "updates: ]", "while parsing"),
}
"""By the name of a file what is replaced in it, by what, and what is said of it."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What of the template is rendered, for a test to break."""
    for part in ("cookiecutter.json", "hooks", "templates", SERVICE.name):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    return tmp_path


def test_what_no_tool_could_read_is_found_in_a_render(copy: Path) -> None:
    for name, (old, new, _) in FAULTS.items():
        broken(copy, f"{SERVICE.name}/{name}", old, new)
    found = list(renders.faults(copy, {"database-none": VARIANTS["database-none"]}))
    assert all(line.startswith("database-none: ") for line in found)
    for name, (_, _, fault) in FAULTS.items():
        rendered = name.replace("{{cookiecutter.package_name}}", "order_service")
        told = [line for line in found if line.startswith(f"database-none: {rendered}:")]
        assert any(fault in line for line in told), (name, found)


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("compose.yaml", "name: ", "{% fi %}", "does not render: "),
        ("compose.yaml", ".project_slug", ".no_such_question", "does not render: "),
        ("pyproject.toml", "line-length = 100", "line-length = []", "pyproject.toml: ruff failed"),
    ],
)
def test_what_cannot_be_rendered_or_configured_is_told_in_a_line(
    copy: Path, name: str, old: str, new: str, fault: str
) -> None:
    broken(copy, f"{SERVICE.name}/{name}", old, new)
    for line in renders.faults(copy, {"bare": VARIANTS["bare"]}):
        assert line.startswith(f"bare: {fault}")
        assert "\n" not in line
        break
    else:
        pytest.fail("nothing is found")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.toml", "a = ]\n", "Invalid value"),
        ("a.yaml", "a: [\n", "line 2"),
        ("a.yml", "a: b: c\n", "mapping values are not allowed here"),
        ("a.json", "{,}\n", "Expecting property name"),
        ("a.ini", "a\n", "no section headers"),
        ("run", "#!/bin/sh\nif\n", "run:2:1: error"),
        ("run", "#!/usr/bin/env bash\nrm $1\n", "SC2086"),
        ("a.txt", "no newline", "does not end with one newline"),
        ("a.txt", "two newlines\n\n", "does not end with one newline"),
        ("a.txt", "a blank \n", "line 1 ends with a blank"),
        ("a.txt", "Windows\r\n", "line 1 ends with a blank"),
        ("a.txt", "<<<<<<< ours\n", "line 1 is left of a merge"),
        ("a.txt", b"\xff\n", "is no UTF-8"),
        ("a.md", "[it](b.md)\n", "the link b.md leads nowhere"),
        ("a.md", "# One\n\n[it](#two)\n", "the link #two leads to no heading"),
    ],
)
def test_each_fault_of_our_own_files_is_told_in_a_line(
    tmp_path: Path, name: str, text: str | bytes, fault: str
) -> None:
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (line,) = own_files.faults(tmp_path)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    assert fault in line


def test_nothing_is_found_in_what_is_as_it_should_be(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / "ignored").mkdir()
    (tmp_path / "ignored/a.json").write_text("{")
    (tmp_path / "a.md").write_text("# One thing\n\n[it](#one-thing) [b](b.toml) [w](https://w.w)\n")
    (tmp_path / "b.toml").write_text("")
    (tmp_path / "run").write_text("#!/usr/bin/env bash\ntrue\n")
    assert list(own_files.faults(tmp_path)) == []


def test_a_render_is_read_with_the_tools_that_the_service_itself_has() -> None:
    ours = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    theirs = (SERVICE / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall('"ruff==.*"', ours) == re.findall('"ruff==.*"', theirs) != []
