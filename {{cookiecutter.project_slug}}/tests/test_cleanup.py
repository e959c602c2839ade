"""Deleting old orders, as the platform's schedule does."""

import json

import pytest

from .service import run


def test_old_orders_go_and_new_ones_stay(environment: dict[str, str]) -> None:
    code = (
        "from dataclasses import replace; from datetime import timedelta; from uuid import UUID\n"
        "from {{ cookiecutter.package_name }}.domain.orders import place\n"
        "new = run(place(resources.orders, 'tea', 1))\n"
        "old = replace(new, id=UUID(int=8), placed_at=new.placed_at - timedelta(days=8))\n"
        "run(resources.orders.add(old, None))"
    )
    assert run(environment, "shell", "-c", code).returncode == 0
    first, second = (run(environment, "cleanup", "--older-than-days", "7") for _ in range(2))
    assert (first.returncode, json.loads(first.stdout)["deleted"]) == (0, 1)
    assert (second.returncode, json.loads(second.stdout)["deleted"]) == (0, 0)


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e9", "²"])
def test_days_that_are_none_are_refused(environment: dict[str, str], days: str) -> None:
    done = run(environment, "cleanup", "--older-than-days", days)
    assert done.returncode == 2
    assert "a number of days" in done.stderr
