"""`proxy_addon/runtime/proxy_port.py`: a port that is free, a stranger's, or that of workers whose
supervisor was killed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.runtime.proxy_port import proxy_port
from proxy_addon.system.port_claims import SUPERVISOR, claim
from proxy_addon.web.server import PortTaken
from tests.e2e.waiting import free_port


def settings(port: int, workers: int) -> Settings:
    """Settings that listen at a port."""
    wanted = {"listen": f"127.0.0.1:{port}", "workers": str(workers), "drain": "20s"}
    return load_settings(wanted)


@contextmanager
def listening(port: int, *roles: str) -> Iterator[socket.socket]:
    """Somebody who shares the port, and claims it in these roles."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        for role in roles:
            held = claim("127.0.0.1", port, role)
            assert held is not None
            stack.enter_context(held)
        yield sock


def test_a_free_port() -> None:
    """A free port is taken as it is, and 0 becomes a free one."""
    port = free_port()
    assert proxy_port(settings(port, 2)).port == port
    assert proxy_port(settings(0, 2)).port > 0


@pytest.mark.parametrize("roles", [(), (SUPERVISOR,), (SUPERVISOR, "worker-1")])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_others_have(roles: tuple[str, ...], workers: int) -> None:
    """Another program, or a proxy whose supervisor lives, keeps its port, also where the system
    would let it be shared."""
    port = free_port()
    with listening(port, *roles), pytest.raises(PortTaken, match="Address already in use"):
        proxy_port(settings(port, workers))


def test_workers_share_it_with_orphans() -> None:
    """What is left of a supervisor that was killed does not keep new workers from the port."""
    port = free_port()
    with listening(port, "worker-1", "worker-2"):
        assert proxy_port(settings(port, 2)).port == port


def test_one_process_waits_for_orphans() -> None:
    """One process cannot share the port: it starts when the workers of before have ended."""
    port = free_port()
    with listening(port, "worker-1") as left:
        timer = threading.Timer(0.5, left.close)
        timer.start()
        assert proxy_port(settings(port, 1)).port == port
        assert left.fileno() == -1
        timer.join()
