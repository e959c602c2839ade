"""The FastAPI application of every process: middleware and problem details."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from ..observability.tracing import REQUEST_SPANS
from ..readiness import Readiness
from . import problems
from .middleware.cors import CorsMiddleware
from .middleware.errors import ErrorMiddleware
from .middleware.request_log import RequestLogMiddleware
from .middleware.routing import RoutingMiddleware
from .middleware.security_headers import SecurityHeadersMiddleware
from .middleware.timeout import TimeoutMiddleware
from .settings import HttpSettings


def create_app(
    settings: HttpSettings,
    readiness: Readiness,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    *,
    middleware: Sequence[Middleware] = (),
    docs_enabled: bool = False,
) -> FastAPI:
    """Create an application; `middleware` runs inside the middleware of the chassis."""
    app = FastAPI(
        title=settings.otel_service_name,
        version=settings.revision,
        lifespan=lifespan,
        servers=[{"url": "/"}],
        responses=problems.RESPONSES,
        openapi_url="/openapi.json" if docs_enabled else None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=REQUEST_SPANS,
        middleware=[
            *_every_response(settings, readiness),
            Middleware(ErrorMiddleware),
            Middleware(TimeoutMiddleware, seconds=settings.request_seconds),
            *middleware,
            Middleware(RoutingMiddleware),
        ],
    )
    problems.install(app)
    return app


def with_request_log(app: ASGIApp, settings: HttpSettings, readiness: Readiness) -> ASGIApp:
    """Wrap an application that rejects requests in the middleware of every response."""
    for outer in reversed(_every_response(settings, readiness)):
        app = outer.cls(app, *outer.args, **outer.kwargs)
    return app


def _every_response(settings: HttpSettings, readiness: Readiness) -> list[Middleware]:
    """Return the outermost middleware, the outermost first."""
    origins = settings.cors_origins.split(",")
    return [
        Middleware(SecurityHeadersMiddleware, hsts_seconds=settings.hsts_seconds),
        Middleware(RequestLogMiddleware, readiness=readiness),
        *([Middleware(CorsMiddleware, origins=origins)] if settings.cors_origins else []),
    ]
