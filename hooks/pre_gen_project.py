"""Reject invalid answers, all at once, each with its reason, before anything is written."""

import json
import keyword
import os
import re
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

SLUG = re.compile(r"[a-z](-?[a-z0-9])*")
PACKAGE = re.compile(r"[a-z](_?[a-z0-9])*")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
MAX_NAME_LENGTH = 30
MAX_TEXT_LENGTH = 100
DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}
UNLISTED = {"annotationlib", "compression", "sitecustomize", "test", "usercustomize"}
"""Modules missing from `sys.stdlib_module_names`, in general or in this version of Python."""
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories: control, format, unassigned, private use, surrogate, separators."""


def problems(answers):
    """Return all errors of these answers, as `question: reason`."""
    return [
        f"{question}: {reason}"
        for question, answer in answers.items()
        if not question.startswith("_")
        for reason in reasons(question, answer, answers)
    ] + unmet_requirements(answers)


def reasons(question, answer, answers):
    """Yield the errors of one answer; Cookiecutter does not check answers of a replay file."""
    choices = answers["_choices"].get(question)
    if choices:
        if not any(answer == choice and type(answer) is type(choice) for choice in choices):
            yield f"{answer!r} is not one of {', '.join(map(str, choices))}"
    elif isinstance(answer, str):
        yield from CHECKS.get(question, text)(answer, answers)
        if answers.get(f"__{question}_quoted", quoted(answer)) != quoted(answer):
            yield "differs from its quoted form; answer again instead of editing a replay file"
    else:
        yield f"must be text, not {answer!r}"


def quoted(answer):
    """Escape an answer for use between double quotes."""
    return answer.replace("\\", r"\\").replace('"', r"\"")


def text(answer, _answers):
    """Free text is one line of visible characters that Jinja does not interpret."""
    if not answer.strip():
        yield "must not be empty"
    elif answer != answer.strip():
        yield "must not start or end with whitespace"
    if len(answer) > MAX_TEXT_LENGTH:
        yield f"has {len(answer)} characters; the maximum is {MAX_TEXT_LENGTH}"
    invisible = sorted({c for c in answer if unicodedata.category(c) in INVISIBLE})
    if invisible:
        codes = ", ".join(f"U+{ord(character):04X}" for character in invisible)
        yield f"must not contain invisible characters ({codes})"
    if re.search(r"[{][#%{]", answer):
        yield "must not contain {" + "{, {" + "% or {" + "#, which start a tag of Jinja"


def slug(answer, answers):
    """The slug names a folder, an image and a distribution."""
    yield from name(answer, answers, SLUG, "-")


def package(answer, answers):
    """The package must not hide a module of the standard library or a dependency."""
    yield from name(answer, answers, PACKAGE, "_")
    if keyword.iskeyword(answer):
        yield f"{answer!r} is a Python keyword; choose another name"
    if answer in sys.stdlib_module_names | UNLISTED:
        yield f"{answer!r} is a standard library module; choose another name"


def name(answer, answers, pattern, joint):
    """Names are short: a long one would change the line breaks of the formatted code."""
    if not pattern.fullmatch(answer):
        yield f"{answer!r} must consist of a-z, 0-9 and single {joint}, and start with a letter"
    if len(answer) > MAX_NAME_LENGTH:
        yield f"has {len(answer)} characters; the maximum is {MAX_NAME_LENGTH}"
    if answer.replace("-", "_") in answers["_reserved"]:
        yield f"{answer!r} is a dependency or folder of the service; choose another name"
    if answer in DEVICES:
        yield f"{answer!r} is a device name on Windows; choose another name"


def email(answer, _answers):
    """The address is written between quotes in pyproject.toml."""
    if not EMAIL.fullmatch(answer):
        yield f"{answer!r} is not an e-mail address such as you@example.com"
    if len(answer) > MAX_TEXT_LENGTH:
        yield f"has {len(answer)} characters; the maximum is {MAX_TEXT_LENGTH}"


CHECKS = {"project_slug": slug, "package_name": package, "author_email": email}


def unmet_requirements(answers):
    """Return an error for each chosen feature whose requirement is not chosen."""
    return [
        f"{feature}: needs {needed}, not {answers[needed.split('=')[0].rstrip('!')]!r}"
        for feature, requirements in answers["_requires"].items()
        if chosen(feature, answers)
        for needed in requirements
        if not chosen(needed, answers)
    ]


def chosen(feature, answers):
    """Return whether the answers choose `name` (yes), `name=value` or `name!=value`."""
    # Duplicated in both hooks: Cookiecutter runs each as a single file that cannot import another.
    question, differs, value = feature.partition("!=")
    if differs:
        return answers[question] != value
    question, equals, value = feature.partition("=")
    return answers[question] == value if equals else bool(answers[question])


def remove_folders(answers):
    """Remove the empty folders that Cookiecutter created for a slug such as `a/b` or `../a/b`."""
    # Cookiecutter creates all of them before this hook, and afterwards removes the innermost only.
    output = Path(answers.get("_output_dir", "..")).resolve()
    innermost = Path(output, str(answers["project_slug"]))
    made = [folder.resolve() for folder in (innermost, *innermost.parents)]
    made = [folder for folder in made if folder not in (output, *output.parents)]
    if len(made) > 1:
        os.chdir(output)
        for folder in made:
            with suppress(OSError):  # It is not empty.
                folder.rmdir()


if __name__ == "__main__":
    found = problems(ANSWERS)
    for problem in found:
        # Escaped, since the console may not support Unicode.
        print(problem.encode("ascii", "backslashreplace").decode(), file=sys.stderr)
    if found:
        remove_folders(ANSWERS)
        sys.exit(1)
