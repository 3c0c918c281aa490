"""One port for several sockets, and a device always at the same one."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy_addon.system.reuseport import SharedPort, attach, program
from tests.e2e.waiting import free_port

WORKERS = 3


def listening_sockets(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    """A socket that shares its port."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((address, port))
    sock.listen(64)
    sock.setblocking(False)
    return sock


def taken_by(group: list[socket.socket], source: str) -> int:
    """Which socket of the group gets a connection from `source`."""
    with socket.socket() as client:
        client.bind((source, 0))
        client.connect(group[0].getsockname())
        for number, sock in enumerate(group):
            try:
                accepted, _ = sock.accept()
            except BlockingIOError:
                continue
            accepted.close()
            return number
    raise AssertionError("nobody took the connection")


def test_a_device_stays_at_its_worker() -> None:
    """All connections from one address go to one socket, and neighbours are spread over all of
    them."""
    group = [listening_sockets(socket.AF_INET, "127.0.0.1", 0)]
    port = group[0].getsockname()[1]
    group += [listening_sockets(socket.AF_INET, "127.0.0.1", port) for _ in range(WORKERS - 1)]
    try:
        assert all(attach(sock, WORKERS) for sock in group)
        at = {last: {taken_by(group, f"127.0.7.{last}") for _ in range(5)} for last in range(1, 8)}
    finally:
        for sock in group:
            sock.close()
    assert all(len(numbers) == 1 for numbers in at.values())
    assert set().union(*at.values()) == set(range(WORKERS))


def test_no_worker_beyond_the_last() -> None:
    """The program ends in a modulo by the number of workers, and all its jumps stay inside it."""
    lines = program(WORKERS)
    assert lines[-2][3] == WORKERS
    for number, (code, yes, no, _) in enumerate(lines):
        if code == 0x15:
            assert number + 1 + max(yes, no) < len(lines)


def test_a_socket_that_cannot_share() -> None:
    """Where the kernel refuses, its own spreading stays and nothing breaks."""
    with socket.socket(socket.AF_UNIX) as sock:
        assert attach(sock, WORKERS) is False


def close(_: object, writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""
    writer.close()


@pytest.mark.parametrize("by_device", [True, False])
async def test_servers_share_their_port(by_device: bool) -> None:
    """After `share`, two servers of a loop can listen on one port."""
    SharedPort(WORKERS, by_device=by_device).share(asyncio.get_running_loop())
    first = await asyncio.start_server(close, "127.0.0.1", 0)
    port = first.sockets[0].getsockname()[1]
    second = await asyncio.start_server(close, "127.0.0.1", port)
    first.close()
    second.close()


async def test_a_successor_answers_what_waits_in_the_queue() -> None:
    """A connection that its predecessor has not accepted when it stops is not reset, for any of
    several addresses."""
    loop = asyncio.get_running_loop()
    plain = loop.create_server
    old = SharedPort(WORKERS, by_device=True)
    old.share(loop)
    port = free_port()
    server = await asyncio.start_server(close, ["127.0.0.1", "127.0.0.2"], port)
    loop.create_server = plain  # type: ignore[method-assign]
    copies = [socket.socket(fileno=socket.dup(number)) for number in old.listeners]
    assert len(copies) == 2
    clients = [
        socket.create_connection((f"127.0.0.{n}", port)) for n in (1, 2)
    ]  # loop stands still
    server.close()

    def answer(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"here")
        writer.close()

    new = SharedPort(WORKERS, by_device=True, inherited=copies)
    new.share(loop)
    successor = await asyncio.start_server(answer, ["127.0.0.1", "127.0.0.2"], port)
    for client in clients:
        with client:
            client.setblocking(False)
            assert await loop.sock_recv(client, 10) == b"here"
    assert [sock.getsockname()[1] for sock in successor.sockets] == [port, port]
    assert len(new.listeners) == 2
    successor.close()
