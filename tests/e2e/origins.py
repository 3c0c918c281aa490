"""Local servers that stand for the platforms: TLS (HTTP/1.1, HTTP/2, WebSocket), plain HTTP, raw
TCP.

All of them listen on ephemeral loopback ports and run on one event loop in a thread of the test
process.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.e2e.authority import Authority
from tests.e2e.site import Record, Site

BANNER = b"220 hello, the server speaks first\r\n"
quiet = logging.getLogger("tests.e2e.origins")
quiet.addHandler(logging.NullHandler())
quiet.propagate = False


class _Config(Config):
    """Hypercorn's configuration with our own TLS context (a certificate for each name asked
    for)."""

    context: ssl.SSLContext | None = None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.context

    @property
    def ssl_enabled(self) -> bool:
        return self.context is not None


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    listener.setblocking(False)
    return listener


class Origins:
    """Context manager: the servers run inside it. Ports: `tls`, `plain`, `echo`, `tls_echo`,
    `banner`."""

    def __init__(self, folder: Path, site: type[Site] = Site) -> None:
        self.authority = Authority(folder)
        self.record = Record()
        self._site = site(self.record)
        self._sockets = {
            name: _listener() for name in ("tls", "plain", "echo", "tls_echo", "banner")
        }
        self._ports = {name: sock.getsockname()[1] for name, sock in self._sockets.items()}
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="origins", daemon=True
        )

    @property
    def ca_file(self) -> Path:
        """The trust anchor of every TLS origin."""
        return self.authority.ca_file

    def port(self, name: str) -> int:
        """The port of one of the servers named in the class text."""
        return self._ports[name]

    def resolve(self, *hosts: str) -> list[str]:
        """`--resolve` values: port 443 of each host goes to the TLS origin, port 80 to the plain
        one."""
        pairs = [f"{host}:443=127.0.0.1:{self.port('tls')}" for host in hosts]
        return pairs + [f"{host}:80=127.0.0.1:{self.port('plain')}" for host in hosts]

    def resolve_raw(self, host: str, server: str) -> str:
        """A `--resolve` value that sends port 443 of a host to a raw server: echo, tls_echo or
        banner."""
        return f"{host}:443=127.0.0.1:{self.port(server)}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the test origins did not start within 10 s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._loop is not None and self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        echo_context = self.authority.server_context(
            ["http/1.1"], "echo.example", self.record.tls_names
        )
        raw = [
            await asyncio.start_server(self._echo, sock=self._sockets["echo"]),
            await asyncio.start_server(
                self._echo, sock=self._sockets["tls_echo"], ssl=echo_context
            ),
            await asyncio.start_server(self._banner, sock=self._sockets["banner"]),
        ]
        web = asyncio.gather(self._web("tls", secure=True), self._web("plain", secure=False))
        self._started.set()
        await web
        for server in raw:
            server.close()

    async def _web(self, name: str, *, secure: bool) -> None:
        config = _Config()
        config.bind = [f"fd://{self._sockets[name].detach()}"]
        config.accesslog = config.errorlog = (
            quiet  # a test that cuts streams makes servers complain
        )
        config.graceful_timeout, config.shutdown_timeout = 0.2, 0.5
        config.keep_alive_timeout, config.read_timeout = 60, None
        if secure:
            names = self.record.tls_names
            config.context = self.authority.server_context(
                ["h2", "http/1.1"], "origin.example", names
            )
        assert self._stop is not None
        await serve(self._site, config, shutdown_trigger=self._stop.wait)  # type: ignore[arg-type]

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.record.connections.append("echo")
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the client left, which is what some tests are about
        finally:
            writer.close()

    async def _banner(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.record.connections.append("banner")
        writer.write(BANNER)
        await self._echo(reader, writer)
