"""Conditionals are blocks of whole lines in few files, on declared answers only."""

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.support.template import DECLARED, DERIVED, FEATURES, OPTIONS, ROOT, SERVICE, verbatim

SEAMS = {
    ".circleci/config.yml",
    ".dockerignore",
    ".env.example",
    ".github/dependabot.yml",
    ".gitlab/ci/release.yml",
    ".vscode/launch.json",
    "Procfile",
    "README.md",
    "azure-pipelines.yml",
    "chaos/traffic.py",
    "compose.yaml",
    "compose/service.env",
    "compose/service.yaml",
    "compose/web.yaml",
    "deploy/README.md",
    "deploy/access.yaml",
    "deploy/base/backing-services.yaml",
    "deploy/base/kustomization.yaml",
    "deploy/base/pod.yaml",
    "deploy/base/settings.env",
    "deploy/components/alerts/kustomization.yaml",
    "deploy/components/external-secrets/secrets.yaml",
    "deploy/overlays/local/kustomization.yaml",
    "deploy/overlays/local/secrets.properties",
    "deploy/overlays/production/kustomization.yaml",
    "deploy/overlays/staging/kustomization.yaml",
    "dev/run.py",
    "docs/observe.md",
    "infrastructure/README.md",
    "infrastructure/login.sh",
    "observe/compose.yaml",
    "observe/grafana/dashboards/service.json",
    "observe/grafana/dashboards/twelve-factors.json",
    "observe/prometheus.yaml",
    "pyproject.toml",
    "release/README.md",
    "release/azure.md",
    "release/azure.mk",
    "release/circleci.md",
    "release/github.md",
    "release/gitlab.md",
    "src/{{cookiecutter.package_name}}/__main__.py",
    "src/{{cookiecutter.package_name}}/main.py",
    "src/{{cookiecutter.package_name}}/orders/cache.py",
    "src/{{cookiecutter.package_name}}/orders/model.py",
    "src/{{cookiecutter.package_name}}/orders/postgres.py",
    "src/{{cookiecutter.package_name}}/orders/settings.py",
    "src/{{cookiecutter.package_name}}/resources.py",
    "src/{{cookiecutter.package_name}}/settings.py",
    "src/{{cookiecutter.package_name}}/projections.py",
    "src/{{cookiecutter.package_name}}/worker.py",
    "tests/orders/test_store.py",
    "tests/twelve_factor/project.py",
}
"""The files that may hold a conditional; give a reason for a new one."""

IF = re.compile(r' *\{% if cookiecutter\.(\w+)(?: (?:==|!=) "([\w.-]+)")? %\}')
LONGEST = 8
"""Maximum lines of a block; move more lines into a separate file or a second block."""
VALUE = re.compile(r"\{\{ cookiecutter\.(\w+) \}\}")
FREE_TEXT = {"project_name", "description", "author_name", "organization"}
INCLUDE = re.compile(r"\{% include \[.*\] %\}\n")


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def name(path: Path) -> str:
    return str(path.relative_to(SERVICE))


FILES = sorted(
    path
    for path in SERVICE.rglob("*")
    if path.is_file()
    and name(path) not in DECLARED["_copy_without_render"]
    and not verbatim(path.read_text(encoding="utf-8"))
)


def test_only_seams_hold_conditionals() -> None:
    assert {name(path) for path in FILES if "{% if" in path.read_text(encoding="utf-8")} == SEAMS


def mistakes(text: list[str]) -> list[str]:
    """Return the violations of the rules for blocks, each with its condition."""
    tags = [number for number, line in enumerate(text) if "{%" in line]
    found = []
    last_if, last_size, last_end = "", 0, -1
    for start, end in zip_longest(tags[::2], tags[1::2], fillvalue=len(text) - 1):
        tag, block = text[start].strip(), text[start + 1 : end]
        if not declared(text[start]):
            found.append(f"not a condition on a declared answer: {tag}")
        if text[end].strip() != "{% endif %}":
            found.append(f"does not end with endif: {tag}")
        if not any(map(str.strip, block)):
            found.append(f"empty block: {tag}")
        if len(block) > LONGEST:
            found.append(f"more than {LONGEST} lines: {tag}")
        if (tag, start) == (last_if, last_end + 1) and last_size + len(block) <= LONGEST:
            found.append(f"should be merged with the block above: {tag}")
        last_if, last_size, last_end = tag, len(block), end
    return found


