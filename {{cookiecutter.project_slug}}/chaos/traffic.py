"""What this service is asked in the experiments, and what it should answer."""

import json
from typing import NamedTuple


class Request(NamedTuple):
    """A request as it goes over the wire, and the status that is right for it."""

    path: str
    raw: bytes
    status: int


def request(method: str, path: str, status: int, body: object = None) -> Request:
    """Encode a request, once for all the times that it is sent."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: service\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return Request(path, f"{head}\r\n".encode() + content, status)


LIVE = request("GET", "/livez", 200)
READY = request("GET", "/readyz", 200)
UNKNOWN = request("GET", "/no/such/path", 404)
{% if cookiecutter.database != "none" %}
READ = request("GET", "/orders?limit=10", 200)
WRITE = request("POST", "/orders", 201, {"item": "tea", "quantity": 1})
INVALID = request("POST", "/orders", 422, {"item": "tea", "quantity": "two"})
SLOW = WRITE
SLOW_CLIENTS = ("headers", "bodies", "readers")
{% endif %}
{% if cookiecutter.database == "none" %}
READ = request("GET", "/version", 200)
WRITE = request("POST", "/no/such/path", 404, {"item": "tea", "quantity": 1})
INVALID = request("POST", "/version", 405)
SLOW = READ
SLOW_CLIENTS = ("headers", "readers")
{% endif %}
"""`SLOW` is sent with its last bytes late; clients are slow at what the service waits for."""

VARIABLES = {
    "LOG_LEVEL": "info",
    {% if cookiecutter.redis %}
    "RATE_LIMIT_PER_MINUTE": "10000000",
    {% endif %}
}
"""What the service is told so that it takes a load from one address."""
