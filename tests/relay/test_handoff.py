"""Twin of proxy_addon/relay/handoff.py: real sockets between two ends in one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.relay import handoff as module
from proxy_addon.relay.handoff import (
    Handoff,
    HandoffReceiver,
    HandoffSender,
    decode,
    encode,
    end,
    listen,
)

PASSED = Handoff(b"GET / HTTP/1.1\r\n\r\n", False, ("10.0.7.21", 50000), 2)


class Taker:
    """A worker that keeps what it is sent."""

    def __init__(self, file: Path) -> None:
        self.file, self.listener = file, listen(file)
        self.taken: list[tuple[socket.socket, Handoff]] = []
        self.incoming: HandoffReceiver | None = None

    def start(self) -> None:
        """Take."""
        self.incoming = HandoffReceiver(self.listener.dup(), lambda *sent: self.taken.append(sent))

    def close(self) -> None:
        """The end."""
        if self.incoming is not None:
            self.incoming.close()
        self.listener.close()
        for sock, _ in self.taken:
            sock.close()


@pytest.fixture
async def taker(tmp_path: Path) -> Iterator[Taker]:
    """A worker; not started yet."""
    made = Taker(tmp_path / "worker")
    yield made
    made.close()


@pytest.fixture
async def way(taker: Taker) -> Iterator[HandoffSender]:
    """The way to it."""
    made = HandoffSender(taker.file)
    yield made
    made.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """A client and the connection that it has with us."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    client.settimeout(3)
    return client, accepted


async def until(condition) -> None:
    """Wait on the loop."""
    async with asyncio.timeout(3):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("sent", [PASSED, Handoff(b""), Handoff(b"x" * 90_000, True, None, 1)])
def test_what_a_message_says(sent: Handoff) -> None:
    """All of it arrives, whatever it holds."""
    assert decode(encode(7, sent)) == (7, sent)


@pytest.mark.parametrize("message", [b"", b"short", encode(1, PASSED)[:20]])
def test_messages_that_are_cut(message: bytes) -> None:
    """They are refused."""
    with pytest.raises(ValueError, match="the message"):
        decode(message)


async def test_a_connection_that_is_taken(taker: Taker, way: HandoffSender) -> None:
    """The other worker has the same connection and what was read; the sender is told, and may close
    its own copy."""
    taker.start()
    client, accepted = pair()
    results: list[bool] = []
    with client:
        way.send(accepted.fileno(), PASSED, results.append)
        await until(lambda: results)
        accepted.close()
        ((sock, handoff),) = taker.taken
        assert (results, handoff) == ([True], PASSED)
        sock.send(b"here")
        assert client.recv(10) == b"here"


async def test_one_that_comes_before_the_worker(taker: Taker, way: HandoffSender) -> None:
    """A worker that is being started again takes what was sent meanwhile."""
    client, accepted = pair()
    results: list[bool] = []
    with client, accepted:
        way.send(accepted.fileno(), PASSED, results.append)
        await asyncio.sleep(0.05)
        assert results == []
        taker.start()
        await until(lambda: results)
        assert results == [True]


async def test_a_worker_that_is_not_there(tmp_path: Path) -> None:
    """The sender is told at once."""
    results: list[bool] = []
    client, accepted = pair()
    with client, accepted:
        HandoffSender(tmp_path / "nobody").send(accepted.fileno(), PASSED, results.append)
    assert results == [False]


async def test_a_worker_that_dies(taker: Taker, way: HandoffSender) -> None:
    """What it has not taken is given back, and the next connection finds its successor."""
    client, accepted = pair()
    results: list[bool] = []
    with client, accepted:
        way.send(accepted.fileno(), PASSED, results.append)
        died, _ = taker.listener.accept()  # with what was sent
        died.close()
        await until(lambda: results)
        assert results == [False]
        taker.start()
        way.send(accepted.fileno(), PASSED, results.append)
        await until(lambda: len(results) == 2)
        assert results == [False, True]


async def test_a_worker_that_does_not_take(
    taker: Taker, way: HandoffSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds the connection is the sender's again; nobody waits without end."""
    monkeypatch.setattr(module, "TAKEN_SECONDS", 0.1)
    client, accepted = pair()
    results: list[bool] = []
    with client, accepted:
        way.send(accepted.fileno(), PASSED, results.append)
        await until(lambda: results)
        assert results == [False]


async def test_a_worker_that_is_full(taker: Taker, way: HandoffSender) -> None:
    """What does not fit is refused at once, without waiting; all that was sent is taken in the
    end."""
    client, accepted = pair()
    results: list[bool] = []
    with client, accepted:
        while False not in results and len(results) < 10_000:
            way.send(accepted.fileno(), Handoff(b"x" * 60_000), results.append)
        assert results == [False]
        taker.start()
        await until(lambda: len(results) > 1 and len(results) == 1 + len(taker.taken))
        assert set(results[1:]) == {True}
        way.send(accepted.fileno(), Handoff(bytes(200_000)), results.append)
        assert results[-1] is False


async def test_a_worker_that_retires(taker: Taker, way: HandoffSender) -> None:
    """It takes all that was sent before, and nothing after: that is its successor's, which listens
    at the same socket."""
    taker.start()
    client, accepted = pair()
    results: list[bool] = []
    with client, accepted:
        way.send(accepted.fileno(), PASSED, results.append)
        await until(lambda: results)
        for _ in range(20):
            way.send(accepted.fileno(), PASSED, results.append)
        taker.incoming.close()
        assert len(taker.taken) == 21
        successor: list[object] = []
        new = HandoffReceiver(taker.listener.dup(), lambda *sent: successor.append(sent))
        way.send(accepted.fileno(), PASSED, results.append)
        await until(lambda: len(results) == 22)
        assert set(results) == {True}
        assert (len(taker.taken), len(successor)) == (21, 1)
        new.close()
        successor[0][0].close()


async def test_rubbish_is_not_a_connection(taker: Taker) -> None:
    """A message that cannot be read is dropped, and the next one is read."""
    taker.start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(str(taker.file))
        sock.send(b"rubbish")
        sock.send(encode(3, PASSED))  # without a connection
        await asyncio.sleep(0.05)
        assert taker.taken == []
        assert [sock.recv(8), sock.recv(8)] == [bytes(8), (3).to_bytes(8)]


async def test_the_end_for_everybody() -> None:
    """A connection that is ended is over for its client, whoever else has a copy."""
    client, accepted = pair()
    with client, accepted, accepted.dup():
        end(accepted.fileno())
        assert client.recv(1) == b""
