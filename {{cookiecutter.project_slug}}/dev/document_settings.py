"""Writes what `Settings` says into `.env.example` and into the table of the README."""

from pathlib import Path

from {{ cookiecutter.package_name }}.chassis.config.loader import secret_fields
from {{ cookiecutter.package_name }}.settings import Settings

ROOT = Path(__file__).parents[1]
START, END = "<!-- settings -->\n", "<!-- /settings -->\n"


def dotenv_example() -> str:
    """Return the text of `.env.example`: each variable with its purpose and its default."""
    parts = []
    for name, field in Settings.model_fields.items():
        default = "" if field.is_required() or field.default is None else field.default
        note = " Required." if field.is_required() else ""
        parts.append(f"# {field.description}{note}\n{name.upper()}={default}\n")
    return "".join(parts)


def readme_table() -> str:
    """Return the rows of the README's table of variables."""
    rows = ["| Variable | Default | What it says |\n", "| --- | --- | --- |\n"]
    secrets = secret_fields(Settings)
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"`{field.default}`"
        if default in ("`None`", "``"):
            default = "unset"
        file = f" Or from the file `{name.upper()}_FILE`." if name in secrets else ""
        rows.append(f"| `{name.upper()}` | {default} | {field.description}{file} |\n")
    return "".join(rows)


def with_table(readme: str) -> str:
    """Return the text of the README with the table between its two marks written anew."""
    before, _, rest = readme.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{readme_table()}\n{END}{after}"


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(dotenv_example())
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text()))
