"""The FastAPI application of every process: middleware, problem details, health endpoints."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, request_response
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from ..observability.tracing import REQUEST_SPANS
from ..readiness import Readiness
from . import health, problems
from .requests import RequestMiddleware
from .settings import HttpSettings


def create_http_app(
    settings: HttpSettings,
    readiness: Readiness,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    *routers: APIRouter,
    middleware: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
) -> FastAPI:
    """Create an application; `middleware` runs inside the middleware of the chassis."""
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
        middleware=[
            Middleware(RequestMiddleware, settings=settings, readiness=readiness),
            *map(Middleware, middleware),
        ],
    )
    problems.install(app)
    for router in (health.routes(readiness, settings), *reversed(routers)):
        _add_routes(app, router)
    return app


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """Add the routes first and directly; `include_router` would match each request twice."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    if len(routes) < len(router.routes):  # Others are nested routers or WebSockets.
        return app.include_router(router)
    for route in routes:
        route.responses |= problems.RESPONSES
        route.dependency_overrides_provider = app
        route.app = request_response(route.get_route_handler())
    app.router.routes[:0] = routes
    return None
