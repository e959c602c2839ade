"""Error responses as RFC 9457 problem documents; they repeat neither input nor internals."""

from collections.abc import Mapping
from http import HTTPStatus
from itertools import takewhile
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.status import HTTP_422_UNPROCESSABLE_CONTENT

from ..errors import Unavailable

MEDIA_TYPE = "application/problem+json"
CLOSE = {"Connection": "close"}
RETRY = {"Retry-After": "2"}
MESSAGES = {"union_tag_invalid": "Input should have one of the expected tags"}
"""Replaces pydantic's messages that quote the input, by error type."""

_STRING = {"type": "string"}
_URI = {"type": "string", "format": "uri-reference"}
_INVALID_FIELD = {
    "type": "object",
    "required": ["in", "detail"],
    "properties": {
        "in": {"enum": ["path", "query", "header", "cookie", "body"]},
        "detail": _STRING,
        "pointer": {"type": "string", "format": "json-pointer"},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "instance", "request_id"],
    "properties": {
        "type": _URI,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "instance": _URI,
        "request_id": _STRING,
        "errors": {"type": "array", "items": _INVALID_FIELD},
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
}
"""Description of every error response in the OpenAPI document."""


def problem(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    type_uri: str = "about:blank",
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> Response:
    """Return a problem document; `type_uri` distinguishes problems with the same status."""
    request_id = request.scope["request_id"]
    document = {"type": type_uri, "title": HTTPStatus(status).phrase, "status": int(status)}
    document |= {"detail": detail} if detail else {}
    document |= {"instance": f"urn:request:{request_id}", "request_id": request_id, **extensions}
    return Response(msgspec.json.encode(document), status, headers, MEDIA_TYPE)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework lists only the methods of the first route with this path.
        path = getattr(request.scope.get("route"), "path", "")
        if methods := request.app.openapi()["paths"].get(path):
            headers["Allow"] = ", ".join(sorted(methods)).upper()
    return problem(request, error.status_code, headers=headers)


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    if isinstance(error.body, bytes):  # It was not parsed: the content type is not JSON.
        return problem(
            request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, headers={"Accept": "application/json"}
        )
    declared = _declared_names(request.app.openapi())
    errors = []
    for found in error.errors():
        place, *path = found["loc"]
        # After the first comma, a message may quote the input.
        detail = MESSAGES.get(found["type"]) or found["msg"].partition(",")[0]
        entry = {"in": place, "detail": detail}
        known = takewhile(lambda step: isinstance(step, int) or step in declared, path)
        if found["type"] != "json_invalid" and (pointer := "".join(f"/{step}" for step in known)):
            entry["pointer"] = pointer
        errors.append(entry)
    return problem(
        request, HTTP_422_UNPROCESSABLE_CONTENT, "The request is not valid.", errors=errors
    )


def _declared_names(document: dict[str, Any]) -> set[str]:
    """Return the names of fields and parameters in the API; any other name is from the client."""
    schemas = document.get("components", {}).get("schemas", {}).values()
    names = {name for schema in schemas for name in schema.get("properties", ())}
    for operations in document["paths"].values():
        for operation in operations.values():
            names |= {parameter["name"] for parameter in operation.get("parameters", ())}
    return names


async def _on_unavailable(request: Request, error: Unavailable) -> Response:
    request.scope["failure"] = str(error)
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The {error.service} is unavailable.",
        headers=RETRY,
    )


def install(app: FastAPI) -> None:
    """Make every error response of `app` a problem document (500: see `RequestMiddleware`)."""
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_invalid)
    app.exception_handler(Unavailable)(_on_unavailable)
