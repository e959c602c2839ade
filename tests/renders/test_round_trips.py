"""Property-based: every answer that the hook accepts can be read back from the rendered files."""

import ast
import keyword
import os
import re
import runpy
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
from tests.support.parsed_files import filled_in, parsed
from tests.support.template import DECLARED, FIRST, ROOT, SERVICE, files_of, with_derived

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
thorough = settings(max_examples=250, deadline=None, derandomize="CI" in os.environ, phases=PHASES)
quick = settings(thorough, max_examples=40)

HOOK = runpy.run_path(str(ROOT / "hooks" / "pre_gen_project.py"), run_name="hook")

JINJA = create_env_with_context({"cookiecutter": DECLARED})
JINJA.loader = FileSystemLoader([SERVICE, ROOT / "templates"])
PRIVATE = {name: DECLARED[name] for name in DECLARED if name[0] == "_" != name[1]}
"""Private variables that hooks and files use besides answers."""


def accepted(answers: dict[str, str]) -> bool:
    """Return whether the hook accepts the answers."""
    return not HOOK["problems"](FIRST | MARKERS | PRIVATE | answers)


def rendered(path: str, answers: dict[str, str]) -> str:
    """Render one file as Cookiecutter does and return its text."""
    context = with_derived(FIRST | MARKERS | PRIVATE | answers)
    text: str = JINJA.get_template(path).render(cookiecutter=context)
    return text


@cache
def holding(*questions: str) -> dict[str, str]:
    """Return the files that hold an answer to one of these questions, rendered with markers."""
    paths = sorted(files_of(SERVICE) - set(DECLARED["_copy_without_render"]))
    texts = {path: rendered(path, {}) for path in paths}
    markers = [MARKERS[question] for question in questions]
    return {path: text for path, text in texts.items() if any(m in text for m in markers)}


@cache
def holding_names() -> dict[str, str]:
    """Return the files with the slug or the package name.

    Of Python modules, these are the eight shortest without `type` statements, which Python 3.11
    does not parse.
    """
    files = holding("project_slug", "package_name")
    modules = sorted((path for path in files if path.endswith(".py")), key=lambda p: len(files[p]))
    kept = [path for path in modules if not re.search("^type ", files[path], re.MULTILINE)][:8]
    return {path: text for path, text in files.items() if path in kept or path not in modules}


def syntax(path: str, text: str) -> Any:
    """Parse a file as data, as Python, or line by line as shell words."""
    if path.endswith(".py"):
        return ast.dump(ast.parse(text))
    if not isinstance(content := parsed(path, text), str):
        return content
    lines = []
    for line in text.splitlines():
        with suppress(ValueError):  # Prose holds apostrophes.
            lines.append(shlex.split(line))
    return lines


def assert_round_trip(
    files: dict[str, str], answers: dict[str, str], parse: Callable[[str, str], Any]
) -> None:
    """Check that files differ from those with markers only by the answers."""
    for path, marked in files.items():
        found = parse(path, rendered(path, answers))
        assert found == filled_in(parse(path, marked), {**MARKERS, **answers}, MARKERS), path


def pattern(question: str) -> str:
    """Return the pattern that an answer to this question matches."""
    (first, *_) = DECLARED["_rules"][question]
    return str(first["match"])


NASTY = st.text("\"'\\#{}%$`<>&*[]():;,-|!@=/?~ anu0", min_size=1, max_size=100)
VISIBLE = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"]),
    min_size=1,
    max_size=100,
)
CORPUS_TEXTS = st.sampled_from(
    [text for texts in CORPUS["accepted"]["text"].values() for text in texts]
)
TEXTS = st.fixed_dictionaries(
    dict.fromkeys(FREE_TEXTS, st.one_of(NASTY, VISIBLE, CORPUS_TEXTS).map(str.strip))
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
def test_an_accepted_text_can_be_read_back_from_every_file(answers: dict[str, str]) -> None:
    assert_round_trip(holding(*FREE_TEXTS, "author_email"), answers, parsed)


@quick
@given(NAMES.filter(accepted))
def test_an_accepted_name_can_be_read_back_from_data_python_and_shell(
    answers: dict[str, str],
) -> None:
    assert_round_trip(holding_names(), answers, syntax)


def test_files_that_hold_answers_are_found() -> None:
    assert {"README.md", "LICENSE", "pyproject.toml"} <= holding(*FREE_TEXTS).keys()
    names = holding_names()
    assert {"compose.yaml", "Dockerfile", "Makefile", ".env.example"} <= names.keys()
    assert any(path.endswith(".py") for path in names)
