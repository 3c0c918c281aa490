"""A site on loopback with long answers, that reads uploads only when it is told to.

`/big` is `BODY` bytes long, `/small` two; a body that is sent to `/up` is read when `reads` is set,
and answered when it is complete; on `/ws` frames of `FRAME` bytes are sent without end, as many as
there are in `BODY`. `sent` and `received` count bytes of bodies.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Self

import h2.config
import h2.connection
import h2.events

from tests.e2e.client import read_until

BODY = 32 << 20
PIECE = 65_536
SECONDS = 60.0
FRAME = b"\x82\x7f" + PIECE.to_bytes(8) + bytes(PIECE)
_SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


@dataclass
class BulkSite:
    """Context manager. `context`: TLS, with what it offers as ALPN."""

    context: ssl.SSLContext

    def __post_init__(self) -> None:
        self.sent = self.received = 0
        self.reads = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="bulk site", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reads.set()
        for each in (self._listener, *self._taken):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError, AssertionError, IndexError):
            taken.settimeout(SECONDS)
            wire = self.context.wrap_socket(taken, server_side=True)
            self._taken.append(wire)
            if wire.selected_alpn_protocol() == "h2":
                _Two(self, wire).serve()
            else:
                self._one(wire)

    def _one(self, wire: ssl.SSLSocket) -> None:
        while True:
            head, _, body = read_until(wire, b"\r\n\r\n").partition(b"\r\n\r\n")
            path = head.split()[1]
            if path == b"/big":
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
                self._pour(wire, bytes(PIECE))
            elif path == b"/ws":
                wire.sendall(_SWITCHED)
                self._pour(wire, FRAME)
            else:
                if path == b"/up":
                    self._read(wire, len(body))
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def _pour(self, wire: ssl.SSLSocket, piece: bytes) -> None:
        for _ in range(BODY // PIECE):
            wire.sendall(piece)
            self.sent += PIECE

    def _read(self, wire: ssl.SSLSocket, size: int) -> None:
        self.reads.wait(SECONDS)
        while size < BODY:
            data = wire.recv(PIECE)
            assert data
            size += len(data)
            self.received = size


class _Two:
    """One connection of HTTP/2."""

    def __init__(self, site: BulkSite, wire: ssl.SSLSocket) -> None:
        self._site, self._wire = site, wire
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._left: dict[int, int] = {}  # bytes to be sent, by stream
        self._owed: list[tuple[int, int]] = []

    def serve(self) -> None:
        """Until the peer closes."""
        self._h2.initiate_connection()
        while True:
            self._flush()
            self._wire.settimeout(0.002)
            try:
                data = self._wire.recv(PIECE)
                if not data:
                    return
                for event in self._h2.receive_data(data):
                    self._take(event)
            except TimeoutError:
                pass
            self._go_on()

    def _flush(self) -> None:
        self._wire.settimeout(SECONDS)
        self._wire.sendall(self._h2.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                path = dict(event.headers)[":path"]
                if path == "/big":
                    self._h2.send_headers(event.stream_id, [(":status", "200")])
                    self._left[event.stream_id] = BODY
                elif path == "/small":
                    self._answer(event.stream_id)
            case h2.events.DataReceived():
                self._site.received += len(event.data)
                self._owed.append((event.flow_controlled_length, event.stream_id))
                if event.stream_ended:
                    self._answer(event.stream_id)
            case h2.events.StreamReset():
                self._left.pop(event.stream_id, None)

    def _answer(self, stream: int) -> None:
        self._h2.send_headers(stream, [(":status", "200")])
        self._h2.send_data(stream, b"ok", end_stream=True)

    def _go_on(self) -> None:
        if self._site.reads.is_set():
            for size, stream in self._owed:
                self._h2.acknowledge_received_data(size, stream)
            self._owed.clear()
        for stream, left in list(self._left.items()):
            while size := min(self._h2.local_flow_control_window(stream), 16_384, left):
                left -= size
                self._h2.send_data(stream, bytes(size), end_stream=not left)
                self._site.sent += size
            self._left[stream] = left
            if not left:
                del self._left[stream]
