"""Three questions, three answers: to restart it, to send it requests, what it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from .. import TEMPLATE
from ..domain.errors import Unavailable
from .problems import problem

type Ping = Callable[[], Awaitable[Literal["ok", "degraded"]]]
"""Asks, in bounded time, whether a backing service is fit for use; raises `Unavailable` if not.

Of a service that the process can do without, it says `degraded` instead.
"""

FIT = {"ok", "degraded"}
"""What pings say where requests may come."""


class Readiness:
    """Whether this process wants requests: not while draining or without a backing service."""

    def __init__(self) -> None:
        self.draining = False
        self.pings: Mapping[str, Ping] = {}

    async def checks(self) -> dict[str, str]:
        """Ask every backing service at once: by name, what its ping says or the kind of failure."""

        async def check(ping: Ping) -> str:
            try:
                return await ping()
            except Unavailable as error:
                return error.failure

        answers = await asyncio.gather(*map(check, self.pings.values()))
        return dict(zip(self.pings, answers, strict=True))


def routes(readiness: Readiness, identity: dict[str, str]) -> APIRouter:
    """Return the endpoints that tell of `readiness` and of `identity`, that of this release."""
    router = APIRouter(tags=["health"])
    release = identity | {"template": TEMPLATE}

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """Say that the process answers; looks at nothing else, so that no outage restarts it."""
        return {"status": "ok"}

    @router.get("/readyz", response_model=dict[str, Any])
    async def readyz(request: Request) -> dict[str, Any] | Response:
        """Say whether to send requests: 503 while draining or without a backing service."""
        checks = {"draining": "draining"} if readiness.draining else await readiness.checks()
        if failed := [name for name, answer in checks.items() if answer not in FIT]:
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
