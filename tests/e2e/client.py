"""The clients that a test points at a proxy: curl, and raw tunnels for what curl is too polite to
do.

Persons without a sign-in are told apart by their address, and every address of 127.0.0.0/8 is ours
on Linux: `fresh_address()` gives a test a person of its own, with a whole allowance.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAVIGATE = {
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-User": "?1",
    "Accept": "text/html,application/xhtml+xml",
}
FETCH = {
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "Accept": "application/json",
}
IMAGE = {
    "Sec-Fetch-Dest": "image",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Site": "same-origin",
    "Accept": "image/avif,image/png",
}


def _addresses() -> Iterator[str]:
    for block, last in itertools.product(range(64, 250), range(1, 250)):
        yield f"127.0.{block}.{last}"


_fresh = _addresses()
_opened: list[socket.socket] = []


def fresh_address() -> str:
    """A loopback address that no other test of this process has been given."""
    return next(_fresh)


def closed_later[S: socket.socket](opened: S) -> S:
    """The same socket, which is closed when the test ends."""
    _opened.append(opened)
    return opened


def close_sockets() -> None:
    """Close what the clients of a test left open, as the end of their programs would."""
    while _opened:
        _opened.pop().close()


@dataclass(frozen=True, slots=True)
class Reply:
    """What curl saw. `status` is 0 where no answer came; `connect` is the proxy's answer to
    CONNECT."""

    status: int
    connect: int
    version: str
    headers: dict[str, str]
    body: bytes
    exit_code: int
    seconds: float
    connects: int
    error: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def reason(self) -> str | None:
        """The contract's `X-Allowance-Reason`, where there is one."""
        return self.headers.get("x-allowance-reason")


class Transfer:
    """A running curl, one or several URLs. `finish()` waits and gives a Reply for each."""

    def __init__(self, command: list[str], urls: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="curl-")
        self.folder, self.count = Path(self._folder.name), len(urls)
        for number, url in enumerate(urls):
            # Options before --next belong to one URL each, so both files have to be named again.
            command += [url, "-o", str(self.folder / f"body{number}")]
        command += ["-D", str(self.folder / "headers"), "-w", "%{json}\n"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def received(self, number: int = 0) -> int:
        """Bytes of the body that have been written so far."""
        file = self.folder / f"body{number}"
        return file.stat().st_size if file.exists() else 0

    @property
    def running(self) -> bool:
        """True while curl has not ended."""
        return self.process.poll() is None

    def finish(self, timeout: float = 30.0) -> list[Reply]:
        """Wait for the end; one Reply a URL, in the order of the URLs."""
        try:
            output, errors = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.cancel()
            raise
        said = errors.decode("utf-8", "replace").strip()
        reports = [json.loads(line) for line in output.splitlines()]
        assert len(reports) == self.count, f"curl ended with {self.process.returncode}: {said}"
        head = self.folder / "headers"
        blocks = _header_blocks(head.read_bytes() if head.exists() else b"")
        replies = [
            self._reply(each, said, blocks) for each in sorted(reports, key=lambda r: r["urlnum"])
        ]
        self._folder.cleanup()
        return replies

    def cancel(self) -> None:
        """Kill curl: a client that vanishes."""
        self.process.kill()
        self.process.communicate()
        self._folder.cleanup()

    def _reply(self, report: dict[str, Any], said: str, blocks: list[dict[str, str]]) -> Reply:
        file = self.folder / f"body{report['urlnum']}"
        return Reply(
            status=report["http_code"],
            connect=report["http_connect"],
            version=str(report["http_version"]),
            headers=blocks[-1] if blocks and self.count == 1 and report["http_code"] else {},
            body=file.read_bytes() if file.exists() else b"",
            exit_code=report["exitcode"],
            seconds=report["time_total"],
            connects=report["num_connects"],
            error=f"{report['errormsg'] or ''} {said}".strip(),
        )


def _header_blocks(raw: bytes) -> list[dict[str, str]]:
    blocks = []
    for block in raw.decode("latin-1").split("\r\n\r\n"):
        lines = block.splitlines()[1:]
        pairs = [line.split(":", 1) for line in lines if ":" in line]
        if block.strip():
            blocks.append({name.lower(): value.strip() for name, value in pairs})
    return blocks


class Client:
    """Clients of the proxy at `port`; `trust` is the CA bundle that they use unless told
    otherwise."""

    def __init__(self, port: int, trust: Path) -> None:
        self.port, self.trust = port, trust

    def start(
        self,
        urls: Sequence[str],
        *args: str,
        source: str | None = None,
        user: str | None = None,
        headers: dict[str, str] | None = None,
        proxy_headers: dict[str, str] | None = None,
        http2: bool = False,
        trust: Path | None = None,
    ) -> Transfer:
        """Start curl in the background. `user` is `name:password` for the proxy, `source` its
        address."""
        command = [
            "curl",
            "-sS",
            "--no-progress-meter",
            "--no-keepalive",
            "--suppress-connect-headers",
            "--noproxy",
            "",
        ]
        command += ["-x", f"http://127.0.0.1:{self.port}", "--cacert", str(trust or self.trust)]
        command += ["--http2" if http2 else "--http1.1", "--connect-timeout", "10"]
        command += ["--interface", source] if source else []
        command += ["--proxy-user", user] if user else []
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        for name, value in (proxy_headers or {}).items():
            command += ["--proxy-header", f"{name}: {value}"]
        command += ["--parallel"] if len(urls) > 1 else []
        return Transfer([*command, *args], urls)

    def get(self, url: str, *args: str, timeout: float = 30.0, **options: Any) -> Reply:
        """Run curl to its end for one URL; options as for `start`."""
        return self.start([url], *args, **options).finish(timeout)[0]

    def open(self, url: str, **options: Any) -> Reply:
        """A top-level navigation, as a browser makes it."""
        return self.get(url, headers=NAVIGATE | options.pop("headers", {}), **options)

    def socket(self, source: str | None = None, timeout: float = 10.0) -> socket.socket:
        """A bare connection to the proxy."""
        origin = (source, 0) if source else None
        return closed_later(
            socket.create_connection(("127.0.0.1", self.port), timeout, source_address=origin)
        )

    def tunnel(
        self, host: str, port: int = 443, source: str | None = None, headers: str = ""
    ) -> tuple[int, socket.socket]:
        """CONNECT: the proxy's status and the connection, which is a tunnel where the status is
        200."""
        connection = self.socket(source)
        request = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n"
        connection.sendall(request.encode())
        head = read_until(connection, b"\r\n\r\n")
        return (int(head.split()[1]) if head else 0), connection

    def tls(
        self, connection: socket.socket, name: str | None, alpn: Sequence[str] = ()
    ) -> ssl.SSLSocket:
        """TLS inside a tunnel, `name` as SNI; the certificate is checked where there is a name."""
        context = ssl.create_default_context(cafile=self.trust)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.set_alpn_protocols(list(alpn) or ["http/1.1"])
        if name is None:
            context.check_hostname = False
        return closed_later(context.wrap_socket(connection, server_hostname=name))


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Bytes up to and including `end`, one at a time so that nothing behind it is lost."""
    data = b""
    while not data.endswith(end):
        piece = connection.recv(1)
        if not piece:
            break
        data += piece
    return data


def read_all(connection: socket.socket, timeout: float = 10.0) -> bytes:
    """Everything until the other side closes or resets; TimeoutError when it does neither."""
    connection.settimeout(timeout)
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return data


def clean_environment() -> dict[str, str]:
    """Our environment without proxies and without settings of the product."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ALLOWANCE_") and not name.lower().endswith("_proxy")
    }
