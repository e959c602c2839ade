"""Loads settings from the environment; reports all problems at once, and misspelt variables."""

from collections.abc import Iterable
from difflib import get_close_matches
from os import environ
from typing import Any, get_args, get_origin

from opentelemetry.sdk import environment_variables
from pydantic import Secret, SecretStr, ValidationError

from . import secret_files
from .settings import BaseServiceSettings


class ConfigurationError(Exception):
    """Invalid environment; `problems` maps each variable to a reason that omits its value."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems


def load_settings[S: BaseServiceSettings](settings_type: type[S]) -> S:
    """Load settings, or raise one `ConfigurationError` that names every problem."""
    values, problems = _read_secret_files(settings_type)
    try:
        settings = settings_type(**values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            name = str(detail["loc"][0]).upper()
            if f"{name}_FILE" not in problems:
                problems[name] = "missing" if detail["type"] == "missing" else detail["msg"]
        for unknown, known in misspelt(environ, settings_type).items():
            if known in problems:
                problems[known] += f" (is {unknown} misspelt?)"
    if problems:
        raise ConfigurationError(problems)
    in_files = {
        name: secret_files.SecretInFile(settings, name, environ[f"{name.upper()}_FILE"])
        for name in values
    }
    return settings.model_copy(update=in_files)


def placeholders(settings_type: type[BaseServiceSettings]) -> BaseServiceSettings:
    """Return settings without reading the environment; required ones have an empty value."""
    secrets = secret_fields(settings_type)

    def empty(name: str, annotation: Any) -> Any:
        try:
            return SecretStr("") if name in secrets else annotation()
        except TypeError:
            return None  # The type has no empty value.

    fields = settings_type.model_fields.items()
    required = {n: empty(n, field.annotation) for n, field in fields if field.is_required()}
    return settings_type.model_construct(**required)


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


def secret_fields(settings_type: type[BaseServiceSettings]) -> set[str]:
    """Return the fields with secret values: `SecretStr`, `Secret[…]`, also optional ones."""

    def is_secret(annotation: Any) -> bool:
        if annotation is SecretStr or get_origin(annotation) is Secret:
            return True
        return any(map(is_secret, get_args(annotation)))

    fields = settings_type.model_fields.items()
    return {name for name, field in fields if is_secret(field.annotation)}


def misspelt(names: Iterable[str], settings_type: type[BaseServiceSettings]) -> dict[str, str]:
    """Return unknown variables whose names are close to a known one: `{unknown: known}`."""
    known = {name.upper() for name in settings_type.model_fields}
    known |= {f"{name.upper()}_FILE" for name in secret_fields(settings_type)}
    matches = {}
    for name in sorted(set(names) - known - vars(environment_variables).keys()):
        if close := get_close_matches(name.upper(), known, n=1, cutoff=0.87):
            matches[name] = close[0]
    return matches


def _read_secret_files(
    settings_type: type[BaseServiceSettings],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the secrets by field, and the problems by variable."""
    values, problems = dict[str, Any](), dict[str, str]()
    for name in secret_fields(settings_type):
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
