"""The orders that both servers read, and the proof that both answer alike."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .commands import UnmeasurableError
from .server import ADDRESS, Server

ANSWER_SECONDS = 10


def place(service: Server, count: int) -> list[str]:
    """Place orders over HTTP and return their ids."""
    with _connected(service) as connection:
        return [
            _ask(connection, "POST", "/orders", {"item": f"item {n}", "quantity": n})["id"]
            for n in range(1, count + 1)
        ]


def require_same_answers(one: Server, other: Server, path: str) -> None:
    """Compare what two servers answer, apart from the cursor of the next page."""
    answers = []
    for server in (one, other):
        with _connected(server) as connection:
            answers.append({**_ask(connection, "GET", path), "next": None})
    if answers[0] != answers[1]:
        raise UnmeasurableError(f"GET {path} is not the same work: {answers[0]}, {answers[1]}")


@contextmanager
def _connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(ADDRESS, server.port, timeout=ANSWER_SECONDS)
    try:
        yield connection
    except (http.client.HTTPException, KeyError, ValueError) as error:
        raise UnmeasurableError(
            f"the {server.name} answers what no service of this template does: {error!r}"
        ) from error
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, content: object = None
) -> dict[str, Any]:
    body = None if content is None else json.dumps(content)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    if response.status not in {http.client.OK, http.client.CREATED}:
        raise UnmeasurableError(f"{method} {path} is answered {response.status}: {text}")
    answer: dict[str, Any] = json.loads(text)
    return answer
