"""Whatever answer the hook accepts comes back from the files that hold it (property-based)."""

import ast
import keyword
import os
import shlex
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from cookiecutter.utils import create_env_with_context
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jinja2 import FileSystemLoader

from tests.support.hostile_answers import CORPUS, FREE_TEXTS, MARKERS
from tests.support.parsed_files import filled_in, meaning
from tests.support.template import DECLARED, FIRST, ROOT, SERVICE, files_of, with_derived

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
thorough = settings(max_examples=250, deadline=None, derandomize="CI" in os.environ, phases=PHASES)
quick = settings(thorough, max_examples=40)

HOOK: dict[str, Any] = {}
source = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
exec(source.replace("{{ cookiecutter | tojson }}", "{}"), HOOK)  # noqa: S102  # It is ours.

JINJA = create_env_with_context({"cookiecutter": DECLARED})
JINJA.loader = FileSystemLoader([SERVICE, ROOT / "templates"])
PRIVATE = {name: DECLARED[name] for name in DECLARED if name[0] == "_" != name[1]}
"""What the hook and the files read besides answers."""


def accepted(answers: dict[str, str]) -> bool:
    """Ask the hook."""
    return not HOOK["problems"](FIRST | MARKERS | PRIVATE | answers)


def rendered(path: str, answers: dict[str, str]) -> str:
    """Render one file as Cookiecutter does, but write it nowhere."""
    context = with_derived(FIRST | MARKERS | PRIVATE | answers)
    text: str = JINJA.get_template(path).render(cookiecutter=context)
    return text


@cache
def holding(*questions: str) -> dict[str, str]:
    """Return the files that hold an answer to one of these questions, with markers."""
    paths = sorted(files_of(SERVICE) - set(DECLARED["_copy_without_render"]))
    texts = {path: rendered(path, {}) for path in paths}
    markers = [MARKERS[question] for question in questions]
    return {path: text for path, text in texts.items() if any(m in text for m in markers)}


@cache
def holding_names() -> dict[str, str]:
    """Return those with the slug or the package, of Python only some short ones."""
    files = holding("project_slug", "package_name")
    modules = sorted((path for path in files if path.endswith(".py")), key=lambda p: len(files[p]))
    return {path: text for path, text in files.items() if path not in modules[8:]}


def syntax(path: str, text: str) -> Any:
    """Return how a program reads a file: as data, as Python, or as words of shell, line by line."""
    if path.endswith(".py"):
        return ast.dump(ast.parse(text))
    if not isinstance(read := meaning(path, text), str):
        return read
    lines = []
    for line in text.splitlines():
        with suppress(ValueError):  # Prose holds apostrophes.
            lines.append(shlex.split(line))
    return lines


def come_back(
    files: dict[str, str], answers: dict[str, str], read: Callable[[str, str], Any]
) -> None:
    for path, marked in files.items():
        said = read(path, rendered(path, answers))
        assert said == filled_in(read(path, marked), {**MARKERS, **answers}, MARKERS), path


INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of Unicode whose characters cannot be seen."""


def pattern(question: str) -> str:
    """Return the pattern that an answer to this question matches."""
    (first, *_) = DECLARED["_rules"][question]
    return str(first["match"])


NASTY = st.text("\"'\\#{}%$`<>&*[]():;,-|!@=/?~ anu0", min_size=1, max_size=100)
SEEN = st.text(st.characters(exclude_categories=INVISIBLE), min_size=1, max_size=100)
TOLD = st.sampled_from([text for texts in CORPUS["accepted"]["text"].values() for text in texts])
TEXTS = st.fixed_dictionaries(
    dict.fromkeys(FREE_TEXTS, st.one_of(NASTY, SEEN, TOLD).map(str.strip))
    | {"author_email": st.from_regex(pattern("author_email"), fullmatch=True)}
)
WORDS = st.sampled_from([*CORPUS["accepted"]["package_name"]["yaml"], *keyword.kwlist, "a", "z"])
NAMES = st.fixed_dictionaries(
    {
        "project_slug": st.one_of(WORDS, st.from_regex(pattern("project_slug"), fullmatch=True)),
        "package_name": st.one_of(WORDS, st.from_regex(pattern("package_name"), fullmatch=True)),
    }
)


@thorough
@given(TEXTS.filter(accepted))
def test_an_accepted_text_comes_back_from_every_file_that_holds_it(answers: dict[str, str]) -> None:
    come_back(holding(*FREE_TEXTS, "author_email"), answers, meaning)


@quick
@given(NAMES.filter(accepted))
def test_an_accepted_name_comes_back_from_data_python_and_shell(answers: dict[str, str]) -> None:
    come_back(holding_names(), answers, syntax)


def test_the_files_that_hold_answers_are_found() -> None:
    assert {"README.md", "LICENSE", "pyproject.toml"} <= holding(*FREE_TEXTS).keys()
    names = holding_names()
    assert {"compose.yaml", "Dockerfile", "Makefile", ".env.example"} <= names.keys()
    assert any(path.endswith(".py") for path in names)
