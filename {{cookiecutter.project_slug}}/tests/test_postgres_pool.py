"""What a pool of connections says of an outage: not much."""

import logging

from {{ cookiecutter.package_name }}.adapters.postgres_pool import Sparingly


def test_of_many_warnings_one_passes_and_errors_always_do() -> None:
    sparingly = Sparingly(3600)
    warning, error = (logging.makeLogRecord({"levelno": level}) for level in (30, 40))
    assert [sparingly.filter(record) for record in (warning, warning, error, warning)] == [
        True,
        False,
        True,
        False,
    ]


def test_the_warnings_of_the_pool_pass_through_it() -> None:
    filters = logging.getLogger("psycopg.pool").filters
    assert [type(one) for one in filters] == [Sparingly]
