"""How many files and sockets this process may have open, and what waits in one of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import struct
import termios
from collections.abc import Iterator

NEARLY_ALL = 0.9  # from this share on new connections are refused: the rest is for what runs


MOST_UNREAD = 1_048_576  # bytes of a connection that is lost; more is given up
_PIECE = 65_536


def raise_limit() -> int:
    """Set the soft limit to the hard one; how many descriptors there may be then, 0 for no limit.

    The kernel gives out the lowest number that is free, so a descriptor with a high number means
    that nearly all below it are in use.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):  # some systems have a lower one that they do not tell
            pass
    return 0 if soft == resource.RLIM_INFINITY else soft


def has_unread(transport: asyncio.BaseTransport) -> bool:
    """Whether something has come on a connection that has not been read: closed now, its peer would
    lose the answer to it."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return False
    try:
        waiting = fcntl.ioctl(sock.fileno(), termios.FIONREAD, struct.pack("i", 0))
    except OSError:
        return False
    return bool(struct.unpack("i", waiting)[0])


def take_unread(transport: asyncio.BaseTransport) -> Iterator[bytes]:
    """What has come on a connection that is lost, but not closed yet: in `connection_lost`.

    A peer that closes with something unread resets the connection, and an event loop that writes at
    that time gives it up, with what the peer had sent before. At most `MOST_UNREAD` bytes.
    """
    sock = transport.get_extra_info("socket")
    size = 0
    while sock is not None and size < MOST_UNREAD:
        try:
            piece = os.read(sock.fileno(), _PIECE)
        except OSError:  # nothing more, or the reset itself
            return
        if not piece:
            return
        size += len(piece)
        yield piece
