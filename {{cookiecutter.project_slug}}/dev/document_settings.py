"""`make docs`: write the description and default of every setting to `.env.example`."""

import shlex
from pathlib import Path

from {{ cookiecutter.package_name }}.chassis.config.loader import secret_fields
from {{ cookiecutter.package_name }}.settings import Settings

ROOT = Path(__file__).parents[1]


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


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(dotenv_example())
