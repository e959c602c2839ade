"""START HERE for the worker process, made of resources and tasks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from .chassis.jobs.queue import JobQueue
from .chassis.jobs.server import Jobs, create_worker_app
{% if cookiecutter.observe %}
from .chassis.jobs.spans import span_middleware
from .chassis.observability.saturation import open_saturation
{% endif %}
from .chassis.readiness import Readiness
from .orders import tasks as orders
{% if cookiecutter.events %}
from .projections import create_projector
{% endif %}
from .resources import open_resources
from .settings import Settings


def create_app(settings: Settings, readiness: Readiness) -> FastAPI:
    """Create the application, which runs jobs and serves probes."""

    @asynccontextmanager
    async def open_jobs() -> AsyncIterator[Jobs]:
        async with open_resources(settings, "worker") as resources:
            pings = dict(resources.pings)
            {% if cookiecutter.observe %}
            pings = open_saturation(readiness, pings)
            {% endif %}
            {% if cookiecutter.events %}
            projector = create_projector(resources)
            pings["projections"] = projector.ping
            {% endif %}
            yield Jobs(
                queue=JobQueue(resources.database.pool),
                pings=pings,
                {% if cookiecutter.events %}
                others=[projector.run],
                {% endif %}
                {% if cookiecutter.observe %}
                middleware=span_middleware(settings),
                {% endif %}
                add_tasks=[
                    # The tasks of each resource.
                    lambda tasks: orders.add_tasks(tasks, resources.orders, settings),
                ],
            )

    return create_worker_app(settings, readiness, open_jobs)
