"""Loads settings from the environment; reports all problems at once, and misspelt variables."""

from collections.abc import Iterable
from difflib import get_close_matches
from os import environ
from typing import Any, get_args, get_origin

from pydantic import Secret, SecretStr, ValidationError

from . import secret_files
from .settings import BaseServiceSettings


class ConfigurationError(Exception):
    """Invalid environment; `problems` maps each variable to a reason that omits its value."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems


def load_settings[S: BaseServiceSettings](kind: type[S]) -> S:
    """Load settings of this class, or raise one `ConfigurationError` that names every problem."""
    values, problems = _read_secret_files(kind)
    try:
        settings = kind(**values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            name = str(detail["loc"][0]).upper()
            if f"{name}_FILE" not in problems:
                problems[name] = "missing" if detail["type"] == "missing" else detail["msg"]
        for unknown, known in misspelt(environ, kind).items():
            if known in problems:
                problems[known] += f" (is {unknown} misspelt?)"
    if problems:
        raise ConfigurationError(problems)
    return settings.model_copy(update=_in_files(settings, values))


def describe(settings: BaseServiceSettings) -> list[tuple[str, str, str]]:
    """Return every variable, its source (environment, file, default) and its masked value."""
    secrets = secret_fields(type(settings))
    rows = []
    for name, value in settings:
        variable, source = name.upper(), "default"
        if environ.get(variable):
            source = "environment"
        elif name in secrets and environ.get(f"{variable}_FILE"):
            source = "file"
        rows.append((variable, source, "" if value is None else str(value)))
    return rows


def secret_fields(kind: type[BaseServiceSettings]) -> set[str]:
    """Return the fields with secret values: `SecretStr`, `Secret[…]`, also optional ones."""

    def is_secret(annotation: Any) -> bool:
        if annotation is SecretStr or get_origin(annotation) is Secret:
            return True
        return any(map(is_secret, get_args(annotation)))

    return {name for name, field in kind.model_fields.items() if is_secret(field.annotation)}


def misspelt(names: Iterable[str], kind: type[BaseServiceSettings]) -> dict[str, str]:
    """Return unknown variables whose names are close to a known one: `{unknown: known}`."""
    known = {name.upper() for name in kind.model_fields}
    known |= {f"{name.upper()}_FILE" for name in secret_fields(kind)}
    guesses = {}
    for name in sorted(set(names) - known):
        if close := get_close_matches(name.upper(), known, n=1, cutoff=0.87):
            guesses[name] = close[0]
    return guesses


def _read_secret_files(kind: type[BaseServiceSettings]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    problems = {}
    for name in secret_fields(kind):
        variable = f"{name.upper()}_FILE"
        if not (path := environ.get(variable)):
            continue
        if environ.get(name.upper()):
            problems[variable] = f"{name.upper()} is set as well: keep one of the two"
            continue
        try:
            values[name] = secret_files.read(path)
        except ValueError as error:
            problems[variable] = str(error)
    return values, problems


def _in_files(
    settings: BaseServiceSettings, names: Iterable[str]
) -> dict[str, secret_files.SecretInFile]:
    fields = type(settings).model_fields
    return {
        name: secret_files.SecretInFile(
            getattr(settings, name).get_secret_value(),
            f"{name.upper()}_FILE",
            environ[f"{name.upper()}_FILE"],
            fields[name],
        )
        for name in names
    }
