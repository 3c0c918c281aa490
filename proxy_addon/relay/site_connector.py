"""Connects to sites, directly or through an upstream proxy."""

from __future__ import annotations

import asyncio
import base64
import socket

from proxy_addon.config.parsers import HostPort, UpstreamProxy
from proxy_addon.network.resolver import AskerName, Resolver, attach
from proxy_addon.relay.interface import SiteProtocol

MAX_ANSWER_BYTES = 65_536  # bytes of an upstream proxy's answer to CONNECT
ANSWER_SECONDS = 30.0  # seconds that an upstream proxy may take for it


class SiteConnector:
    """Opens connections for relayed tunnels. See `interface.ConnectSite`."""

    def __init__(self, resolver: Resolver, upstream: UpstreamProxy | None = None) -> None:
        """`upstream` is spoken to in plain HTTP."""
        self._resolver = resolver
        self._upstream = upstream

    async def __call__(
        self, host: str, port: int, asker: AskerName, protocol: SiteProtocol
    ) -> None:
        """Connect. Raises OSError."""
        upstream = self._upstream
        if upstream is None:
            await self._resolver.open(lambda: protocol(b""), host, port, asker)
            return
        sock = await self._resolver.connect(upstream.host, upstream.port, asker)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                early = await _ask(sock, HostPort(host, port), upstream.credentials)
        except TimeoutError:
            sock.close()
            raise TimeoutError("the upstream proxy timed out") from None
        except BaseException:
            sock.close()
            raise
        await attach(lambda: protocol(early), sock)


async def _ask(sock: socket.socket, target: HostPort, credentials: str | None) -> bytes:
    """Ask an upstream proxy for a tunnel; what it sent beyond its answer. Raises OSError."""
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if credentials is not None:
        token = base64.b64encode(credentials.encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {token}")
    await loop.sock_sendall(sock, "\r\n".join((*lines, "", "")).encode("ascii"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = await loop.sock_recv(sock, 16_384)
        if not received or len(answer) > MAX_ANSWER_BYTES:
            raise OSError("the upstream proxy closed the connection")
        answer += received
    head, _, early = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].split(b" ", 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or status[1] != b"200":
        shown = status[1][:3].decode("latin-1") if len(status) > 1 else "nothing"
        raise OSError(f"the upstream proxy refused the connection: it answered {shown}")
    return early
