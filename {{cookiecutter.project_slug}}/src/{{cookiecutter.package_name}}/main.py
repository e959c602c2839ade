"""START HERE: the web process, made of resources, middleware and routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
{% if cookiecutter.redis %}
from starlette.middleware import Middleware
{% endif %}

from .chassis.http import app as http
from .chassis.http import health
{% if cookiecutter.redis %}
from .chassis.http.middleware.rate_limit import RateLimitMiddleware
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
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "web") as resources:
            readiness.pings = resources.pings
            {% if cookiecutter.database != "none" %}
            app.state.orders = resources.orders
            {% endif %}
            {% if cookiecutter.redis %}
            app.state.rate_limiter = resources.rate_limiter
            {% endif %}
            yield

    app = http.create_app(
        settings,
        readiness,
        lifespan,
        docs_enabled=settings.docs_enabled,
        {% if cookiecutter.redis %}
        middleware=[Middleware(RateLimitMiddleware)],
        {% endif %}
    )
    {% if cookiecutter.database != "none" %}
    app.include_router(orders.router)
    {% endif %}
    app.include_router(health.routes(readiness, settings))
    return app
