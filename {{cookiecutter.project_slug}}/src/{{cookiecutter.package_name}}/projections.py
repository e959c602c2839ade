"""What the worker derives from events."""

{% if cookiecutter.broker == "nats" %}
from .chassis.events.outbox import Outbox
{% endif %}
from .chassis.events.projector import Projector
from .orders.event_store import OrderList
from .resources import Resources


def create_projector(resources: Resources) -> Projector:
    """Create what keeps the projections up to date."""
    return Projector(
        resources.database.pool,
        [
            OrderList(),
            {% if cookiecutter.broker == "nats" %}
            Outbox(resources.broker),
            {% endif %}
        ],
    )
