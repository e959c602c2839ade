"""What is no proper request is refused, as it arrives, and clients that keep us waiting go."""

import json
import re

import httpx
import pytest

from ..support.service import Service, connect, fetch, read_all

HEAD = b"GET /livez HTTP/1.1\r\nHost: service\r\n"
PROPER = HEAD + b"\r\n"
POST = b"POST /nowhere HTTP/1.1\r\nHost: service\r\n"
REFUSED = {
    "noise": (b"\x16\x03\x01\x02\x00", 400),
    "no host": (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    "two hosts": (HEAD + b"Host: other\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "a length twice": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    "NUL": (HEAD + b"X-A: a\x00b\r\n\r\n", 400),
    "LF alone": (HEAD + b"X-A: a\nX-B: b\r\n\r\n", 400),
    "a folded field": (HEAD + b"X-A: a\r\n b\r\n\r\n", 400),
    "space before a colon": (HEAD + b"X-A : a\r\n\r\n", 400),
    "no path": (b"CONNECT service:80 HTTP/1.1\r\nHost: service\r\n\r\n", 400),
    "a long target": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: service\r\n\r\n", 414),
    "a target without end": (b"GET /" + b"a" * 8192, 414),
    "a large field": (HEAD + b"X-A: " + b"a" * 32768 + b"\r\n\r\n", 431),
    "a field without end": (HEAD + b"X-A: " + b"a" * 32768, 431),
    "a large header": (HEAD + 9 * (b"X-A: " + b"a" * 4000 + b"\r\n") + b"\r\n", 431),
    "many fields": (HEAD + b"X-A: a\r\n" * 100 + b"\r\n", 431),
}


def too_large(service: Service) -> float:
    """Return how many requests were refused for their header."""
    metrics = fetch(service.metrics_url).text
    found = re.search(r'_count\{.*method="GET".*code="431",.*route=""\} (\S+)', metrics)
    return float(found[1]) if found else 0


def test_what_is_no_proper_request_is_refused_with_a_problem(shared: Service) -> None:
    before = too_large(shared)
    for name, (sent, status) in REFUSED.items():
        with connect(shared, sent) as connection:
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), name
        assert b"content-type: application/problem+json" in head, name
        assert b"x-content-type-options: nosniff" in head, name
        assert b"connection: close" in head.lower(), name
        line = shared.wait_for("request")
        problem = json.loads(body)
        assert (line["status"], line["route"], line["level"]) == (status, "", "info"), name
        assert problem["status"] == status, name
        assert problem["request_id"] == line["request_id"], name
    assert too_large(shared) == before + 4


def test_limits_are_what_may_be_reached(shared: Service) -> None:
    field = b"X-A: " + b"a" * 32000 + b"\r\n"
    for sent in (
        b"GET /livez?" + b"a" * 8185 + b" HTTP/1.1\r\nHost: service\r\n\r\n",
        HEAD + b"X-A: a\r\n" * 99 + b"\r\n",
        HEAD + field + b"\r\n",
        b"GET /livez HTTP/1.0\r\n\r\n",
    ):
        with connect(shared, sent) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_body_does_not_count_as_a_header(shared: Service) -> None:
    large = POST + b"Content-Length: 500000\r\n\r\n" + b"a" * 500_000
    with connect(shared, large + PROPER * 3 + HEAD + b"Connection: close\r\n\r\n") as connection:
        answers = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"404", *[b"200"] * 4]


def test_what_follows_proper_requests_is_refused_in_its_turn(shared: Service) -> None:
    with connect(shared, PROPER * 2 + b"noise\r\n\r\n" + PROPER) as connection:
        answers = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"400"]


def test_requests_do_not_pile_up_behind_one_another(shared: Service) -> None:
    with connect(shared, PROPER * 1000) as connection:
        statuses = re.findall(rb"HTTP/1.1 (\d+)", read_all(connection))
    assert set(statuses[:-1]) == {b"200"}
    assert statuses[-1] == b"429"
    assert len(statuses) < 1000


def test_an_upgrade_is_not_made_and_what_follows_is_no_request(shared: Service) -> None:
    upgrade = HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with connect(shared, upgrade + PROPER) as connection:
        answers = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"]


def test_a_client_that_keeps_us_waiting_is_let_go(environment: dict[str, str]) -> None:
    limits = {"HEADER_SECONDS": "0.5", "KEEP_ALIVE_SECONDS": "1"}
    unfinished = {
        b"": [],
        b"\r\n" * 100: [],
        b"GET /livez HT": [b"408"],
        HEAD: [b"408"],
        PROPER: [b"200"],
        PROPER + HEAD: [b"200", b"408"],
        POST + b"Content-Length: 10\r\n\r\n12345": [b"404"],
    }
    with Service(environment | limits) as service:
        connections = {sent: connect(service, sent) for sent in unfinished}
        for sent, statuses in unfinished.items():
            with connections[sent] as connection:
                answers = read_all(connection)
            assert re.findall(rb"HTTP/1.1 (\d+)", answers) == statuses, sent
        assert service.get("/livez").status_code == 200
        service.terminate()
        assert service.wait() == 0
        assert service.stderr() == b""


def test_a_good_client_beside_many_that_are_not(environment: dict[str, str]) -> None:
    with Service(environment | {"HEADER_SECONDS": "1"}) as service:
        half_open = [connect(service, sent) for sent in (b"", HEAD) * 100]
        with httpx.Client(base_url=service.url) as client:
            assert {client.get("/livez").status_code for _ in range(50)} == {200}
        for connection in half_open:
            read_all(connection)
            connection.close()
        assert service.get("/livez").status_code == 200


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\n12345\r\nzz\r\n"])
def test_a_body_that_breaks_off_its_rules_is_the_end(shared: Service, broken: bytes) -> None:
    with connect(shared, POST + b"Transfer-Encoding: chunked\r\n\r\n" + broken) as connection:
        answers = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) in ([b"404"], [])
    assert shared.get("/livez").status_code == 200
