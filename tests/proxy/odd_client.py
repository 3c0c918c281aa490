"""Clients for odd sites, by hand: HTTP/1.1 in clear text, and HTTP/1.1 or HTTP/2 in an opened
tunnel. They see every head, trailers and how an exchange ended."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tests.proxy.harness import Serving

SECONDS = 15.0  # seconds without a byte after which an exchange hangs


@dataclass
class Got:
    """An answer. `end`: `complete`, `closed` for a connection or stream that ended before, `until
    close`, or `hangs`."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    informational: list[int] = field(default_factory=list)
    end: str = ""

    def __getitem__(self, name: str) -> str | None:
        return next((value for n, value in self.fields if n.lower() == name), None)


class OneClient:
    """HTTP/1.1 on one connection. In clear text requests are absolute."""

    def __init__(self, proxy: Serving, host: str, *, tls: bool) -> None:
        if tls:
            self.take(proxy.client.tls(proxy.client.tunnel(host)[1], host), host)
        else:
            self.take(proxy.client.socket(), host, f"http://{host}")

    def take(self, wire: socket.socket, host: str, prefix: str = "") -> None:
        """Talk on a connection that is open."""
        self.host, self.wire, self._prefix, self._data = host, wire, prefix, b""
        wire.settimeout(SECONDS)

    def begin(
        self,
        path: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        version: str = "HTTP/1.1",
    ) -> None:
        """Send a head."""
        self.wire.sendall(self.head(path, method, fields, version))

    def head(
        self,
        path: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        version: str = "HTTP/1.1",
    ) -> bytes:
        """A head as it is sent."""
        rows = "".join(f"{name}: {value}\r\n" for name, value in fields)
        line = f"{method} {self._prefix}{path} {version}\r\nHost: {self.host}\r\n{rows}\r\n"
        return line.encode("latin-1")

    def send_while_reading(self, data: bytes) -> None:
        """Send all of it and keep what comes meanwhile for `finish`. In one thread, since two must
        not use one TLS connection at the same time."""
        end = time.monotonic() + SECONDS
        self.wire.setblocking(False)
        try:
            while data and time.monotonic() < end:
                with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                    self._more()
                with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
                    data = data[self.wire.send(data[:16_384]) :]
                    continue
                select.select([self.wire], [self.wire], [], 0.1)
        finally:
            self.wire.settimeout(SECONDS)
        if data:
            raise TimeoutError(f"{len(data)} bytes were not taken in {SECONDS} s")

    def ask(
        self,
        path: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        body: bytes | Sequence[bytes] = b"",
        version: str = "HTTP/1.1",
    ) -> Got:
        """A whole exchange; a body in pieces is sent in chunks."""
        chunks = not isinstance(body, bytes)
        length = [("Transfer-Encoding", "chunked")] if chunks else []
        if isinstance(body, bytes) and (body or method in ("POST", "PUT", "PATCH")):
            length = [("Content-Length", str(len(body)))]
        self.begin(path, method, [*fields, *length], version)
        with contextlib.suppress(ConnectionError):
            if isinstance(body, bytes):
                self.wire.sendall(body)
            else:
                self.wire.sendall(
                    b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (*body, b""))[:-2]
                )
                self.wire.sendall(b"\r\n")
        return self.finish(method)

    def finish(self, method: str = "GET") -> Got:
        """The answer."""
        got = Got()
        try:
            self._head(got)
            while got.status and got.status < 200 and got.status != 101:
                got.informational.append(got.status)
                got.status, got.fields = 0, []
                self._head(got)
            self._body(got, method)
        except TimeoutError:
            got.end = "hangs"
        except (ConnectionError, EOFError):
            got.end = got.end or "closed"
        return got

    def _head(self, got: Got) -> None:
        line, *rows = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        got.status = int(line.split()[1])
        got.fields = [(n, v.strip()) for n, _, v in (row.partition(":") for row in rows)]

    def _body(self, got: Got, method: str) -> None:
        if method == "HEAD" or got.status in (101, 204, 304):
            got.end = "complete"
        elif "chunked" in (got["transfer-encoding"] or ""):
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                got.body += self._exactly(size)
                self._exactly(2)
            while (row := self._until(b"\r\n")) != b"\r\n":
                name, _, value = row.decode("latin-1").partition(":")
                got.trailers.append((name.lower(), value.strip()))
            got.end = "complete"
        elif (length := got["content-length"]) is not None:
            while len(got.body) < int(length):
                got.body += self._exactly(1)
            got.end = "complete"
        else:
            got.end = "until close"
            while True:
                got.body += self._exactly(1)

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
        piece = self.wire.recv(65_536)
        if not piece:
            raise EOFError
        self._data += piece


