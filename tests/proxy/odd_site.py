"""A site on loopback that speaks HTTP/1.1 and HTTP/2 by hand, and answers as it is told: with
everything that the protocols allow, and with what sites get wrong.

A `Script` says what happens to one request. `OddSite.seen` has each request that came, whole, with
the number of its connection, so that a test can say what a site would have understood.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MOST_STREAMS = 20  # at the same time, of one connection
_SECONDS = 20.0  # seconds after which a connection is given up


class Seen(NamedTuple):
    """A request as the site understood it."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes
    connection: int
    trailers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Script:
    """What the site does with one request.

    HTTP/1.1: `early` is sent when the head has come, `answer` when the request is complete; `then`
    is `keep`, `close`, `reset`, or `silent close` for no answer at all; `early close` and `early
    reset` end the connection after what is sent early. HTTP/2: `informational` statuses (before the
    body if there is something in `early`), then `fields` and `body` with `trailers`, or what `then`
    says: `refuse`, `goaway` (before it is processed), `graceful` (GOAWAY and the answer), `early`
    (the answer before the request is complete, and RST_STREAM with NO_ERROR), `http1` and `http1
    goaway` (HTTP_1_1_REQUIRED, of the stream or of the connection).
    """

    answer: bytes = OK
    early: bytes = b""
    then: str = "keep"
    wait: float = 0.0  # seconds between the pieces of `answer` that a NUL NUL separates
    informational: Sequence[tuple[int, tuple[tuple[bytes, bytes], ...]]] = ()
    status: int = 200
    fields: Sequence[tuple[bytes, bytes]] = ()
    body: bytes | Sequence[bytes] = b"ok"
    trailers: Sequence[tuple[bytes, bytes]] = ()


@dataclass
class OddSite:
    """Context manager. `context`: TLS, with what it offers as ALPN; None: clear text. `scripts` by
    path, each a list of which the last goes on for ever."""

    context: ssl.SSLContext | None = None
    scripts: dict[str, list[Script]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.dropped = threading.Event()  # closes connections that were left open
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._taken: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="odd site", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for taken in self._taken:
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)

    def to(self, path: str) -> list[Seen]:
        """The requests for a path."""
        return [seen for seen in self.seen if seen.path == path]

    def next(self, path: str) -> Script:
        """What happens to the next request for a path."""
        with self._lock:
            scripts = self.scripts.setdefault(path, [Script()])
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._taken.append(taken)
            self.connections += 1
            threading.Thread(
                target=self._serve, args=(taken, self.connections), daemon=True
            ).start()

    def _serve(self, taken: socket.socket, number: int) -> None:
        taken.settimeout(_SECONDS)
        wire = taken
        with contextlib.suppress(OSError, ValueError):
            if self.context is not None:
                wire = self.context.wrap_socket(taken, server_side=True)
                self._taken.append(wire)
            speaks = wire.selected_alpn_protocol() if isinstance(wire, ssl.SSLSocket) else None
            (_Http2 if speaks == "h2" else _Http1)(self, wire, number).serve()
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        wire.close()
        taken.close()


class _Http1:
    """One connection in HTTP/1.1. It reads by the letter: what is left of a request is the next."""

    def __init__(self, site: OddSite, wire: socket.socket, number: int) -> None:
        self._site, self._wire, self._number = site, wire, number
        self._data = b""

    def serve(self) -> None:
        while True:
            head = self._until(b"\r\n\r\n")
            line, *rows = head.decode("latin-1").split("\r\n")[:-2]
            method, path, _ = line.split(" ", 2)
            fields = {
                name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rows)
            }
            script = self._site.next(path)
            if script.early:
                self._wire.sendall(script.early)
            if script.then.startswith("silent"):
                seen = Seen(method, path, fields, b"", self._number)
                self._site.seen.append(seen)
                self._end(script)
                return
            if script.then.startswith("early"):
                self._site.seen.append(Seen(method, path, fields, b"", self._number))
                self._end(script)
                return
            body, trailers = self._body(fields)
            self._site.seen.append(Seen(method, path, fields, body, self._number, trailers))
            for number, piece in enumerate(script.answer.split(b"\0\0")):
                time.sleep(script.wait if number else 0.0)
                self._wire.sendall(piece)
            if script.then != "keep":
                self._end(script)
                return

    def _end(self, script: Script) -> None:
        if "reset" in script.then:
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._wire.close()
        elif "slowly" in script.then:  # whoever still sends is read, and then closed
            time.sleep(0.2)

    def _until(self, end: bytes) -> bytes:
        while end not in self._data:
            self._more()
        head, _, self._data = self._data.partition(end)
        return head + end

    def _exactly(self, size: int) -> bytes:
        while len(self._data) < size:
            self._more()
        found, self._data = self._data[:size], self._data[size:]
        return found

    def _more(self) -> None:
        piece = self._wire.recv(65_536)
        if not piece:
            raise ValueError("the client has gone")
        self._data += piece

    def _body(self, fields: dict[str, str]) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                self._exactly(2)
            rows = []
            while (row := self._until(b"\r\n")) != b"\r\n":
                name, _, value = row.strip().partition(b":")
                rows.append((name, value.strip()))
            return body, tuple(rows)
        return self._exactly(int(fields.get("content-length", "0"))), ()


