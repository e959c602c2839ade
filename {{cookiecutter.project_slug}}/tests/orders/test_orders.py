"""Orders over HTTP."""

import asyncio
import json
import math
from uuid import uuid4

import httpx
import pytest

from {{ cookiecutter.package_name }}.orders.routes import EXAMPLE

from ..support.service import TIMEOUT, Proxy

PROBLEM = "application/problem+json"
ORDER = json.dumps(EXAMPLE).encode()


def changed(**fields: object) -> bytes:
    """Return the body of an order with other fields."""
    return json.dumps(EXAMPLE | fields).encode()


INVALID_BODIES = {
    "an empty body": b"",
    "truncated": b'{"item": "hunter2',
    "trailing data": ORDER + b" hunter2",
    "a lone surrogate": changed(item="hunter2\ud800"),
    "a lone surrogate in UTF-8": ORDER.replace(b"tea", b"\xed\xa0\x80"),
    "a lone surrogate as a key": b'{"\\ud800": "hunter2"}',
    "NaN": changed(item="hunter2", quantity=math.nan),
    "a number too large": changed(item="hunter2", quantity="x").replace(b'"x"', b"1e400"),
    "5,000 digits": changed(item="hunter2", quantity="x").replace(b'"x"', b"9" * 5000),
    "100,000 nested arrays": b"[" * 100_000,
    "a byte order mark": b"\xef\xbb\xbf" + ORDER,
    "Latin-1": ORDER.replace(b"tea", b"hunter2 \xe9"),
    "UTF-16": ORDER.decode().encode("utf-16"),
    "a form": b"item=hunter2&quantity=1",
    "null": b"null",
    "an array of orders": b"[" + ORDER + b"]",
    "unknown fields": b'{"hunter2": 1}',
    "an object for a string": changed(item={"password": "hunter2"}),
    "a string for a number": changed(quantity="hunter2"),
    "a number in a string": changed(item="hunter2", quantity="2"),
    "true for a number": changed(item="hunter2", quantity=True),
    "zero": changed(item="hunter2", quantity=0),
    "too many": changed(item="hunter2", quantity=2**64),
    "an empty item": changed(item=""),
    "a long item": changed(item="hunter2" * 99),
    "an escaped NUL": changed(item="hunter2\0"),
    "duplicate keys, the last one invalid": ORDER[:-1] + b', "quantity": "hunter2"}',
}
INVALID_CURSORS = ["", "abc", "0" * 45, "0" * 47, "0" * 46 + "\n", "G" * 46, "\u0660" * 46]


async def test_an_order_is_placed_read_and_deleted(client: httpx.AsyncClient) -> None:
    placed = await client.post("/orders", json=EXAMPLE)
    assert placed.status_code == 201
    assert placed.json() | EXAMPLE | {"status": "placed"} == placed.json()
    location = placed.headers["location"]
    found = await client.get(location)
    assert (found.status_code, found.json()) == (200, placed.json())
    deleted = await client.delete(location)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(location)).status_code == 404
    assert (await client.delete(location)).status_code == 404


async def test_the_location_has_the_prefix_that_a_proxy_strips(client: httpx.AsyncClient) -> None:
    transport = client._transport  # noqa: SLF001
    assert isinstance(transport, httpx.ASGITransport)
    transport.root_path = "/shop"
    placed = await client.post("/orders", json=EXAMPLE)
    assert placed.headers["location"] == f"/shop/orders/{placed.json()['id']}"
    assert (await client.get(f"/orders/{placed.json()['id']}")).status_code == 200


