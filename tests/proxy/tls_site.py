"""A site on loopback that remembers which of its handshakes resumed a session, and can refuse
clients that offer one."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from mitmproxy.proxy.layers.tls import parse_client_hello

_PRE_SHARED_KEY, _TICKET = 41, 35  # extensions of a ClientHello
_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake_failure
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\nhello"


class TlsSite:
    """Context manager. `version` is the only one that it speaks; `leaf` holds key and chain.

    `resumed` has an entry for each handshake that succeeded. With `answers` off, it closes the
    connection when it is asked for something. `refuses` names how it ends a connection on which a
    session is offered: `alert`, `close`, `reset`, or `late` for a close in the middle of its own
    half of the handshake; with `always` it refuses all others, too. `refused` counts them; what is
    counted is ended once `may_refuse` is set.
    """

    def __init__(self, leaf: Path, version: ssl.TLSVersion, *, tickets: int = 2) -> None:
        self.context = self.context_for(leaf, version, tickets)
        self.resumed: list[bool] = []
        self.answers = True
        self.refuses = ""
        self.always = False
        self.refused = 0
        self.may_refuse = threading.Event()
        self.may_refuse.set()
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._taken: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, name="site", daemon=True)

    @staticmethod
    def context_for(leaf: Path, version: ssl.TLSVersion, tickets: int = 2) -> ssl.SSLContext:
        """A context of its own, which knows no sessions yet; `tickets` are sent with TLS 1.3."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(leaf)
        context.num_tickets = tickets
        return context

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        for taken in self._taken:
            with suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in [self._accepting, *self._threads])

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            self._taken.append(taken)
            thread = threading.Thread(target=self._serve, args=(taken,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, taken: socket.socket) -> None:
        taken.settimeout(20)
        if self.refuses and (offers_session(taken) or self.always):
            self.refused += 1
            self._refuse(taken)
            return
        self._talk(taken)

    def _talk(self, taken: socket.socket) -> None:
        try:
            inside = self.context.wrap_socket(taken, server_side=True)
        except OSError:
            taken.close()
            return
        self.resumed.append(inside.session_reused is True)
        with inside, suppress(OSError):
            data = b""
            while piece := inside.recv(65_536):
                if not self.answers:
                    return
                data += piece
                while b"\r\n\r\n" in data:
                    _, _, data = data.partition(b"\r\n\r\n")
                    self.requests += 1
                    inside.sendall(_ANSWER)

    def _refuse(self, taken: socket.socket) -> None:
        with taken, suppress(OSError):
            self.may_refuse.wait(20)
            if self.refuses == "reset":
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if self.refuses == "late":
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                incoming.write(taken.recv(65_536))
                half = self.context.wrap_bio(incoming, outgoing, server_side=True)
                with suppress(ssl.SSLWantReadError):
                    half.do_handshake()
                taken.sendall(outgoing.read(90))
                return
            taken.recv(65_536)
            if self.refuses == "alert":
                taken.sendall(_ALERT)


class Gate(TlsSite):
    """The same in front of a site at `port`, to which it relays the bytes of those whom it does not
    refuse."""

    def __init__(self, leaf: Path, version: ssl.TLSVersion, port: int) -> None:
        super().__init__(leaf, version)
        self._site = port
        self.relayed = 0

    def _talk(self, taken: socket.socket) -> None:
        self.relayed += 1
        with taken, socket.create_connection(("127.0.0.1", self._site), 20) as site:
            back = threading.Thread(target=_copy, args=(site, taken), daemon=True)
            back.start()
            _copy(taken, site)
            back.join(20)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def offers_session(taken: socket.socket) -> bool:
    """Whether the ClientHello that comes offers a session: a pre-shared key (TLS 1.3) or a ticket
    (TLS 1.2). It stays to be read."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        data = taken.recv(65_536, socket.MSG_PEEK)
        hello = parse_client_hello(data) if data else None
        if hello is not None:
            found = dict(hello.extensions)
            return _PRE_SHARED_KEY in found or bool(found.get(_TICKET))
        if not data:
            return False
        time.sleep(0.001)
    return False
