"""A real proxy between odd clients and odd sites, in every combination of protocols."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from structlog.testing import capture_logs

from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving
from tests.proxy.odd_client import Got, OneClient, TwoClient
from tests.proxy.odd_site import OddSite, Script

PLAIN, LIMITED_PLAIN, ONE, TWO, UNTRUSTED, DEAD = (
    "odd.example",
    "www.linkedin.com",
    "www.facebook.com",
    "x.com",
    "m.facebook.com",
    "w.facebook.com",
)
ADDRESS = "198.51.100.7"  # a numeric address, where the site of HTTP/1.1 listens as well
# client and site: clear text (not limited, and limited), HTTP/1.1 and HTTP/2 inside TLS
WAYS = ("plain", "limited plain", "h1-h1", "h2-h1", "h2-h2")
_HOSTS = dict(zip(WAYS, (PLAIN, LIMITED_PLAIN, ONE, ONE, TWO), strict=True))


class _Crashes(logging.Handler):
    """Keeps every record of an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        if record.exc_info or "crash" in record.getMessage():
            self.found.append(record.getMessage())


class OddOffice:
    """Context manager. `plain`, `one` and `two` are the sites of clear text, of HTTP/1.1 and of
    HTTP/2."""

    def __init__(self, folder: Path, origins: Origins, **harness: Any) -> None:
        leaf = origins.authority.leaf_file(ONE, TWO)
        self.plain = OddSite()
        self.one = OddSite(_context(leaf, ["http/1.1"]))
        self.two = OddSite(_context(leaf, ["h2", "http/1.1"]))
        resolve = [f"{host}:80=127.0.0.1:{self.plain.port}" for host in (PLAIN, LIMITED_PLAIN)]
        resolve += [f"{host}:443=127.0.0.1:{self.one.port}" for host in (ONE, UNTRUSTED, ADDRESS)]
        resolve += [f"{TWO}:443=127.0.0.1:{self.two.port}"]
        resolve += [f"{DEAD}:{port}=127.0.0.1:1" for port in (80, 443)]
        resolve += list(harness.pop("resolve", ()))
        self.proxy = Serving(ProxyHarness(folder, resolve=resolve, **harness), origins)
        self._crashes, self._stack = _Crashes(), ExitStack()
        self._logs: list[Any] = []

    def __enter__(self) -> Self:
        for each in (self.plain, self.one, self.two, self.proxy):
            self._stack.enter_context(each)
        self._logs = self._stack.enter_context(capture_logs())
        logging.getLogger().addHandler(self._crashes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self._crashes)
        self._stack.close()

    def site(self, way: str) -> OddSite:
        """The site at the end of a way."""
        return {"plain": self.plain, "limited plain": self.plain, "h2-h2": self.two}.get(
            way, self.one
        )

    def client(self, way: str, host: str | None = None) -> OneClient | TwoClient:
        """A client at its beginning."""
        host = host or _HOSTS[way]
        if way.startswith("h2"):
            return TwoClient(self.proxy, host)
        return OneClient(self.proxy, host, tls=way == "h1-h1")

    def ask(self, way: str, path: str, script: Script | Sequence[Script], **asked: Any) -> Got:
        """One exchange on a connection of its own."""
        scripts = [script] if isinstance(script, Script) else list(script)
        self.site(way).scripts[path] = scripts
        client = self.client(way)
        try:
            return client.ask(path, **asked)
        finally:
            client.wire.close()

    def failures(self) -> list[str]:
        """What has failed in the proxy, by its log and its metrics, since this was last asked."""
        found, self._crashes.found = self._crashes.found, []
        found += [str(line) for line in self._logs if line["log_level"] in ("error", "critical")]
        self._logs.clear()
        return found

    def serves(self, ways: Iterable[str] = WAYS) -> bool:
        """Whether the next request is answered."""
        return all(self.ask(way, "/next", Script()).body == b"ok" for way in ways)


def _context(leaf: Path, alpn: list[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)
    context.set_alpn_protocols(alpn)
    return context