async def test_an_idempotency_key_makes_a_retry_safe(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    first, second = [await client.post("/orders", json=EXAMPLE, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.text == second.text
    assert len((await client.get("/orders")).json()["items"]) == 1
    other = await client.post("/orders", json=EXAMPLE | {"quantity": 3}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:problem-type:idempotency-key-reused"


async def test_pages_are_newest_first(client: httpx.AsyncClient) -> None:
    placed = [(await client.post("/orders", json=EXAMPLE)).json()["id"] for _ in range(5)]
    seen, after = [], ""
    while after is not None:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = (await client.get("/orders", params=query)).json()
        assert len(page["items"]) <= 2
        seen += [order["id"] for order in page["items"]]
        after = page["next"]
    assert seen == placed[::-1]


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"x" * 256, "ключ".encode()])
async def test_an_invalid_idempotency_key_is_rejected(
    client: httpx.AsyncClient, key: bytes
) -> None:
    response = await client.post("/orders", json=EXAMPLE, headers=[(b"Idempotency-Key", key)])
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("limit", n) for n in ("0", "101", "x", "1.5", "")] + [("after", c) for c in INVALID_CURSORS],
)
async def test_an_invalid_limit_or_cursor_is_rejected(
    client: httpx.AsyncClient, parameter: str, value: str
) -> None:
    response = await client.get("/orders", params={parameter: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"/{parameter}"


@pytest.mark.parametrize("digit", "0f")
async def test_the_first_and_the_last_cursor_are_valid(
    client: httpx.AsyncClient, digit: str
) -> None:
    await client.post("/orders", json=EXAMPLE)
    response = await client.get("/orders", params={"after": digit * 46})
    assert response.status_code == 200
    assert len(response.json()["items"]) == "0f".index(digit)


@pytest.mark.parametrize("order_id", ["1", "not-an-id", "%00", "é"])
async def test_an_invalid_id_is_rejected(client: httpx.AsyncClient, order_id: str) -> None:
    response = await client.get(f"/orders/{order_id}")
    assert response.status_code == 422
    assert order_id not in response.text.replace(response.json()["request_id"], "")
    assert (await client.get(f"/orders/{uuid4()}")).status_code == 404


async def post(client: httpx.AsyncClient, body: bytes, content_type: str | None) -> httpx.Response:
    headers = [] if content_type is None else [(b"Content-Type", content_type.encode("latin-1"))]
    return await client.post("/orders", content=body, headers=headers)


def assert_rejected(response: httpx.Response, status: int) -> None:
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == PROBLEM
    assert "hunter2" not in response.text
    assert len(response.content) < 1000


@pytest.mark.parametrize("body", INVALID_BODIES.values(), ids=INVALID_BODIES)
async def test_an_invalid_body_is_rejected_and_not_echoed(
    client: httpx.AsyncClient, body: bytes
) -> None:
    assert_rejected(await post(client, body, "application/json"), 422)


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "text/json", "json", "é;,/"])
async def test_other_media_types_are_rejected(
    client: httpx.AsyncClient, content_type: str | None
) -> None:
    for body in (ORDER, b"hunter2\x00\xff"):
        response = await post(client, body, content_type)
        assert_rejected(response, 415)
        assert response.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("content_type", "body", "member"),
    [
        ("Application/JSON; charset=utf-8", ORDER, ("item", "tea")),
        ("application/vnd.order+json", ORDER, ("quantity", 2)),
        ("application/json", ORDER[:-1] + b', "item": "b"}', ("item", "b")),
        ("application/json", changed(quantity=3.0), ("quantity", 3)),
    ],
)
async def test_equivalent_json_is_accepted(
    client: httpx.AsyncClient, content_type: str, body: bytes, member: tuple[str, object]
) -> None:
    response = await post(client, body, content_type)
    assert response.status_code == 201
    assert response.json()[member[0]] == member[1]


async def test_requests_get_503_in_an_outage_and_succeed_after_it(
    database_proxy: Proxy, client: httpx.AsyncClient
) -> None:
    assert (await client.post("/orders", json=EXAMPLE)).status_code == 201
    database_proxy.cut()
    for response in (await client.get("/orders"), await client.post("/orders", json=EXAMPLE)):
        assert response.status_code == 503
        assert response.headers["content-type"] == PROBLEM
        assert response.headers["retry-after"]
    database_proxy.open()
    async with asyncio.timeout(TIMEOUT):
        while (await client.get("/readyz")).status_code == 503:
            pass
    for _ in range(20):  # More requests than connections.
        assert (await client.post("/orders", json=EXAMPLE)).status_code == 201
    database_proxy.cut()
    database_proxy.open()  # A restart between two requests: stale connections are not used.
    assert (await client.get("/orders")).status_code == 200
