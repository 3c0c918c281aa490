"""Brings connections that need the engine to the worker of the person whose they are.

Whose a connection is can be known only once its head has been read, and sometimes only once a
password has been checked, which may take a while: the connection waits, and nobody else.
"""

from __future__ import annotations

import asyncio
import re

from proxy_addon.relay.handoff import end
from proxy_addon.relay.interface import HeaderFields, MovingClient, RelayPolicy
from proxy_addon.relay.workers import Workers

MAX_HOPS = 3  # workers whose rules differ for a moment could pass a connection round
_MAX_HEAD_BYTES = 65_536  # the engine refuses a longer one
_FLUSH_SECONDS = 0.005  # between two looks whether what was written has left
_FLUSH_LOOKS = 100
_FIRST_LINE = re.compile(rb"[A-Za-z]{1,20} [^\r\n]{1,65000} HTTP/1\.[0-9]\r?\n")
_BEGINS = re.compile(rb"[A-Za-z]{0,20}(?:\Z| )")


def read_fields(data: bytes) -> HeaderFields | None:
    """The header fields of a request, whatever it is, names in lower case; None while more bytes
    are needed. Nothing is found in what is no HTTP/1 or too long: the engine refuses it.

    Read only to find out whose the request is. The engine reads it again; should it find somebody
    else, whose worker is another one, it refuses.
    """
    started = _FIRST_LINE if b"\n" in data else _BEGINS
    if not started.match(data):
        return {}
    if b"\n\r\n" not in data and b"\n\n" not in data:
        return None if len(data) < _MAX_HEAD_BYTES else {}
    head, _, _ = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            name, value = name.lower(), value.strip()
            fields[name] = fields[name] + b", " + value if name in fields else value
    return fields


class Placement:
    """For one event loop."""

    def __init__(self, workers: Workers, policy: RelayPolicy) -> None:
        self.workers = workers
        self._policy = policy

    def keeps(self, client: MovingClient) -> bool:
        """Whether a connection goes on here, now. If not, it goes to another worker, or
        `client.stay` is called once that is clear."""
        try:
            fields = read_fields(client.handoff.data)
            if fields is None:
                client.wait_for_more(lambda: self._again(client))
                return False
            name = self._policy.owner_now(client.address, fields)
        except Exception:
            self._policy.failed("light_path")
            return True  # the engine finds out itself, and refuses what is not for this worker
        if name is None and client.handoff.hops == 1:
            client.wait_for(self._ask(client, fields))
            return False
        return name is None or self._stays(client, name)

    def _again(self, client: MovingClient) -> None:
        if self.keeps(client):
            client.stay()

    async def _ask(self, client: MovingClient, fields: HeaderFields) -> None:
        try:
            name = await self._policy.owner(client.address, fields)
        except Exception:
            self._policy.failed("light_path")
            client.stay()
            return
        if self._stays(client, name):
            client.stay()

    def _stays(self, client: MovingClient, name: str) -> bool:
        """Send it away unless it goes on here."""
        handoff = client.handoff
        if self.workers.serves(name) or handoff.hops > MAX_HOPS:
            return True
        if client.transport.is_closing():
            return False
        client.transport.pause_reading()
        if client.transport.get_write_buffer_size():  # the answer to CONNECT
            client.wait_for(self._send_later(client, name))
        else:
            self._send(client, name)
        return False

    async def _send_later(self, client: MovingClient, name: str) -> None:
        """Send it when what was written to it has left."""
        for _ in range(_FLUSH_LOOKS):
            await asyncio.sleep(_FLUSH_SECONDS)
            if not client.transport.get_write_buffer_size():
                self._send(client, name)
                return
        self._taken(client, False)  # it does not even read the answer to CONNECT

    def _send(self, client: MovingClient, name: str) -> None:
        if client.transport.is_closing():
            return
        descriptor = client.transport.get_extra_info("socket").fileno()
        self.workers.send(
            name, descriptor, client.handoff, lambda taken: self._taken(client, taken)
        )

    def _taken(self, client: MovingClient, taken: bool) -> None:
        """The other worker has the connection, or does not take it."""
        transport = client.transport
        if taken:
            transport.abort()  # our copy
            return
        if transport.is_closing():
            return
        answer = b"" if client.handoff.answered else self._policy.away()
        end(transport.get_extra_info("socket").fileno(), answer)
        transport.close()
