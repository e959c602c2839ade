"""An order that is on its way when the service is told to stop."""

import json

from ..support.service import Service, connect, read_all

BODY = json.dumps({"item": "tea", "quantity": 1}).encode()
HEAD = (
    b"POST /orders HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


def test_it_is_placed_although_its_body_ends_later(environment: dict[str, str]) -> None:
    with (
        Service(environment | {"DRAIN_SECONDS": "0"}) as service,
        connect(service, HEAD + BODY[:5]) as connection,
    ):
        service.get("/livez")
        service.terminate()
        service.wait_for("draining")
        connection.sendall(BODY[5:])
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert b"connection: close" in answer
        assert service.wait() == 0
