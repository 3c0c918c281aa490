"""What a site sent before it reset its connection is read.

A site that refuses an upload answers, and closes with the rest of the upload unread: its system
resets the connection, often while we write. asyncio then gives up the connection, with what it has
read and what the system still has, and the answer would be lost. Here the end of a connection to a
site comes after the last byte that was received, whatever ended it.

`tests/proxy/layers/test_reset_connections.py` pins what is used of asyncio and uvloop.
"""

from __future__ import annotations

import asyncio

from proxy_addon.system.descriptors import take_unread


def read_to_the_end(reader: asyncio.StreamReader, transport: asyncio.BaseTransport) -> None:
    """From now on `reader` ends when the connection is lost, after what was received."""

    def lost(_: Exception) -> None:  # called by the protocol, before the socket is closed
        for piece in take_unread(transport):
            reader.feed_data(piece)
        reader.feed_eof()

    reader.set_exception = lost  # type: ignore[assignment, method-assign]
