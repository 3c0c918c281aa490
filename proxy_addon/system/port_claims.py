"""Which processes of this user serve a port, for as long as they live.

Each holds a socket with a name in Linux's abstract namespace: there is no file, the name is gone
with its process however that ends, and it is known exactly where the port is (one network
namespace). On other systems nobody claims anything.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Set
from pathlib import Path

SUPERVISOR = "supervisor"
WORKER = "worker"  # followed by its process id
_TABLE = Path("/proc/net/unix")
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not listened on
_LONGEST = 107  # bytes of a name


def claim(host: str, port: int, role: str) -> socket.socket | None:
    """Hold the name of a role at this port until the socket is closed; None where the system has no
    such names. Raises OSError when another process holds it."""
    name = b"\0" + _prefix().encode() + f"{host}:{port}/{role}".encode()
    if not sys.platform.startswith("linux") or len(name) > _LONGEST:
        return None
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(name)
    except OSError:
        sock.close()
        raise
    return sock


def claimed(host: str, port: int, table: Path = _TABLE) -> Set[str]:
    """The roles of processes of this user that serve the port at this address, or at addresses that
    include it."""
    try:
        lines = table.read_text("utf-8", "replace").splitlines()
    except OSError:
        return set()
    roles = set[str]()
    for line in lines:
        _, found, rest = line.partition(f" @{_prefix()}")
        where, slash, role = rest.rpartition("/")
        address, _, number = where.rpartition(":")
        if found and slash and number == str(port) and _overlap(host, address):
            roles.add(role)
    return roles


def _prefix() -> str:
    return f"allowance/{os.getuid()}/"


def _overlap(one: str, other: str) -> bool:
    return one == other or one in _EVERYWHERE or other in _EVERYWHERE
