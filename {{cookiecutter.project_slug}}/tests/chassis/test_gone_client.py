"""A client that goes while its request waits for the database leaves nothing behind."""

import json

import psycopg

from ..support.service import Service, connect, until

BODY = json.dumps({"item": "tea", "quantity": 1}).encode()
ORDER = (
    b"POST /orders HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_its_connection_goes_back_to_the_pool(environment: dict[str, str]) -> None:
    with (
        Service(environment | {"DATABASE_POOL_SIZE": "1"}) as service,
        psycopg.connect(environment["DATABASE_URL"]) as database,
    ):

        def waiting() -> int:
            found = database.execute(WAITING).fetchone()
            assert found
            return int(found[0])

        database.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        with connect(service, ORDER):
            until(lambda: waiting() == 1)
        assert service.wait_for("request")["status"] == 499
        assert waiting() == 0
        database.rollback()
        assert service.get("/orders").json()["items"] == []
        service.terminate()
        assert service.wait() == 0
        assert {json.loads(line)["level"] for line in service.lines} == {"info"}
