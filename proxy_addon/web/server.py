"""The web port: uvicorn in a thread of its own, so that a slow scrape never delays the proxy."""

from __future__ import annotations

import socket
import threading
from typing import Any

import uvicorn

from proxy_addon.config.parsers import HostPort


class PortTaken(Exception):
    """A port cannot be listened on; one line with the remedy. `because`: what the system says."""

    def __init__(self, wanted: HostPort, flag: str, because: str | None) -> None:
        super().__init__(f"{flag} {wanted}: {because}; choose another with {flag} HOST:PORT")
        self.because = because


def bind(wanted: HostPort, flag: str, *, shared: bool = False) -> socket.socket:
    """A listening socket. Raises PortTaken with the flag that chooses another port. `shared`: other
    processes of this user may listen there as well."""
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((wanted.host, wanted.port))
    except OSError as error:
        sock.close()
        raise PortTaken(wanted, flag, error.strerror) from None
    return sock


def available_port(wanted: HostPort, flag: str) -> HostPort:
    """The address, checked to be free; port 0 becomes a free port. Raises PortTaken."""
    with bind(wanted, flag) as sock:
        return wanted._replace(port=int(sock.getsockname()[1]))


class WebServer:
    """Serves one ASGI application. `start` raises PortTaken."""

    def __init__(self, app: Any, wanted: HostPort) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=5,
        )
        self._server = uvicorn.Server(config)
        self._wanted = wanted
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and serve."""
        sock = bind(self._wanted, "--web")
        sock.listen(
            128
        )  # clients that connect before the thread has started wait instead of being refused
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [sock]}, name="web", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=2.0)
