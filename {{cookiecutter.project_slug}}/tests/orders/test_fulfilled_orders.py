"""What a worker changes is not read from the cache as it was before."""

from ..support.job_fixtures import Worker, place, status
from ..support.service import Service


def test_a_fulfilled_order_is_read_as_fulfilled(
    environment: dict[str, str], shared: Service
) -> None:
    order_id = place(shared)
    assert status(shared, order_id) == "placed"
    with Worker(environment) as worker:
        worker.wait_for("job", outcome="done")
    assert status(shared, order_id) == "fulfilled"
