"""Tasks about orders, run by the worker."""

from datetime import UTC, datetime
from uuid import UUID

from ..chassis.jobs.tasks import Tasks
from .cleanup import delete_old
from .model import OrderStore, fulfil
from .postgres import FULFIL
from .settings import OrderSettings


def add_tasks(tasks: Tasks, orders: OrderStore, settings: OrderSettings) -> None:
    """Register the tasks; each must be idempotent: a job of a crashed worker runs again."""

    @tasks.add(FULFIL)
    async def fulfil_order(order_id: UUID) -> None:
        await fulfil(orders, order_id)

    @tasks.add("cleanup", cron=settings.cleanup_schedule)
    async def cleanup(timestamp: int) -> None:
        await delete_old(orders, settings.keep_days, now=datetime.fromtimestamp(timestamp, UTC))
