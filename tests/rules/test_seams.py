"""Conditionals are three lines, stand in few files, and know only what is declared."""

import re
from pathlib import Path

import pytest

from tests.support.template import DECLARED, DERIVED, FEATURES, OPTIONS, ROOT, SERVICE

SEAMS = {
    ".circleci/config.yml",
    ".dockerignore",
    ".env.example",
    "Makefile",
    "README.md",
    "azure-pipelines.yml",
    "chaos/fuzzing.py",
    "chaos/traffic.py",
    "compose.yaml",
    "compose/migrate.yaml",
    "compose/service.env",
    "compose/service.yaml",
    "compose/web.yaml",
    "delivery/azure.md",
    "delivery/circleci.md",
    "delivery/gitlab.md",
    "delivery/cluster_token.py",
    "delivery/this_machine.py",
    "deploy/README.md",
    "deploy/base/kustomization.yaml",
    "deploy/base/network/kustomization.yaml",
    "deploy/base/settings.env",
    "deploy/components/external-secrets/secrets.yaml",
    "deploy/overlays/local/kustomization.yaml",
    "deploy/overlays/production/kustomization.yaml",
    "deploy/overlays/staging/kustomization.yaml",
    "dev/run.py",
    "pyproject.toml",
    "src/{{cookiecutter.package_name}}/adapters/postgres.py",
    "src/{{cookiecutter.package_name}}/cli.py",
    "src/{{cookiecutter.package_name}}/commands/migrate.py",
    "src/{{cookiecutter.package_name}}/jobs.py",
    "src/{{cookiecutter.package_name}}/lifecycle.py",
    "src/{{cookiecutter.package_name}}/main.py",
    "src/{{cookiecutter.package_name}}/settings.py",
    "tests/conftest.py",
    "tests/twelve_factor/subject.py",
}
"""Every file that may hold a conditional; a new one is worth an argument."""

IF = re.compile(r' *\{% if cookiecutter\.(\w+)(?: (?:==|!=) "([\w.-]+)")? %\}')
VALUE = re.compile(r"\{\{ cookiecutter\.(\w+) \}\}")
FREE_TEXT = {"project_name", "description", "author_name", "organization"}
INCLUDE = "{% include 'licenses/' ~ cookiecutter.license ~ '.txt' %}"
COPIED = {SERVICE / name for name in DECLARED["_copy_without_render"]}
FILES = sorted(
    path
    for path in SERVICE.rglob("*")
    if path.is_file() and not COPIED.intersection([path, *path.parents])
)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def name(path: Path) -> str:
    return str(path.relative_to(SERVICE))


def test_conditionals_stand_at_the_seams_and_nowhere_else() -> None:
    assert {name(path) for path in FILES if "{% if" in path.read_text(encoding="utf-8")} == SEAMS


@pytest.mark.parametrize("seam", sorted(SEAMS))
def test_a_conditional_is_a_line_between_if_and_endif(seam: str) -> None:
    text = lines(SERVICE / seam)
    tags = [number for number, line in enumerate(text) if "{%" in line]
    for number, end in zip(tags[::2], tags[1::2], strict=True):
        found = IF.fullmatch(text[number])
        assert found, text[number]
        question, value = found.groups()
        if value:
            assert value in OPTIONS[question]
        else:
            assert OPTIONS.get(question) in (True, False) or question in DERIVED.keys() & FEATURES
        assert end == number + 2, text[number]
        assert text[end].strip() == "{% endif %}"
        assert text[number + 1].strip()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_other_tags_are_plain_values(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(INCLUDE, "")
    assert "{#" not in text
    assert len(re.findall(r"\{%", text)) == len(re.findall(r"\{% (?:if|endif) ", text))
    assert len(re.findall(r"\{\{", text)) == len(VALUE.findall(text))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_free_text_stays_out_of_code(path: Path) -> None:
    if path.suffix != ".md":
        assert not FREE_TEXT.intersection(VALUE.findall(path.read_text(encoding="utf-8")))


def test_file_names_hold_no_jinja_but_the_two_standard_ones() -> None:
    for path in SERVICE.rglob("*"):
        rest = str(path.relative_to(ROOT)).replace("{{cookiecutter.project_slug}}", "")
        assert "{" not in rest.replace("{{cookiecutter.package_name}}", "")


def test_hooks_and_tests_name_no_option() -> None:
    for hook in (ROOT / "hooks").iterdir():
        words = set(re.findall(r"\w+", hook.read_text(encoding="utf-8")))
        assert not words & (OPTIONS.keys() - {"license"})
