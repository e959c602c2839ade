"""Health endpoints: whether to restart the process, to send it requests, and what it is."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from .. import TEMPLATE
from ..config.settings import BaseServiceSettings
from ..readiness import HEALTHY, Readiness
from .problems import problem


def routes(readiness: Readiness, settings: BaseServiceSettings) -> APIRouter:
    """Return `/livez`, `/readyz` and `/version`."""
    router = APIRouter(tags=["health"])
    release = {
        "service": settings.otel_service_name,
        "revision": settings.revision,
        "template": TEMPLATE,
    }

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """Say that the process responds; checks nothing else, so that no outage restarts it."""
        return {"status": "ok"}

    @router.get("/readyz", response_model=dict[str, Any])
    async def readyz(request: Request) -> dict[str, Any] | Response:
        """Say whether to send requests: 503 while draining or without a backing service."""
        checks = {"draining": "draining"} if readiness.draining else await readiness.checks()
        if failed := [name for name, result in checks.items() if result not in HEALTHY]:
            return problem(
                request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Not ready: {', '.join(failed)}.",
                checks=checks,
            )
        return {"status": "ready", "checks": checks}

    @router.get("/version")
    async def version() -> dict[str, str]:
        """Name the service, the commit of this release, and the version of the template."""
        return release

    return router
