"""Orders over HTTP."""

import asyncio
from uuid import uuid4

import httpx
import pytest

TEA = {"item": "tea", "quantity": 2}


async def test_an_order_is_placed_and_found(client: httpx.AsyncClient) -> None:
    placed = await client.post("/orders", json=TEA)
    assert placed.status_code == 201
    assert placed.json() | TEA == placed.json()
    assert placed.json()["status"] == "placed"
    found = await client.get(placed.headers["location"])
    assert found.status_code == 200
    assert found.json() == placed.json()


async def test_an_unknown_order_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/orders/{uuid4()}")
    assert answer.status_code == 404


async def test_a_deleted_order_is_gone(client: httpx.AsyncClient) -> None:
    location = (await client.post("/orders", json=TEA)).headers["location"]
    deleted = await client.delete(location)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(location)).status_code == 404
    assert (await client.delete(location)).status_code == 404


async def test_a_repeated_request_places_no_second_order(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(client.post("/orders", json=TEA, headers=headers) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await client.get("/orders")).json()["items"]) == 1


async def test_a_key_is_refused_for_another_order(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    await client.post("/orders", json=TEA, headers=headers)
    answer = await client.post("/orders", json=TEA | {"quantity": 3}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem-type:idempotency-key-reused"


async def test_pages_are_newest_first_and_end(client: httpx.AsyncClient) -> None:
    placed = [(await client.post("/orders", json=TEA)).json()["id"] for _ in range(5)]
    seen, after = [], ""
    while after is not None:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = (await client.get("/orders", params=query)).json()
        assert len(page["items"]) <= 2
        seen += [order["id"] for order in page["items"]]
        after = page["next"]
    assert seen == placed[::-1]


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"x" * 256, "ключ".encode()])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: bytes) -> None:
    answer = await client.post("/orders", json=TEA, headers=[(b"Idempotency-Key", key)])
    assert answer.status_code == 422


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", ""])
async def test_a_limit_that_is_none_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/orders", params={"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/limit"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "abc",
        "%00",
        "ÿ",
        "0" * 45,
        "0" * 47,
        "0" * 46 + "\n",
        "G" * 46,
        "\u0660" * 46,
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/orders", params={"after": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/after"


@pytest.mark.parametrize("digit", "0f")
async def test_whatever_looks_like_a_cursor_is_one(client: httpx.AsyncClient, digit: str) -> None:
    await client.post("/orders", json=TEA)
    answer = await client.get("/orders", params={"after": digit * 46})
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == "0f".index(digit)


@pytest.mark.parametrize("order_id", ["1", "not-an-id", "%00", "é"])
async def test_an_id_that_is_none_is_refused(client: httpx.AsyncClient, order_id: str) -> None:
    answer = await client.get(f"/orders/{order_id}")
    assert answer.status_code == 422
    assert order_id not in answer.text.replace(answer.json()["request_id"], "")
