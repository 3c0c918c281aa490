"""Sockets of connections that go on in another worker, and what has been read from them.

Each worker has a socket in a folder that only its user can enter. Another worker connects to it and
sends, in one message, a connection with the bytes read so far. The message is acknowledged: until
then the sender keeps the connection, so that its client is told when the other worker does not take
it. Nothing waits: a message that does not fit is not sent.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MAX_MESSAGE_BYTES = 131_072  # a head, a greeting, and what comes before them
TAKEN_SECONDS = 5.0  # a worker that has not taken a connection after this long does not
_MESSAGES_AT_ONCE = 16  # read before others have their turn
_FIELDS = struct.Struct("!QBBHB")  # number, answered, hops, port of the client, size of its address
_NUMBER = struct.Struct("!Q")
_KIND = getattr(socket, "SOCK_SEQPACKET", None)


class Handoff(NamedTuple):
    """What a worker has to know to go on with a connection.

    `data`: all that was read after a balancer's header. `answered`: it begins with a CONNECT that
    the client has had the answer to. `address`: whose connection a balancer says it is. `hops`: how
    many workers have passed it on.
    """

    data: bytes
    answered: bool = False
    address: tuple[str, int] | None = None
    hops: int = 1


def encode(number: int, handoff: Handoff) -> bytes:
    """The message with this number."""
    host, port = handoff.address or ("", 0)
    address = host.encode("ascii")
    fields = _FIELDS.pack(number, handoff.answered, handoff.hops, port, len(address))
    return fields + address + handoff.data


def decode(message: bytes) -> tuple[int, Handoff]:
    """The number of a message, and what it says. Raises ValueError."""
    if len(message) < _FIELDS.size:
        raise ValueError("the message is too short")
    number, answered, hops, port, size = _FIELDS.unpack_from(message)
    end = _FIELDS.size + size
    if len(message) < end:
        raise ValueError("the message is not complete")
    host = message[_FIELDS.size : end].decode("ascii")
    address = (host, port) if host else None
    return number, Handoff(message[end:], bool(answered), address, hops)


type Adopt = Callable[[socket.socket, Handoff], None]
type OnTaken = Callable[[bool], None]


def supported() -> bool:
    """Whether this system passes connections on in messages."""
    return _KIND is not None


def listen(file: Path) -> socket.socket:
    """The socket of a worker, at a file that is not there yet. Raises OSError."""
    assert _KIND is not None
    sock = socket.socket(socket.AF_UNIX, _KIND)
    try:
        sock.bind(str(file))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class HandoffSender:
    """The way to one other worker."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sock: socket.socket | None = None
        self._number = 0
        self._waiting: dict[int, tuple[float, OnTaken]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def send(self, descriptor: int, handoff: Handoff, result: OnTaken) -> None:
        """Send a connection. `result` is called with whether the worker has taken it, at once when
        it cannot be sent."""
        self._number += 1
        message = encode(self._number, handoff)
        if len(message) > MAX_MESSAGE_BYTES or not self._sent(message, descriptor):
            result(False)
            return
        loop = asyncio.get_running_loop()
        self._waiting[self._number] = loop.time() + TAKEN_SECONDS, result
        if self._timer is None:
            self._timer = loop.call_later(TAKEN_SECONDS, self._look)

    def _sent(self, message: bytes, descriptor: int) -> bool:
        """Send; once more on a new connection when the worker has closed the old one: it has a
        successor."""
        for _ in range(2):
            try:
                if self._sock is None:
                    self._sock = self._connect()
                socket.send_fds(self._sock, [message], [descriptor])
                return True
            except BlockingIOError:  # it has more to take than fits
                return False
            except OSError:
                if self._sock is not None:
                    self._read()  # what it took before it closed
                self._lost()
        return False

    def _connect(self) -> socket.socket:
        assert _KIND is not None
        sock = socket.socket(socket.AF_UNIX, _KIND)
        sock.setblocking(False)
        try:
            sock.connect(str(self._file))
        except OSError:
            sock.close()
            raise
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read)
        return sock

    def _read(self) -> None:
        """Acknowledgements arrive, or the worker is gone."""
        assert self._sock is not None
        try:
            while number := self._sock.recv(_NUMBER.size):
                _, result = self._waiting.pop(_NUMBER.unpack(number)[0], (0.0, None))
                if result is not None:
                    result(True)
                if self._sock is None:
                    return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._lost()

    def _lost(self) -> None:
        """What has not been taken will not be."""
        sock, self._sock = self._sock, None
        if sock is not None:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()
        waiting, self._waiting = self._waiting, {}
        for _, result in waiting.values():
            result(False)

    def _look(self) -> None:
        """A worker that does not take what it was sent is stuck, or not there yet: what waits is
        taken back. Whoever asks next tries again."""
        self._timer = None
        loop = asyncio.get_running_loop()
        if not self._waiting:
            return
        first = min(until for until, _ in self._waiting.values())
        if first <= loop.time():
            self._lost()
        else:
            self._timer = loop.call_at(first, self._look)

    def close(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._lost()


class HandoffReceiver:
    """What other workers send to this one."""

    def __init__(self, listener: socket.socket, adopt: Adopt) -> None:
        self._listener: socket.socket | None = listener
        self._adopt = adopt
        self._channels: set[socket.socket] = set()
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:  # its predecessor or successor was quicker, or no descriptor is left
            return
        sock.setblocking(False)
        self._channels.add(sock)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_MESSAGES_AT_ONCE):
            if not self._take(sock):
                return

    def _take(self, sock: socket.socket) -> bool:
        """Read one message; False when there is none."""
        try:
            flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            message, descriptors, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 1, flags)
        except BlockingIOError:
            return False
        except OSError:
            message, descriptors = b"", []
        if not message:
            self._close(sock)
            return False
        try:
            number, handoff = decode(message)
        except ValueError:
            descriptors, number, handoff = [], 0, Handoff(b"")
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            connection.setblocking(False)
            self._adopt(connection, handoff)
        with suppress(OSError):  # not told, its sender ends the connection after a while
            sock.send(_NUMBER.pack(number))
        return True

    def _close(self, sock: socket.socket) -> None:
        self._channels.discard(sock)
        asyncio.get_running_loop().remove_reader(sock.fileno())
        sock.close()

    def close(self) -> None:
        """Take what has been sent, and nothing that comes later: it goes to a successor, which
        listens at the same socket."""
        loop = asyncio.get_running_loop()
        listener, self._listener = self._listener, None
        if listener is not None:
            loop.remove_reader(listener.fileno())
            listener.close()
        for sock in list(self._channels):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
            while self._take(sock):
                pass
            self._close_if_open(sock)

    def _close_if_open(self, sock: socket.socket) -> None:
        if sock in self._channels:
            self._close(sock)


def end(descriptor: int, answer: bytes = b"") -> None:
    """End a connection for everybody who has it, whatever another worker does with it. The short
    `answer` is sent past its transport, which may write later."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as sock:
        if answer:
            with suppress(OSError):
                sock.send(answer)
        sock.shutdown(socket.SHUT_RDWR)
