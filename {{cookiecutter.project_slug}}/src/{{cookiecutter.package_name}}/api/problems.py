"""Errors as RFC 9457 problem documents: what went wrong, never what was sent or what is inside."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.status import HTTP_422_UNPROCESSABLE_CONTENT

from ..domain.errors import Unavailable

MEDIA_TYPE = "application/problem+json"

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "instance", "request_id"],
                    "properties": {
                        "type": {"type": "string", "format": "uri-reference"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "instance": {"type": "string", "format": "uri-reference"},
                        "request_id": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""What the OpenAPI document says of every answer that is not a success."""


def problem(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    kind: str = "about:blank",
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> Response:
    """Make a problem document; `kind` is a URI that tells apart problems of the same status."""
    request_id = request.scope["request_id"]
    document = {"type": kind, "title": HTTPStatus(status).phrase, "status": int(status)}
    document |= {"detail": detail} if detail else {}
    document |= {"instance": f"urn:request:{request_id}", "request_id": request_id, **extensions}
    return Response(msgspec.json.encode(document), status, headers, MEDIA_TYPE)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    return problem(request, error.status_code, headers=error.headers)


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    errors = []
    for found in error.errors():
        place, *path = found["loc"]
        # Beyond the first comma, a message may quote what was sent.
        entry = {"in": place, "detail": found["msg"].partition(",")[0]}
        if found["type"] != "json_invalid" and path:
            entry["pointer"] = "".join(f"/{step}" for step in path)
        errors.append(entry)
    return problem(
        request, HTTP_422_UNPROCESSABLE_CONTENT, "The request is not valid.", errors=errors
    )


async def _on_unavailable(request: Request, error: Unavailable) -> Response:
    request.scope["failure"] = str(error)
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The {error.service} is unavailable.",
        headers={"Retry-After": "2"},
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document (500 is answered in `observe.py`)."""
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_invalid)
    app.exception_handler(Unavailable)(_on_unavailable)
