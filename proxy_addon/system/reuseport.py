"""Several workers share one port, and each device is always served by the same worker.

With SO_REUSEPORT the kernel spreads connections by a hash of both addresses and ports, so the
connections of one browser would land everywhere, and no worker would see all of what a person does.
A small filter program in the kernel picks the worker by the client's address alone. Where that
cannot be installed, or connections come from a balancer or a front proxy, the kernel's own
spreading stays; visits are united in the ledger either way.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import socket
import struct
from collections.abc import Sequence
from typing import Any

SO_ATTACH_REUSEPORT_CBPF = 51
_NET = -0x100000  # SKF_NET_OFF: offsets count from the network header

# opcodes of classic BPF
_LD_BYTE, _LD_WORD, _RSH, _JEQ, _MOD, _RET = 0x30, 0x20, 0x74, 0x15, 0x94, 0x16


def program(workers: int) -> list[tuple[int, int, int, int]]:
    """`(code, jump if true, jump if false, value)`: the last word of the source address modulo
    `workers`."""
    return [
        (_LD_BYTE, 0, 0, _NET & 0xFFFFFFFF),  # version and header length
        (_RSH, 0, 0, 4),
        (_JEQ, 0, 2, 6),  # IPv6?
        (_LD_WORD, 0, 0, (_NET + 20) & 0xFFFFFFFF),
        (_JEQ, 1, 1, 0),  # on to the modulo, whatever the value
        (_LD_WORD, 0, 0, (_NET + 12) & 0xFFFFFFFF),
        (_MOD, 0, 0, workers),
        (_RET, 0, 0, 0),  # return the accumulator
    ]


def attach(sock: socket.socket, workers: int) -> bool:
    """Install the program for the whole group of `sock`; False where the system refuses."""
    lines = b"".join(struct.pack("HBBI", *line) for line in program(workers))
    buffer = ctypes.create_string_buffer(lines)
    option = struct.pack("HL", len(lines) // 8, ctypes.addressof(buffer))
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, option)
    except OSError:
        return False
    return True


class Servers:
    """Several servers as one: what is used of `asyncio.Server`."""

    def __init__(self, servers: Sequence[asyncio.Server]) -> None:
        self._servers = servers

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets of all."""
        return tuple(sock for server in self._servers for sock in server.sockets)

    def close(self) -> None:
        """Accept no more connections."""
        for server in self._servers:
            server.close()


class SharedPort:
    """The port that this worker shares with others.

    `inherited`: the listening sockets of the worker that this one replaces. They go on without a
    gap: closing one would reset the connections that wait in its queue.
    """

    def __init__(
        self, workers: int, *, by_device: bool, inherited: Sequence[socket.socket] = ()
    ) -> None:
        self._workers = workers
        self._by_device = by_device
        self._inherited = [*inherited]
        self._servers: list[asyncio.Server | Servers] = []

    @property
    def listeners(self) -> list[int]:
        """The file descriptors of the listening sockets."""
        return [sock.fileno() for server in self._servers for sock in server.sockets]

    def share(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on servers of this loop share their ports with the other workers."""
        plain = loop.create_server

        @functools.wraps(plain)
        async def shared(factory: Any, *address: Any, **options: Any) -> asyncio.Server | Servers:
            server: asyncio.Server | Servers
            if self._inherited:
                sockets, self._inherited = self._inherited, []
                server = Servers([await plain(factory, sock=sock) for sock in sockets])
            else:
                server = await plain(factory, *address, **{**options, "reuse_port": True})
                self._attach(server)
            self._servers.append(server)
            return server

        loop.create_server = shared  # type: ignore[method-assign, assignment]

    def _attach(self, server: asyncio.Server) -> None:
        if not self._by_device:
            return
        for transport in server.sockets:
            with socket.socket(fileno=socket.dup(transport.fileno())) as sock:
                attach(sock, self._workers)
