"""Deleting old orders, as the platform's schedule does."""

import asyncio
import json
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from {{ cookiecutter.package_name }}.orders import cleanup
from {{ cookiecutter.package_name }}.orders.model import place
from {{ cookiecutter.package_name }}.resources import open_resources
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import run


async def add_old_orders(settings: Settings, number: int) -> None:
    """Store so many orders of eight days ago, and one of now."""
    async with open_resources(settings, "test") as resources:
        new = await place(resources.orders, "tea", 1)
        for _ in range(number):
            old = replace(new, id=uuid4(), placed_at=new.placed_at - timedelta(days=8))
            await resources.orders.add(old, None)


def clean_up(environment: dict[str, str]) -> int:
    """Delete orders older than a week; return how many were, as the one line of output says."""
    done = run(environment, "cleanup", "--older-than-days", "7")
    assert (done.returncode, done.stderr) == (0, "")
    return int(json.loads(done.stdout)["deleted"])


def test_old_orders_go_and_new_ones_stay(environment: dict[str, str], settings: Settings) -> None:
    asyncio.run(add_old_orders(settings, 1))
    assert clean_up(environment) == 1
    assert clean_up(environment) == 0


def test_two_at_once_delete_each_order_once(
    environment: dict[str, str], settings: Settings
) -> None:
    asyncio.run(add_old_orders(settings, 50))
    with ThreadPoolExecutor() as threads:
        assert sum(threads.map(clean_up, [environment] * 2)) == 50


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e9", "²"])
def test_days_that_are_none_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ArgumentParser()
    cleanup.add_options(options)
    with pytest.raises(SystemExit, match="2"):
        options.parse_args(["--older-than-days", days])
    assert "a number of days" in capsys.readouterr().err


def test_an_option_that_is_refused_is_told_with_status_2(environment: dict[str, str]) -> None:
    done = run(environment, "cleanup", "--older-than-days", "0")
    assert done.returncode == 2
    assert "a number of days" in done.stderr
