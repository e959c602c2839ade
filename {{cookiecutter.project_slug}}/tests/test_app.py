"""The application of the web process, with its backing services."""

import httpx


async def test_the_application_starts_and_is_ready(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")
