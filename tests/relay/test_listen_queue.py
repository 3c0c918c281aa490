"""`proxy_addon/relay/listen_queue.py`: connections that wait are accepted together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from proxy_addon.relay.listen_queue import MOST, ListenQueue

LOOPS = pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
type Factory = Callable[[], asyncio.AbstractEventLoop]


class Server:
    """A server of an event loop with a queue in front; `rounds`: when each connection came."""

    def __init__(self) -> None:
        self.round, self.rounds, self.taken = 0, [], []  # type: ignore[var-annotated]
        self.queue = ListenQueue(self._take)

    async def listen(self) -> int:
        """Its port."""
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self._made, "127.0.0.1", 0, backlog=500)
        self.queue.server = self.server
        return int(self.server.sockets[0].getsockname()[1])

    def _made(self) -> asyncio.Protocol:
        self.rounds.append(self.round)
        self.queue.accepted()
        return asyncio.Protocol()

    def _take(self, found: socket.socket) -> None:
        assert found.getblocking() is False
        self.rounds.append(self.round)
        self.taken.append(found)

    async def until(self, count: int) -> None:
        """Until so many connections have come."""
        async with asyncio.timeout(20):
            while len(self.rounds) < count:
                self.round += 1
                await asyncio.sleep(0)


def dialled(port: int, count: int) -> list[socket.socket]:
    """Connections that nobody has accepted yet."""
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


def close(*sockets: socket.socket) -> None:
    """Close them."""
    for each in sockets:
        each.close()


@LOOPS
def test_all_that_wait_are_accepted_together(factory: Factory) -> None:
    """Two hundred connections that wait are accepted within a few rounds of the loop, each once."""

    async def main() -> None:
        server = Server()
        clients = dialled(await server.listen(), 200)
        await server.until(200)
        assert server.rounds[-1] - server.rounds[0] <= 200 // MOST + 2
        await asyncio.sleep(0.05)
        assert len(server.rounds) == 200
        peers = {each.getpeername() for each in server.taken}
        assert peers <= {each.getsockname() for each in clients}
        server.server.close()
        close(*clients, *server.taken)

    asyncio.run(main(), loop_factory=factory)


@LOOPS
def test_a_server_that_was_closed_accepts_nobody(factory: Factory) -> None:
    """What waits when the server is closed is left to the system, and the port is closed."""

    async def main() -> None:
        server = Server()
        port = await server.listen()
        (first,) = dialled(port, 1)
        await server.until(1)
        server.queue.accepted()
        server.server.close()
        await asyncio.sleep(0.05)
        assert len(server.rounds) == 1
        with pytest.raises(ConnectionRefusedError):
            dialled(port, 1)
        close(first)

    asyncio.run(main(), loop_factory=factory)


@LOOPS
def test_one_that_has_gone_does_not_stop_the_others(factory: Factory) -> None:
    """Connections whose clients have reset them while they waited hold nobody up."""

    async def main() -> None:
        server = Server()
        clients = dialled(await server.listen(), 60)
        for each in clients[::2]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            each.close()
        late = dialled(server.server.sockets[0].getsockname()[1], 30)
        await server.until(60)
        assert server.rounds[-1] - server.rounds[0] <= 4
        server.server.close()
        close(*clients, *late, *server.taken)

    asyncio.run(main(), loop_factory=factory)


def test_before_the_server_is_known() -> None:
    """A connection that comes while the server is made is no fault."""

    async def main() -> None:
        queue = ListenQueue(lambda _: None)
        queue.accepted()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
