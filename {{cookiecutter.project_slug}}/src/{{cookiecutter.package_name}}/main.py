"""START HERE: what the web process is made of, and how it starts, serves and stops."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import uvloop
from fastapi import FastAPI

from . import exits
from .api import health, problems
from .api.body_limit import LimitBodies
from .api.browser_headers import SetBrowserHeaders
from .api.cors import AllowOrigins
from .api.deadline import LimitTime
from .api.observe import ObserveRequests
{% if cookiecutter.database != "none" %}
from .api.orders import router as orders
{% endif %}
{% if cookiecutter.redis %}
from .api.rate_limit import LimitRate
{% endif %}
from .lifecycle import open_resources
from .logs import log
from .metrics import open_metrics_server
from .server import Server, bind
from .settings import Settings
from .tracing import REQUEST_SPANS


def create_app(settings: Settings) -> FastAPI:
    """Build the application; what it needs is opened when it starts, and closed when it stops."""
    readiness = health.Readiness()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "web") as resources:
            app.state.resources = resources
            readiness.pings = resources.pings
            yield

    app = FastAPI(
        title=settings.otel_service_name,
        version=settings.revision,
        lifespan=lifespan,
        servers=[{"url": "/"}],
        responses=problems.RESPONSES,
        openapi_url="/openapi.json" if settings.docs_enabled else None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=REQUEST_SPANS,
    )
    app.state.readiness = readiness
    app.add_middleware(LimitBodies, max_bytes=settings.max_body_bytes)
    {% if cookiecutter.redis %}
    app.add_middleware(LimitRate)
    {% endif %}
    app.add_middleware(LimitTime, seconds=settings.request_seconds)
    if settings.cors_origins:
        app.add_middleware(AllowOrigins, origins=settings.cors_origins.split(","))
    app.add_middleware(ObserveRequests, readiness=readiness)
    app.add_middleware(SetBrowserHeaders, hsts_seconds=settings.hsts_seconds)
    problems.install(app)
    identity = {"service": settings.otel_service_name, "revision": settings.revision}
    {% if cookiecutter.database != "none" %}
    app.include_router(orders)
    {% endif %}
    app.include_router(health.routes(readiness, identity))
    return app


def serve(settings: Settings) -> int:
    """Serve until SIGTERM and return the exit status: 0, or 71 where a port is taken."""
    app = create_app(settings)
    server = Server(app, settings, app.state.readiness)
    with ExitStack() as stack:
        port = settings.port
        try:
            listener = stack.enter_context(bind(settings.host, port))
            port = settings.metrics_port
            stack.enter_context(open_metrics_server(settings.host, port))
        except OSError as error:
            log.critical("cannot listen", host=settings.host, port=port, reason=error.strerror)
            return exits.OSERR
        uvloop.run(server.serve(sockets=[listener]))
        log.info("stopped")
    return 0
