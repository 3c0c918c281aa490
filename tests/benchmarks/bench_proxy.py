"""Requests per second through `allowance run` and through a bare mitmdump, in one run. Prints
ratios.

Run: PYTHONPATH=. python tests/benchmarks/bench_proxy.py [SECONDS] Budget (docs/architecture.md):
limited traffic 1.5 times a bare mitmdump; traffic that is not limited at least what
`mitmdump --ignore-hosts '.*'` does. The client, the site and the proxy share the machine: compare
ratios only.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from tests.benchmarks.proxies import Proxy, allowance_proxy, mitmdump
from tests.e2e.authority import Authority
from tests.e2e.waiting import free_port

CONNECTIONS = 20
BODY = b'{"answer": "' + b"x" * 2000 + b'"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
LIMITED, FREE = "www.facebook.com", "work.example"


class Site(asyncio.Protocol):
    """Answers every request head with the same small document."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self.transport = transport
        self.read = b""

    def data_received(self, data: bytes) -> None:
        """One answer for each complete head."""
        self.read += data
        while b"\r\n\r\n" in self.read:
            _, _, self.read = self.read.partition(b"\r\n\r\n")
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


def site(port: int, certificate: Path) -> None:
    """The main function of the site's process."""

    async def serve() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = await asyncio.get_running_loop().create_server(
            Site, "127.0.0.1", port, ssl=context
        )
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def running_site(port: int, certificate: Path) -> Iterator[None]:
    """The site in a process of its own."""
    process = get_context("spawn").Process(target=site, args=(port, certificate), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()


async def client(proxy: Proxy, host: str, trust: ssl.SSLContext, until: float) -> int:
    """One connection: CONNECT, TLS, then requests one after the other; how many were answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0] + b" ", head
    await writer.start_tls(trust, server_hostname=host)
    request = (
        f"GET /api/feed?page=1 HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
        f"Sec-Fetch-Site: same-origin\r\nReferer: https://{host}/\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
    ).encode()
    answered = 0
    while perf_counter() < until:
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(BODY))
        answered += 1
    writer.close()
    return answered


async def rate(proxy: Proxy, host: str, trust: Path, seconds: float) -> float:
    """Requests per second with all connections at work."""
    context = ssl.create_default_context(cafile=trust)
    until = perf_counter() + seconds
    begun = perf_counter()
    answered = await asyncio.gather(
        *(client(proxy, host, context, until) for _ in range(CONNECTIONS))
    )
    return sum(answered) / (perf_counter() - begun)


def main(seconds: float) -> None:
    """Measure in turns, so that a busy moment hits everybody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder / "origin-ca")
        port = free_port()
        with running_site(port, authority.leaf_file(LIMITED, FREE)):
            proxies = [
                (
                    "allowance",
                    LIMITED,
                    allowance_proxy(folder / "a", port, authority.ca_file, (LIMITED, FREE)),
                ),
                ("mitmdump", LIMITED, mitmdump(folder / "b", port, authority.ca_file)),
                ("allowance, not limited", FREE, None),
                (
                    "mitmdump --ignore-hosts .*",
                    FREE,
                    mitmdump(folder / "c", port, authority.ca_file, ".*"),
                ),
            ]
            ours = proxies[0][2]
            assert ours is not None
            rates: dict[str, list[float]] = {}
            started = [p for _, _, p in proxies if p is not None]
            try:
                for each in started:
                    each.start()
                for _ in range(3):
                    for label, host, proxy in proxies:
                        used = proxy or ours
                        trust = used.ca_file if host == LIMITED else authority.ca_file
                        rates.setdefault(label, []).append(
                            asyncio.run(rate(used, host, trust, seconds))
                        )
            finally:
                for each in started:
                    each.stop()
    best = {label: max(found) for label, found in rates.items()}
    for label, found in best.items():
        print(f"{label:28} {found:8.0f} requests/s")
    print(
        f"limited:     {best['allowance'] / best['mitmdump']:.2f} times a bare mitmdump (budget 1.5)"
    )
    free = best["allowance, not limited"] / best["mitmdump --ignore-hosts .*"]
    print(f"not limited: {free:.2f} times mitmdump --ignore-hosts (budget 1)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0)
