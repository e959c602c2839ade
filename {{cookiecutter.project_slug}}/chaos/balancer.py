"""A balancer of connections, as simple as kube-proxy: it knows ports, and nothing of HTTP."""

import asyncio
from typing import Self, cast


class Balancer:
    """Gives each new connection to the next of `ports`; those that there are stay."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.port = 0
        self.connecting: set[asyncio.Task[None]] = set()
        self._given = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()

    def next(self) -> int:
        """Return the port whose turn it is."""
        self._given += 1
        return self.ports[self._given % len(self.ports)]


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at its peer."""

    transport: asyncio.Transport
    peer: "_End | None" = None
    early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.peer:
            self.peer.transport.write(data)
        else:
            self.early += data

    def connection_lost(self, error: Exception | None) -> None:
        if self.peer and error:
            self.peer.transport.abort()
        elif self.peer:
            self.peer.transport.close()


class _Client(_End):
    """The end at a client, for which a connection to a replica is made."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        task = asyncio.create_task(self._connect(self._balancer.next()))
        self._balancer.connecting.add(task)
        task.add_done_callback(self._balancer.connecting.discard)

    async def _connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, replica = await loop.create_connection(_End, "127.0.0.1", port)
        except OSError:
            self.transport.abort()
            return
        if self.transport.is_closing():
            replica.transport.close()
            return
        self.peer, replica.peer = replica, self
        replica.transport.write(self.early)
