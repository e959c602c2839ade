"""What a worker changes is not read from the cache as it was before."""

from .jobs import Worker, place, status
from .service import Service


def test_a_fulfilled_order_is_read_as_fulfilled(
    environment: dict[str, str], service: Service
) -> None:
    order_id = place(service)
    assert status(service, order_id) == "placed"
    with Worker(environment) as worker:
        worker.wait_for("job", outcome="done")
    assert status(service, order_id) == "fulfilled"
