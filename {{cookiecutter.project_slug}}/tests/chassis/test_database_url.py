"""What `DATABASE_URL` may be."""

import pytest
from pydantic import TypeAdapter, ValidationError

from {{ cookiecutter.package_name }}.chassis.postgres.settings import PostgresUrl

validate = TypeAdapter(PostgresUrl).validate_python


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@host:5432/name",
        "postgres://host/name",
        "postgresql:///name?host=/run/postgresql",
        "postgresql://one,two:5433/name?target_session_attrs=primary",
    ],
)
def test_what_libpq_understands_is_accepted_and_hidden(url: str) -> None:
    accepted = validate(url)
    assert str(accepted.get_secret_value()) == url
    assert "hunter2" not in repr(accepted)


@pytest.mark.parametrize("url", ["name", "mysql://host/name", "postgresql://host:99999/name"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        validate(url)
