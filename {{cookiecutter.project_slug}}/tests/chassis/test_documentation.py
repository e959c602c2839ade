"""What is written of the settings is what the settings are, in `.env.example` and in the README."""

from dev.document_settings import ROOT, dotenv_example, with_table


def test_the_example_of_an_environment_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == dotenv_example(), "make docs"


def test_the_table_of_the_readme_is_up_to_date() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme == with_table(readme), "make docs"
