"""How many files and sockets this process may have open, and what waits in one of them."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import struct
import termios

NEARLY_ALL = 0.9  # from this share on new connections are refused: the rest is for what runs


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
