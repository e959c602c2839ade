"""START HERE: the web process, made of resources, routes and middleware."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from .chassis.http.app import create_http_app
{% if cookiecutter.redis %}
from .chassis.http.rate_limit import RateLimitMiddleware
{% endif %}
{% if cookiecutter.observe %}
from .chassis.observability.saturation import open_saturation
{% endif %}
from .chassis.readiness import Readiness
{% if cookiecutter.database != "none" %}
from .orders import routes as orders
{% endif %}
from .resources import open_resources
from .settings import Settings


def create_app(settings: Settings, readiness: Readiness) -> FastAPI:
    """Create the application, which opens its resources when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "web") as resources:
            app.state.resources = resources
            readiness.pings = resources.pings
            {% if cookiecutter.observe %}
            readiness.pings = open_saturation(readiness, readiness.pings)
            {% endif %}
            yield

    return create_http_app(
        settings,
        readiness,
        lifespan,
        {% if cookiecutter.database != "none" %}
        orders.router,
        {% endif %}
        {% if cookiecutter.redis %}
        middleware=[RateLimitMiddleware],
        {% endif %}
    )