class _Http2:
    """One connection in HTTP/2."""

    def __init__(self, site: OddSite, wire: socket.socket, number: int) -> None:
        self._site, self._wire, self._number = site, wire, number
        config = h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False
        )
        self._h2 = h2.connection.H2Connection(config)
        self._h2.decoder.max_header_list_size = 2**20
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: MOST_STREAMS},
        )
        self._bodies: dict[int, bytes] = {}
        self._heads: dict[int, dict[str, str]] = {}
        self._trailers: dict[int, tuple[tuple[bytes, bytes], ...]] = {}
        self._ends = False

    def serve(self) -> None:
        self._h2.initiate_connection()
        self._flush()
        while not self._ends:
            received = self._wire.recv(65_536)
            if not received:
                return
            for event in self._h2.receive_data(received):
                self._take(event)
            self._flush()

    def _flush(self) -> None:
        self._wire.sendall(self._h2.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            head = {n.decode(): v.decode("latin-1") for n, v in event.headers}
            self._heads[event.stream_id], self._bodies[event.stream_id] = head, b""
            self._began(event.stream_id, head[":path"], bool(event.stream_ended))
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] += event.data
            if event.flow_controlled_length:
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
        elif isinstance(event, h2.events.TrailersReceived):
            self._trailers[event.stream_id] = tuple((bytes(n), bytes(v)) for n, v in event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self._complete(event.stream_id)

    def _began(self, stream: int, path: str, ended: bool) -> None:
        scripts = self._site.scripts.get(path)
        if scripts and scripts[0].then == "early" and not ended:
            script = self._site.next(path)
            self._note(stream)
            self._answer(stream, script)
            self._h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)
            self._heads.pop(stream)
        elif scripts and scripts[0].early and not ended:
            for status, fields in scripts[0].informational:
                self._h2.send_headers(stream, [(b":status", b"%d" % status), *fields])

    def _note(self, stream: int) -> None:
        head = self._heads[stream]
        seen = Seen(
            head[":method"],
            head[":path"],
            head,
            self._bodies[stream],
            self._number,
            self._trailers.get(stream, ()),
        )
        self._site.seen.append(seen)

    def _complete(self, stream: int) -> None:
        if stream not in self._heads:
            return
        script = self._site.next(self._heads[stream][":path"])
        self._note(stream)
        if script.then == "refuse":
            self._h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        elif script.then == "http1":
            self._h2.reset_stream(stream, h2.errors.ErrorCodes.HTTP_1_1_REQUIRED)
        elif script.then == "goaway":
            self._goaway(stream - 2)
            self._ends = True
        elif script.then == "http1 goaway":
            self._goaway(stream, h2.errors.ErrorCodes.HTTP_1_1_REQUIRED)
            self._ends = True
        elif script.then == "silent close":
            self._ends = True
        elif script.then == "graceful":
            self._goaway(stream)
            time.sleep(0.1)
            self._answer(stream, script)
        else:
            self._answer(stream, script)
            self._ends = script.then == "close"

    def _goaway(self, last: int, code: int = 0) -> None:
        """By hand: h2 sends nothing more after it."""
        last = max(last, 0)
        frame = struct.pack(">I", 8)[1:] + b"\x07\x00" + struct.pack(">III", 0, last, code)
        self._flush()
        self._wire.sendall(frame)

    def _answer(self, stream: int, script: Script) -> None:
        if not script.early:
            for status, fields in script.informational:
                self._h2.send_headers(stream, [(b":status", b"%d" % status), *fields])
        head = [(b":status", b"%d" % script.status), *script.fields]
        pieces = [script.body] if isinstance(script.body, bytes) else list(script.body)
        empty = pieces == [b""] and not script.trailers
        self._h2.send_headers(stream, head, end_stream=empty)
        if empty:
            return
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1 and not script.trailers
            self._h2.send_data(stream, piece, end_stream=last)
            self._flush()
            time.sleep(script.wait)
        if script.trailers:
            self._h2.send_headers(stream, list(script.trailers), end_stream=True)