class TwoClient:
    """HTTP/2 in an opened tunnel."""

    def __init__(self, proxy: Serving, host: str) -> None:
        self.take(proxy.client.tls(proxy.client.tunnel(host)[1], host, alpn=["h2"]), host)

    def take(self, wire: socket.socket, host: str) -> None:
        """Talk on a connection that is open."""
        self.host, self.wire = host, wire
        wire.settimeout(SECONDS)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                header_encoding="latin-1",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.decoder.max_header_list_size = 2**20
        self.h2.initiate_connection()
        self.flush()
        self.got: dict[int, Got] = {}

    def flush(self) -> None:
        """Send what waits."""
        self.wire.sendall(self.h2.data_to_send())

    def begin(
        self,
        path: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        *,
        ends: bool = True,
    ) -> int:
        """Send a head: its stream."""
        stream = self.h2.get_next_available_stream_id()
        head = [
            (":method", method),
            (":scheme", "https"),
            (":authority", self.host),
            (":path", path),
        ]
        self.h2.send_headers(stream, [*head, *fields], end_stream=ends)
        self.flush()
        self.got[stream] = Got()
        return stream

    def ask(
        self,
        path: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        body: bytes | Sequence[bytes] | None = None,
        trailers: Sequence[tuple[str, str]] = (),
    ) -> Got:
        """A whole exchange; `body` None ends it with the head."""
        stream = self.begin(path, method, fields, ends=body is None)
        if body is not None:
            pieces = [body] if isinstance(body, bytes) else list(body)
            for number, piece in enumerate(pieces):
                last = number == len(pieces) - 1 and not trailers
                self.h2.send_data(stream, piece, end_stream=last)
                self.flush()
            if trailers:
                self.h2.send_headers(stream, list(trailers), end_stream=True)
                self.flush()
        return self.finish(stream)

    def finish(self, stream: int) -> Got:
        """The answer on a stream."""
        got = self.got[stream]
        while not got.end:
            try:
                received = self.wire.recv(65_536)
            except TimeoutError:
                got.end = "hangs"
                break
            except ConnectionError:
                received = b""
            if not received:
                got.end = "closed"
                break
            try:
                for event in self.h2.receive_data(received):
                    self._take(event)
            except h2.exceptions.ProtocolError as error:
                got.end = f"broken: {error}"
            with contextlib.suppress(ConnectionError):
                self.flush()
        return got

    def _take(self, event: h2.events.Event) -> None:
        got = self.got.get(getattr(event, "stream_id", 0) or 0)
        if isinstance(event, h2.events.ConnectionTerminated):
            for each in self.got.values():
                each.end = each.end or "closed"
        elif got is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            got.informational.append(int(dict(event.headers)[":status"]))
        elif isinstance(event, h2.events.ResponseReceived):
            got.fields = list(event.headers)
            got.status = int(got.fields.pop(0)[1])
        elif isinstance(event, h2.events.DataReceived):
            got.body += event.data
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            got.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            got.end = "complete"
        elif isinstance(event, h2.events.StreamReset):
            got.end = got.end or "closed"