def declared(tag: str) -> bool:
    """Return whether a condition is on a possible answer."""
    if not (found := IF.fullmatch(tag)):
        return False
    question, value = found.groups()
    if value:
        return value in OPTIONS.get(question, ())
    return OPTIONS.get(question) in (True, False) or question in DERIVED.keys() & FEATURES


@pytest.mark.parametrize("seam", sorted(SEAMS))
def test_each_conditional_is_a_block_of_whole_lines(seam: str) -> None:
    assert mistakes(lines(SERVICE / seam)) == []


REDIS, END = "{% if cookiecutter.redis %}", "{% endif %}"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ([REDIS, "a", END, REDIS, "b", END], "should be merged with the block above"),
        ([REDIS, *"abcdefghi", END], "more than 8 lines"),
        ([REDIS, "", END], "empty block"),
        ([REDIS, "a"], "does not end with endif"),
        ([REDIS, "a", "{% else %}", "b", END], "does not end with endif"),
        ([REDIS, REDIS, "a", END, END], "does not end with endif"),
        (["{%- if cookiecutter.redis %}", "a", END], "not a condition on a declared answer"),
        (["{% if not cookiecutter.redis %}", "a", END], "not a condition on a declared answer"),
        (["{% if cookiecutter.radish %}", "a", END], "not a condition on a declared answer"),
        (
            ['{% if cookiecutter.ci == "jenkins" %}', "a", END],
            "not a condition on a declared answer",
        ),
        (["a {% if cookiecutter.redis %}", "b", END], "not a condition on a declared answer"),
    ],
)
def test_a_violation_of_a_rule_is_found(text: list[str], mistake: str) -> None:
    assert any(found.startswith(mistake) for found in mistakes(text))


@pytest.mark.parametrize(
    "text",
    [
        [REDIS, *"abcdefgh", END],
        [REDIS, *"abcdefgh", END, REDIS, "i", END],
        [REDIS, "a", "", "b", END, "", REDIS, "c", END],
        [REDIS, "a", END, '{% if cookiecutter.ci != "none" %}', "b", END],
    ],
)
def test_a_valid_conditional_is_not_reported(text: list[str]) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_all_other_tags_are_plain_values(path: Path) -> None:
    text = INCLUDE.sub("", path.read_text(encoding="utf-8"))
    assert "{#" not in text
    assert len(re.findall(r"\{%", text)) == len(re.findall(r"\{% (?:if|endif) ", text))
    assert len(re.findall(r"\{\{", text)) == len(VALUE.findall(text))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_free_text_stays_out_of_code(path: Path) -> None:
    if path.suffix != ".md":
        assert not FREE_TEXT.intersection(VALUE.findall(path.read_text(encoding="utf-8")))


def test_only_files_whose_syntax_has_braces_are_verbatim() -> None:
    for path in filter(Path.is_file, SERVICE.rglob("*")):
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
        if "raw" in first:
            inside = rest.removesuffix("{% endraw %}\n")
            assert re.search(r"\{[{%#]", inside), path
            assert "{% raw" not in inside, path


def test_file_names_hold_no_jinja_except_slug_and_package() -> None:
    for path in SERVICE.rglob("*"):
        rest = str(path.relative_to(ROOT)).replace("{{cookiecutter.project_slug}}", "")
        assert "{" not in rest.replace("{{cookiecutter.package_name}}", "")


def test_hooks_do_not_name_options() -> None:
    for hook in (ROOT / "hooks").iterdir():
        words = set(re.findall(r"\w+", hook.read_text(encoding="utf-8")))
        assert not words & (OPTIONS.keys() - {"license"})
