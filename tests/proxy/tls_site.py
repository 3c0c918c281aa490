"""A site on loopback that remembers which of its handshakes resumed a session."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\nhello"


class TlsSite:
    """Context manager. `version` is the only one that it speaks; `leaf` holds key and chain.

    `resumed` has an entry for each handshake that succeeded. With `answers` off, it closes the
    connection when it is asked for something.
    """

    def __init__(self, leaf: Path, version: ssl.TLSVersion, *, tickets: int = 2) -> None:
        self.context = self.context_for(leaf, version, tickets)
        self.resumed: list[bool] = []
        self.answers = True
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
                    inside.sendall(_ANSWER)
