"""`make copier`: generate `copier.yml`, the configuration of Copier, from `cookiecutter.json`."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from .pythons import ROOT

FILE = ROOT / "copier.yml"
HEADER = "# Generated from cookiecutter.json by `make copier`; edit that file instead.\n"
SLUGIFIED = re.compile(r"(\w+) \| slugify\(max_length=(\d+)\) or ('\w+')")
"""Cookiecutter's filter, which Copier lacks."""


def config(declared: dict[str, Any]) -> dict[str, Any]:
    """Return Copier's configuration: settings, a question each, and the computed namespace."""
    questions = {name: value for name, value in declared.items() if not name.startswith("_")}
    derived = {
        name: value
        for name, value in declared.items()
        if name.startswith("__") and isinstance(value, str)
    }
    return {
        "_min_copier_version": "9.4.0",
        "_subdirectory": "{% raw %}{{cookiecutter.project_slug}}{% endraw %}",
        "_templates_suffix": "",
        "_envops": declared["_jinja2_env_vars"] | {"keep_trailing_newline": True},
        "_skip_if_exists": ["LICENSE"],
        "_exclude": ["__pycache__", ".git", *_excluded(declared["_features"])],
        "names": {"type": "json", "when": False, "default": json.dumps(_names(declared))},
        **{name: _question(name, value, declared) for name, value in questions.items()},
        "cookiecutter": {
            "type": "json",
            "when": False,
            "default": _namespace(questions, derived, declared["_version"]),
        },
    }


def _excluded(features: dict[str, list[str]]) -> list[str]:
    """Return an entry for each feature: the patterns of its files, one per line."""
    return [
        f"{{% if not ({_condition(feature)}) %}}\n"
        + "".join(f"/{pattern}\n" for pattern in patterns)
        + "{% endif %}\n"
        for feature, patterns in features.items()
    ]


def _names(declared: dict[str, Any]) -> dict[str, list[str]]:
    rules = [rule for rules in declared["_rules"].values() for rule in rules]
    return {rule["names"]: declared[rule["names"]] for rule in rules if "names" in rule}


def _condition(feature: str, namespace: str = "cookiecutter.") -> str:
    """Translate a feature (`name`, `name=value` or `name!=value`) to a Jinja condition."""
    name, operator, value = re.fullmatch(r"(\w+)(?:(!?=)(.*))?", feature).groups()  # type: ignore[union-attr]
    if not operator:
        return f"{namespace}{name}"
    return f"{namespace}{name} {'!=' if operator == '!=' else '=='} {_literal(value)}"


def _question(name: str, value: Any, declared: dict[str, Any]) -> dict[str, Any]:
    prompt = declared["__prompts__"][name]
    problems = _problems(name, value, declared)
    checked = {"validator": problems} if problems else {}
    if isinstance(value, bool):
        return {"type": "bool", "help": prompt, "default": value, **checked}
    if isinstance(value, list):
        choices = {prompt[choice]: choice for choice in value}
        return {
            "type": "str",
            "help": prompt["__prompt__"],
            "choices": choices,
            "default": value[0],
            **checked,
        }
    return {"type": "str", "help": prompt, "default": _default(value), **checked}


def _default(value: str) -> str:
    plain = value.replace("cookiecutter.", "")
    return SLUGIFIED.sub(
        r"((\1 | lower | regex_replace('[^a-z0-9]+', '-'))[:\2] | regex_replace('^-|-$', ''))"
        r" or \3",
        plain,
    )


def _namespace(questions: dict[str, Any], derived: dict[str, str], version: str) -> str:
    """Return a template that renders to the answers as the files expect them, as JSON."""
    values = {name: name for name in questions}
    for name, value in derived.items():
        values[name] = f"({value.removeprefix('{{ ').removesuffix(' }}')})".replace(
            "cookiecutter.", ""
        )
    values |= {"__copier": "'yes'", "_version": _literal(version)}
    pairs = ", ".join(f"{_literal(name)}: {value}" for name, value in values.items())
    return f"{{{{ {{{pairs}}} | to_json }}}}"


def _problems(name: str, value: Any, declared: dict[str, Any]) -> str:
    """Return a template that renders to the reasons to reject an answer, or to nothing."""
    if isinstance(value, str):
        rules = declared["_rules"].get(name, declared["_rules"]["*"])
        checks = {_broken(name, rule): rule["message"] for rule in rules}
        found = {condition: f"{name}: {message}" for condition, message in checks.items()}
    else:
        found = {
            " and not ".join(
                _condition(it, "") for it in (feature, needed)
            ): f"{feature}: needs {needed}"
            for feature, requirements in declared["_requires"].items()
            if re.split("!?=", feature)[0] == name
            for needed in requirements
        }
    return "".join(
        f"{{% if {condition} %}}{{{{ {_literal(message)} }}}}\n{{% endif %}}\n"
        for condition, message in found.items()
    )


def _broken(name: str, rule: dict[str, str]) -> str:
    if "match" in rule:
        pattern = _literal(rf"(?s)\A(?:{rule['match']})\Z")
        return f"({name} | regex_search({pattern})) is none"
    if "avoid" in rule:
        return f"({name} | regex_search({_literal('(?s)' + rule['avoid'])})) is not none"
    return f"{name} | replace('-', '_') in names[{_literal(rule['names'])}]"


def _literal(text: str) -> str:
    """Return a text as a Jinja string, without braces that could start a tag."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\x7b")
    return f"'{escaped}'"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as literal blocks."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


def text(template: Path = ROOT) -> str:
    """Return the text of the `copier.yml` of a template."""
    declared = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    return HEADER + yaml.dump(
        config(declared), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
