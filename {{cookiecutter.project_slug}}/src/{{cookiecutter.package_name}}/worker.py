"""START HERE for the worker process, made of resources and tasks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

{% if cookiecutter.events %}
from .chassis.events.projections import Projection
from .chassis.events.projector import Projector
{% endif %}
from .chassis.jobs.queue import JobQueue
from .chassis.jobs.server import Jobs, create_worker_app
from .chassis.readiness import Readiness
from .orders import tasks as orders
{% if cookiecutter.events %}
from .orders.event_store import OrderList
{% endif %}
from .resources import open_resources
from .settings import Settings
{% if cookiecutter.events %}

PROJECTIONS: list[Projection] = [
    OrderList(),
]
{% endif %}


def create_app(settings: Settings, readiness: Readiness) -> FastAPI:
    """Create the application, which runs jobs and serves probes."""

    @asynccontextmanager
    async def open_jobs() -> AsyncIterator[Jobs]:
        async with open_resources(settings, "worker") as resources:
            pings = dict(resources.pings)
            {% if cookiecutter.events %}
            projector = Projector(resources.database.pool, PROJECTIONS)
            pings["projections"] = projector.ping
            {% endif %}
            yield Jobs(
                queue=JobQueue(resources.database.pool),
                pings=pings,
                {% if cookiecutter.events %}
                others=[projector.run],
                {% endif %}
                add_tasks=[
                    # The tasks of each resource.
                    lambda tasks: orders.add_tasks(tasks, resources.orders, settings),
                ],
            )

    return create_worker_app(settings, readiness, open_jobs)
