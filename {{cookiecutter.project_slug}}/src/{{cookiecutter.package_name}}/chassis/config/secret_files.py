"""A secret in a file is read again whenever it is asked for: platforms change it meanwhile."""

from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import Secret, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()


def read(path: str) -> str:
    """Return what the file holds, or raise `ValueError` that says why it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ValueError(f"the file cannot be read ({type(error).__name__})") from None


class SecretInFile(Secret[Any]):
    """The value that the file holds now, or its last good one: who connects anew asks anew."""

    def __init__(self, value: Any, variable: str, path: str, field: FieldInfo) -> None:
        super().__init__(value)
        self._variable = variable
        self._path = path
        kind: Any = Annotated[field.annotation, field]
        self._valid = TypeAdapter[Any](kind)
        self._text = self._problem = ""

    def get_secret_value(self) -> Any:
        """Return the value; of a file that has become useless, tell once, by its variable."""
        try:
            if (text := read(self._path)) != self._text:
                value = self._valid.validate_python(text).get_secret_value()
                if self._secret_value != value:
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
