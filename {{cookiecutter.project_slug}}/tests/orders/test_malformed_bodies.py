"""Whatever is sent as an order is taken or refused as a problem: never a fault, never repeated."""

import httpx
import msgspec
import pytest

CANARY = "hunter2"
ORDER = '{"item": "tea", "quantity": 2}'
NOT_JSON = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "NUL": b"\x00",
    "a brace": b"{",
    "cut in a key": b'{"ite',
    "cut in a text": b'{"item": "hunter2',
    "cut in an escape": b'{"item": "hunter2\\u00',
    "cut after a colon": b'{"item":',
    "cut after a value": b'{"item": "hunter2"',
    "no quotes": b"{item: hunter2}",
    "other quotes": b"{'item': 'hunter2', 'quantity': 1}",
    "a comma too many": b'{"item": "hunter2", "quantity": 1,}',
    "a comma too few": b'{"item": "hunter2" "quantity": 1}',
    "a comment": b'{"item": "hunter2", /* */ "quantity": 1}',
    "more after the end": ORDER.encode() + b" hunter2",
    "two objects": ORDER.encode() * 2,
    "a line break in a text": b'{"item": "hunter2\n", "quantity": 1}',
    "NUL in a text": b'{"item": "hunter2\x00", "quantity": 1}',
    "an unknown escape": b'{"item": "\\xhunter2", "quantity": 1}',
    "a lone surrogate": b'{"item": "hunter2\\ud800", "quantity": 1}',
    "surrogates in the wrong order": b'{"item": "\\udc00\\ud800", "quantity": 1}',
    "a lone surrogate in UTF-8": b'{"item": "\xed\xa0\x80", "quantity": 1}',
    "a lone surrogate as a key": b'{"\\ud800": "hunter2"}',
    "NaN": b'{"item": "hunter2", "quantity": NaN}',
    "Infinity": b'{"item": "hunter2", "quantity": Infinity}',
    "-Infinity": b'{"item": "hunter2", "quantity": -Infinity}',
    "a number too large": b'{"item": "hunter2", "quantity": 1e400}',
    "5,000 digits": b'{"item": "hunter2", "quantity": ' + b"9" * 5000 + b"}",
    "100,000 digits": b'{"item": "hunter2", "quantity": 0.' + b"9" * 100_000 + b"e99999}",
    "a leading zero": b'{"item": "hunter2", "quantity": 01}',
    "a leading plus": b'{"item": "hunter2", "quantity": +1}',
    "hexadecimal": b'{"item": "hunter2", "quantity": 0x1}',
    "100,000 arrays": b"[" * 100_000,
    "100,000 arrays and their ends": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a byte order mark": b"\xef\xbb\xbf" + ORDER.encode(),
    "Latin-1": '{"item": "hunter2 é", "quantity": 1}'.encode("latin-1"),
    "UTF-16": ORDER.encode("utf-16"),
    "UTF-16 without a mark": ORDER.encode("utf-16-le"),
    "UTF-32": ORDER.encode("utf-32"),
    "an overlong slash": b'{"item": "\xc0\xaf", "quantity": 1}',
    "random bytes": bytes(range(256)),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a form": b"item=hunter2&quantity=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&b;</a>',
}
NO_ORDER = {
    "null": b"null",
    "true": b"true",
    "a number": b"42",
    "a text": b'"hunter2"',
    "an array": b"[]",
    "an array of orders": f"[{ORDER}]".encode(),
    "no fields": b"{}",
    "one field": b'{"item": "hunter2"}',
    "unknown fields": b'{"hunter2": 1}',
    "an object for a text": b'{"item": {"password": "hunter2"}, "quantity": 1}',
    "a text for a number": b'{"item": "tea", "quantity": "hunter2"}',
    "a number as a text": b'{"item": "hunter2", "quantity": "2"}',
    "true for a number": b'{"item": "hunter2", "quantity": true}',
    "a fraction": b'{"item": "hunter2", "quantity": 1.5}',
    "null for a text": b'{"item": null, "quantity": 1}',
    "zero": b'{"item": "hunter2", "quantity": 0}',
    "too many": b'{"item": "hunter2", "quantity": 18446744073709551616}',
    "no item": b'{"item": "", "quantity": 1}',
    "a long item": b'{"item": "' + b"hunter2" * 99 + b'", "quantity": 1}',
    "an escaped NUL": b'{"item": "hunter2\\u0000", "quantity": 1}',
    "an escaped line break": b'{"item": "hunter2\\n", "quantity": 1}',
    "equal keys, the last one wrong": b'{"quantity": 1, "item": "hunter2", "quantity": "x"}',
}


async def post(client: httpx.AsyncClient, body: bytes, content_type: str | None) -> httpx.Response:
    headers = [] if content_type is None else [(b"Content-Type", content_type.encode("latin-1"))]
    return await client.post("/orders", content=body, headers=headers)


def assert_problem(answer: httpx.Response, status: int) -> None:
    problem = msgspec.json.decode(answer.content)
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert len(answer.content) < 1000


@pytest.mark.parametrize("name", [*NOT_JSON, *NO_ORDER])
async def test_a_body_that_makes_no_order_is_refused(client: httpx.AsyncClient, name: str) -> None:
    assert_problem(await post(client, (NOT_JSON | NO_ORDER)[name], "application/json"), 422)


@pytest.mark.parametrize("body", [ORDER.encode(), b"hunter2", b"\x00\xff", b"item=hunter2"])
@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json", "json", "é;,/"],
)
async def test_only_json_makes_an_order(
    client: httpx.AsyncClient, body: bytes, content_type: str | None
) -> None:
    answer = await post(client, body, content_type)
    assert_problem(answer, 415)
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.order+json"],
)
async def test_json_by_any_of_its_names_makes_an_order(
    client: httpx.AsyncClient, content_type: str
) -> None:
    assert (await post(client, ORDER.encode(), content_type)).status_code == 201


async def test_of_equal_keys_the_last_one_counts(client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"item": "a", "item": "b", "quantity": 1}', "application/json")
    assert (answer.status_code, answer.json()["item"]) == (201, "b")


async def test_an_integer_may_be_written_with_a_point(client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"item": "a", "quantity": 2.0}', "application/json")
    assert (answer.status_code, answer.json()["quantity"]) == (201, 2)
