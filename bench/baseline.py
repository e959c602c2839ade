"""A minimal server with the same reads on the same stack, the baseline of the benchmark."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import uvicorn
import uvloop
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A row of the table `orders`."""

    id: UUID
    item: str
    quantity: int
    status: str
    placed_at: datetime


class Application:
    """An ASGI application with `/livez`, `/orders/{id}` and `/orders?limit=10`."""

    def __init__(self, database_url: str) -> None:
        self._pool = AsyncConnectionPool(
            database_url, kwargs={"autocommit": True}, min_size=10, max_size=10, open=False
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve a request; open and close the pool at start and stop."""
        if scope["type"] == "lifespan":
            await receive()
            await self._pool.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        path = scope["path"]
        if path == "/livez":
            body = b'{"status":"ok"}'
        elif path == "/orders":
            body = msgspec.json.encode({"items": await self._list(10), "next": None})
        else:
            body = msgspec.json.encode(await self._get(UUID(path.rpartition("/")[2])))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _get(self, order_id: UUID) -> Order | None:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(
                "SELECT id, item, quantity, status, placed_at FROM orders WHERE id = %s",
                (order_id,),
            )
            order: Order | None = await cursor.fetchone()
            return order

    async def _list(self, limit: int) -> list[Order]:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Order))
            await cursor.execute(
                "SELECT id, item, quantity, status, placed_at FROM orders"
                " ORDER BY placed_at DESC, id DESC LIMIT %s",
                (limit,),
            )
            orders: list[Order] = await cursor.fetchall()
            return orders


def main() -> None:
    """Serve on `PORT` with the database of `DATABASE_URL`."""
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    config = uvicorn.Config(
        Application(os.environ["DATABASE_URL"]), log_config=None, access_log=False, http="httptools"
    )
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
