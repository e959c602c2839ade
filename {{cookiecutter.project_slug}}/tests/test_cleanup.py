"""Deleting old orders, as the platform's schedule does."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from .service import run

ADD_OLD_ORDERS = """
from dataclasses import replace; from datetime import timedelta; from uuid import UUID
from {{ cookiecutter.package_name }}.domain.orders import place
new = run(place(resources.orders, 'tea', 1))
for number in range({number}):
    old = replace(new, id=UUID(int=number), placed_at=new.placed_at - timedelta(days=8))
    run(resources.orders.add(old, None))
"""


def add_old_orders(environment: dict[str, str], number: int) -> None:
    """Store so many orders of eight days ago, and one of now."""
    code = ADD_OLD_ORDERS.replace("{number}", str(number))
    assert run(environment, "shell", "-c", code).returncode == 0


def clean_up(environment: dict[str, str]) -> int:
    """Delete orders older than a week; return how many were, as the one line of output says."""
    done = run(environment, "cleanup", "--older-than-days", "7")
    assert (done.returncode, done.stderr) == (0, "")
    return int(json.loads(done.stdout)["deleted"])


def test_old_orders_go_and_new_ones_stay(environment: dict[str, str]) -> None:
    add_old_orders(environment, 1)
    assert clean_up(environment) == 1
    assert clean_up(environment) == 0


def test_two_at_once_delete_each_order_once(environment: dict[str, str]) -> None:
    add_old_orders(environment, 50)
    with ThreadPoolExecutor() as threads:
        assert sum(threads.map(clean_up, [environment] * 2)) == 50


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e9", "²"])
def test_days_that_are_none_are_refused(environment: dict[str, str], days: str) -> None:
    done = run(environment, "cleanup", "--older-than-days", days)
    assert done.returncode == 2
    assert "a number of days" in done.stderr
