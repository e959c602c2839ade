"""`.env.example` documents the settings as they are."""

from dev.document_settings import ROOT, dotenv_example


def test_the_example_of_an_environment_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == dotenv_example(), "run make docs"
