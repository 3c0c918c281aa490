"""The transport that the engine gets for a connection which the light path has begun.

* The address of the client is the one that a balancer has passed on, where there is one.
* Where the CONNECT was answered already, the engine reads it again and answers it again. The client
  has had its answer: the first head that is written is dropped. If that head is not the same "200",
  the engine refuses what was let through before (the greeting names a host that is refused), and
  the connection is closed: inside a tunnel nobody would understand the refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_SAME = b"HTTP/1.1 200 "
_MAX_HEAD_BYTES = 65_536


class EngineTransport:
    """As the transport it is made from, but for the address and the answer to CONNECT."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        answered: bool,
        address: tuple[str, int] | None = None,
    ) -> None:
        """`answered`: the client has had the answer to its CONNECT. `address`: whose connection
        this is, where that is not the one that the socket knows."""
        self._transport = transport
        self._address = address
        self._head: bytes | None = b"" if answered else None  # None: nothing is to be dropped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See `asyncio.BaseTransport`."""
        if name == "peername" and self._address is not None:
            return self._address
        return self._transport.get_extra_info(name, default)

    def write(self, data: bytes) -> None:
        """See `asyncio.Transport`."""
        if self._head is None:
            self._transport.write(data)
            return
        self._head += bytes(data)
        _, complete, rest = self._head.partition(b"\r\n\r\n")
        if not complete and len(self._head) < _MAX_HEAD_BYTES:
            return
        same = self._head.startswith(_SAME)
        self._head = None
        if not same:
            self._transport.close()
        elif rest:
            self._transport.write(rest)

    def writelines(self, lines: Iterable[bytes]) -> None:
        """See `asyncio.Transport`."""
        self.write(b"".join(lines))
