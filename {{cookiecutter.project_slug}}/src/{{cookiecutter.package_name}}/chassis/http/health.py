"""Health endpoints: liveness, readiness and version, and Mozilla's Dockerflow names for them."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from .. import TEMPLATE
from ..config.settings import BaseServiceSettings
from ..readiness import HEALTHY, Readiness
from .problems import problem

PROBES = {"/livez", "/readyz", "/__lbheartbeat__", "/__heartbeat__"}


def routes(readiness: Readiness, settings: BaseServiceSettings) -> APIRouter:
    """Return `/livez`, `/readyz` and `/version`."""
    router = APIRouter(tags=["health"])
    release = {
        "service": settings.otel_service_name,
        "revision": settings.revision,
        "template": TEMPLATE,
    }

    @router.get("/__lbheartbeat__", include_in_schema=False)
    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """Liveness: 200 while the process responds, whatever the state of backing services."""
        return {"status": "ok"}

    @router.get("/__heartbeat__", include_in_schema=False, response_model=dict[str, Any])
    @router.get("/readyz", response_model=dict[str, Any])
    async def readyz(request: Request) -> dict[str, Any] | Response:
        """Readiness: 503 while the process drains or a backing service is unavailable."""
        checks = {"draining": "draining"} if readiness.draining else await readiness.checks()
        if failed := [name for name, result in checks.items() if result not in HEALTHY]:
            return problem(
                request,
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Not ready: {', '.join(failed)}.",
                checks=checks,
            )
        return {"status": "ready", "checks": checks}

    @router.get("/__version__", include_in_schema=False)
    @router.get("/version")
    async def version() -> dict[str, str]:
        """Version: the service, the commit it was built from, the version of its template."""
        return release

    return router
