"""The requests of the experiments, with the status expected in response."""

import json
from typing import NamedTuple

from tests.twelve_factor.project import find_resource, get_paths


class Request(NamedTuple):
    """An encoded request, and the expected status."""

    path: str
    raw: bytes
    status: int


def request(method: str, path: str, status: int, body: object = None) -> Request:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: service\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return Request(path, f"{head}\r\n".encode() + content, status)


LIVE = request("GET", "/livez", 200)
READY = request("GET", "/readyz", 200)
UNKNOWN = request("GET", "/no/such/path", 404)
READ = SLOW = request("GET", "/version", 200)
WRITE = request("POST", "/no/such/path", 404, {})
INVALID = request("POST", "/version", 405)
SLOW_CLIENTS = ["headers", "readers"]
"""The types of slow clients that the service can wait for; they send `SLOW`."""
if resource := find_resource():
    READ = request("GET", resource.path if resource.path in get_paths() else "/version", 200)
    WRITE = SLOW = request("POST", resource.path, 201, resource.body)
    INVALID = request("POST", resource.path, 422, dict.fromkeys(resource.body))
    SLOW_CLIENTS.append("bodies")

VARIABLES = {
    "LOG_LEVEL": "info",
    {% if cookiecutter.redis %}
    "RATE_LIMIT_PER_MINUTE": "10000000",
    {% endif %}
}
"""Settings under load: one client sends all requests, and debug records are left out."""
