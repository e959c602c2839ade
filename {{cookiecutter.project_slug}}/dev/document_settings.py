"""`make docs`: document every setting, and set required ones to their examples."""

import re
import shlex
from pathlib import Path

from {{ cookiecutter.package_name }}.chassis.config.loader import secret_fields
from {{ cookiecutter.package_name }}.settings import Settings

ROOT = Path(__file__).parents[1]
USED = [".env", "compose/service.env", "deploy/base/settings.env"]
"""Files with variables of all processes; those that exist get the examples."""


def dotenv_example() -> str:
    """Return the text of `.env.example`, in the order of the mixins of `Settings`."""
    secrets = secret_fields(Settings)
    parts = []
    for name, field in Settings.model_fields.items():
        default = "" if field.is_required() or field.default is None else str(field.default)
        default = shlex.quote(default) if default else ""  # A shell can read the file.
        notes = " Required." if field.is_required() else ""
        notes += f" Or in the file `{name.upper()}_FILE`." if name in secrets else ""
        parts.append(f"# {field.description}{notes}\n{name.upper()}={default}\n")
    return "".join(parts)


def examples() -> dict[str, str]:
    """Return an example of each required setting that declares one, secrets excepted."""
    fields, secrets = Settings.model_fields.items(), secret_fields(Settings)
    return {
        name.upper(): str(field.examples[0])
        for name, field in fields
        if field.is_required() and field.examples and name not in secrets
    }


def completed(text: str) -> str:
    """Append the examples of settings that a file of variables does not set."""
    added = (f"{k}={v}\n" for k, v in examples().items() if not re.search(f"(?m)^{k}=", text))
    return text + "".join(added)


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(dotenv_example())
    for file in filter(Path.exists, (ROOT / name for name in USED)):
        file.write_text(completed(file.read_text()))
