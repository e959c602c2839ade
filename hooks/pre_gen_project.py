"""Refuses answers that cannot work, all at once, each with its reason, before writing anything."""

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
LONGEST_NAME = 30
LONGEST_TEXT = 100
DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}
UNLISTED = {"annotationlib", "compression", "sitecustomize", "test", "usercustomize"}
"""What `sys.stdlib_module_names` leaves out, or holds in newer versions than this one."""
UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control, bidirectional, zero-width, unassigned, private, separators."""


def problems(answers):
    """Return every reason to refuse these answers, as `question: reason`."""
    return [
        f"{question}: {reason}"
        for question, answer in answers.items()
        if not question.startswith("_")
        for reason in reasons(question, answer, answers)
    ] + unmet_requirements(answers)


def reasons(question, answer, answers):
    """Answers of a replay file may be anything: Cookiecutter checks only those given otherwise."""
    choices = answers["_choices"].get(question)
    if choices:
        if not any(answer == choice and type(answer) is type(choice) for choice in choices):
            yield f"{answer!r} is none of {', '.join(map(str, choices))}"
    elif isinstance(answer, str):
        yield from CHECKS.get(question, text)(answer, answers)
        if answers.get(f"__{question}_quoted", quoted(answer)) != quoted(answer):
            yield "is not what its quoted form was made of; answer anew, do not edit a replay file"
    else:
        yield f"{answer!r} is no text, and _choices in cookiecutter.json does not offer it"


def quoted(answer):
    """Return an answer as it stands between double quotes."""
    return answer.replace("\\", r"\\").replace('"', r"\"")


def text(answer, _answers):
    """Free text is one line, can be seen, and stays what it is in every file."""
    if not answer.strip():
        yield "must not be empty"
    elif answer != answer.strip():
        yield "must not begin or end with a blank"
    if len(answer) > LONGEST_TEXT:
        yield f"is {len(answer)} characters long, {LONGEST_TEXT} are allowed"
    unseen = sorted({c for c in answer if unicodedata.category(c) in UNSEEN})
    if unseen:
        codes = ", ".join(f"U+{ord(character):04X}" for character in unseen)
        yield f"holds characters that cannot be seen ({codes})"
    if re.search(r"[{][#%{]", answer):
        yield "must not hold {" + "{, {" + "% or {" + "#, which begin a template's tags"


def slug(answer, answers):
    """The slug names a folder, an image and a distribution."""
    yield from name(answer, answers, SLUG, "-")


def package(answer, answers):
    """The package is imported beside the standard library and the service's dependencies."""
    yield from name(answer, answers, PACKAGE, "_")
    if keyword.iskeyword(answer):
        yield f"{answer!r} is a keyword of Python"
    if answer in sys.stdlib_module_names | UNLISTED:
        yield f"{answer!r} is a module of Python's standard library"


def name(answer, answers, pattern, joint):
    """Names are short, so that no line of the service breaks elsewhere for a longer one."""
    if not pattern.fullmatch(answer):
        yield f"{answer!r} must be of a-z, 0-9 and single {joint}, and begin with a letter"
    if len(answer) > LONGEST_NAME:
        yield f"is {len(answer)} characters long, {LONGEST_NAME} are allowed"
    if answer.replace("-", "_") in answers["_reserved"]:
        yield f"{answer!r} is a package or folder that the service has already"
    if answer in DEVICES:
        yield f"{answer!r} is the name of a device on Windows"


def email(answer, _answers):
    """An address stands between quotes in pyproject.toml."""
    if not EMAIL.fullmatch(answer):
        yield f"{answer!r} is not an e-mail address such as you@example.com"
    if len(answer) > LONGEST_TEXT:
        yield f"is {len(answer)} characters long, {LONGEST_TEXT} are allowed"


CHECKS = {"project_slug": slug, "package_name": package, "author_email": email}


def unmet_requirements(answers):
    """Return, for each chosen feature, what it needs that was not chosen."""
    return [
        f"{feature}: needs {needed}, not {answers[needed.split('=')[0].rstrip('!')]!r}"
        for feature, requirements in answers["_requires"].items()
        if chosen(feature, answers)
        for needed in requirements
        if not chosen(needed, answers)
    ]


def chosen(feature, answers):
    """Tell whether the answers choose `name` (yes), `name=value` or `name!=value`."""
    # Both hooks have this function: Cookiecutter runs each as a file that can import no other.
    question, differs, value = feature.partition("!=")
    if differs:
        return answers[question] != value
    question, equals, value = feature.partition("=")
    return answers[question] == value if equals else bool(answers[question])


def remove_folders(answers):
    """Remove the folders, if empty, that a slug such as `a/b` or `../a/b` has made."""
    # Cookiecutter makes them all before it runs this, and then removes the innermost alone.
    output = Path(answers.get("_output_dir", "..")).resolve()
    innermost = Path(output, str(answers["project_slug"]))
    made = [folder.resolve() for folder in (innermost, *innermost.parents)]
    made = [folder for folder in made if folder not in (output, *output.parents)]
    if len(made) > 1:
        os.chdir(output)
        for folder in made:
            with suppress(OSError):  # It holds something.
                folder.rmdir()


if __name__ == "__main__":
    found = problems(ANSWERS)
    for problem in found:
        # Whatever the console can show, the reason is told.
        print(problem.encode("ascii", "backslashreplace").decode(), file=sys.stderr)
    if found:
        remove_folders(ANSWERS)
        sys.exit(1)
