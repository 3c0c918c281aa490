"""The server's end of TLS on a connection whose first bytes have been read already.

`loop.start_tls` takes only connections of which nothing has been read, and how it is done inside
differs from loop to loop; so TLS works on buffers here, and sees what its owner passes on.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

_PIECE = 65_536  # bytes that are decrypted at a time


class TlsTransport(asyncio.Transport):
    """What is written here is encrypted and goes to `raw`; what `raw` receives is decrypted by
    `received`. Back pressure is that of `raw`."""

    def __init__(self, raw: asyncio.Transport, context: ssl.SSLContext) -> None:
        super().__init__()
        self._raw = raw
        self._context = context
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False  # the handshake is complete
        self.ended = False  # the client has said that it sends no more

    def received(self, data: bytes) -> bytes:
        """Bytes that came, and what they say, as far as it is complete. Raises ssl.SSLError, after
        the client has been told."""
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            if not self.established:
                self._tls.do_handshake()
                self.established = True
            while piece := self._tls.read(_PIECE):
                parts.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        finally:
            self._flush()
        return b"".join(parts)

    def _flush(self) -> None:
        if self._outgoing.pending and not self._raw.is_closing():
            self._raw.write(self._outgoing.read())

    # -- asyncio.Transport

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """See `asyncio.Transport`. Before the handshake, and after the end, nothing is written."""
        rest = memoryview(data)
        try:
            while rest and self.established and not self.is_closing():
                rest = rest[self._tls.write(rest) :]
        except ssl.SSLError:
            self._raw.abort()
        self._flush()

    def close(self) -> None:
        """See `asyncio.BaseTransport`. The client is told, and its own last word is not waited
        for."""
        if self.established and not self.is_closing():
            try:
                self._tls.unwrap()
            except ssl.SSLError:  # as a rule: the client's last word is still to come
                pass
            self._flush()
        self._raw.close()

    def abort(self) -> None:
        """See `asyncio.Transport`."""
        self._raw.abort()

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self._raw.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See `asyncio.BaseTransport`."""
        if name == "sslcontext":
            return self._context
        if name == "ssl_object":
            return self._tls
        return self._raw.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._raw.resume_reading()

    def is_reading(self) -> bool:
        """See `asyncio.ReadTransport`."""
        return self._raw.is_reading()

    def can_write_eof(self) -> bool:
        """See `asyncio.WriteTransport`."""
        return False

    def get_write_buffer_size(self) -> int:
        """See `asyncio.WriteTransport`."""
        return self._raw.get_write_buffer_size()
