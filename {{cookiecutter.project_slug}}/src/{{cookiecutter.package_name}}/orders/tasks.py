"""Tasks about orders, which a worker runs outside of requests."""

from datetime import UTC, datetime
from uuid import UUID

from ..chassis.jobs.tasks import Tasks
from .cleanup import delete_old
from .model import OrderStore, fulfil

FULFIL = "fulfil"


def add_tasks(tasks: Tasks, orders: OrderStore, *, cleanup_schedule: str, keep_days: int) -> None:
    """Register the tasks; each must be idempotent, since a worker may crash after its effect."""

    @tasks.add(FULFIL)
    async def fulfil_order(order_id: UUID) -> None:
        await fulfil(orders, order_id)

    @tasks.add("cleanup", cron=cleanup_schedule)
    async def cleanup(timestamp: int) -> None:
        await delete_old(orders, keep_days, now=datetime.fromtimestamp(timestamp, UTC))
