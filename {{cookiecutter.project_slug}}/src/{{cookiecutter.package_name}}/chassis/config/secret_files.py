"""Secrets in files, read again on every use: the platform may replace them at any time."""

from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import Secret, TypeAdapter, ValidationError
from structlog.typing import FilteringBoundLogger

from .settings import BaseServiceSettings

log: FilteringBoundLogger = structlog.get_logger()


def read(path: str) -> str:
    """Return the stripped text of the file; raise `ValueError` if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ValueError(f"the file cannot be read ({type(error).__name__})") from None


class SecretInFile(Secret[Any]):
    """The current value of a secret field in the file `path`, or else the last valid one."""

    def __init__(self, settings: BaseServiceSettings, name: str, path: str) -> None:
        super().__init__(getattr(settings, name).get_secret_value())
        self._variable = f"{name.upper()}_FILE"
        self._path = path
        field = type(settings).model_fields[name]
        annotation: Any = Annotated[field.annotation, field]
        self._validate = TypeAdapter[Any](annotation).validate_python
        self._text = self._problem = ""

    def get_secret_value(self) -> Any:
        """Return the value; log once if the file changes or becomes invalid."""
        try:
            if (text := read(self._path)) != self._text:
                value = self._validate(text).get_secret_value()
                if value != self._secret_value:
                    log.info("secret reloaded", variable=self._variable)
                self._secret_value, self._text = value, text
            self._problem = ""
        except ValueError as error:
            problem = str(error)
            if isinstance(error, ValidationError):
                problem = error.errors(include_input=False, include_context=False)[0]["msg"]
            if problem != self._problem:
                log.warning("secret reload failed", variable=self._variable, problem=problem)
            self._problem = problem
        return self._secret_value
