"""Rejects invalid answers, all at once and each with its reason, before anything is written."""

import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

PYTHON, COOKIECUTTER = (3, 8), (2, 3)
"""The oldest supported versions of the programs that run this hook."""


def outdated():
    """Return a message if Python or Cookiecutter is too old; other reasons would mislead."""
    found = {"Python": (sys.version_info[:2], PYTHON)}
    with suppress(ImportError):
        import cookiecutter  # noqa: PLC0415  # Missing if another program runs this hook.

        version = tuple(map(int, cookiecutter.__version__.split(".")[:2]))
        found["Cookiecutter"] = (version, COOKIECUTTER)
    return "\n".join(
        "{} {}.{} or newer is needed, not {}.{}: use uvx cookiecutter".format(
            name, *minimum, *version
        )
        for name, (version, minimum) in found.items()
        if version < minimum
    )


def problems(answers):
    """Return every reason to reject these answers, as `question: reason`."""
    return [
        f"{question}: {reason}"
        for question, answer in answers.items()
        if not question.startswith("_")
        for reason in reasons(question, answer, answers)
    ] + unmet_requirements(answers)


def reasons(question, answer, answers):
    """Yield the reasons to reject one answer; a replay file may contain anything."""
    choices = answers["_choices"].get(question)
    if choices:
        if not any(answer == choice and type(answer) is type(choice) for choice in choices):
            yield f"must be one of {', '.join(map(str, choices))}, not {answer!r}"
    elif isinstance(answer, str):
        for rule in answers["_rules"].get(question, answers["_rules"]["*"]):
            if broken(rule, answer, answers):
                yield rule["message"]
        if answers.get(f"__{question}_quoted", quoted(answer)) != quoted(answer):
            yield "differs from its quoted form: answer again instead of editing a replay file"
    else:
        yield f"must be text, or one of the values that `_choices` lists, not {answer!r}"


def broken(rule, answer, answers):
    """Return whether a text breaks a rule of `_rules` in cookiecutter.json."""
    if "match" in rule:
        return not re.fullmatch(rule["match"], answer, re.DOTALL)
    if "avoid" in rule:
        return bool(re.search(rule["avoid"], answer, re.DOTALL))
    return answer.replace("-", "_") in answers[rule["names"]]


def quoted(answer):
    """Return a text as it is written between double quotes."""
    return answer.replace("\\", r"\\").replace('"', r"\"")


def unmet_requirements(answers):
    """Return a reason for each chosen feature that lacks another one it needs."""
    return [
        f"{feature}: needs {needed}, not {answers[needed.split('=')[0].rstrip('!')]!r}"
        for feature, requirements in answers["_requires"].items()
        if chosen(feature, answers)
        for needed in requirements
        if not chosen(needed, answers)
    ]


def chosen(feature, answers):
    """Return whether the answers choose a feature: `name`, `name=value` or `name!=value`."""
    # Both hooks have this function: Cookiecutter runs each as a file that cannot import another.
    question, differs, value = feature.partition("!=")
    if differs:
        return answers[question] != value
    question, equals, value = feature.partition("=")
    return answers[question] == value if equals else bool(answers[question])


def remove_folders(answers):
    """Remove the empty folders that a slug such as `a/b` or `../a/b` has created."""
    # Cookiecutter creates them before this hook and afterwards removes only the innermost.
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
    if outdated():
        sys.exit(outdated())
    ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
    found = problems(ANSWERS)
    for problem in found:
        # A console may not be able to show every character.
        print(problem.encode("ascii", "backslashreplace").decode(), file=sys.stderr)
    if found:
        remove_folders(ANSWERS)
        sys.exit(1)
