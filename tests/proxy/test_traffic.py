"""`proxy_addon/proxy/traffic.py`: kinds of failures, and the kernel's counts, pinned on real
sockets.

That mitmproxy calls the hooks in the order that is needed is proved by
`tests/dashboards/test_office_hour.py`.
"""

from __future__ import annotations

import inspect
import socket

import pytest
from mitmproxy.proxy import server

from proxy_addon.observability.metric_families import UPSTREAM_ERRORS
from proxy_addon.proxy.traffic import _KINDS, counted, kind_of


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[Errno -2] Name or service not known", "dns"),
        ("[Errno -3] Temporary failure in name resolution", "dns"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "refused"),
        ("Multiple exceptions: [Errno 111] Connect call failed", "refused"),
        ("[Errno 110] Connection timed out", "timeout"),
        ("[Errno 113] No route to host", "unreachable"),
        ("[Errno 101] Network is unreachable", "unreachable"),
        ("connection cancelled", "cancelled"),
        ("something new", "other"),
        ("", "other"),
    ],
)
def test_kinds(message: str, kind: str) -> None:
    """What the system says becomes one of a few words."""
    assert kind_of(message) == kind
    assert {name for name, _ in _KINDS} <= set(UPSTREAM_ERRORS)


def test_the_kernel_counts() -> None:
    """Bytes sent (once they have been taken) and bytes received of a TCP connection, without
    touching them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            near.sendall(bytes(1000))
            far.sendall(bytes(300))
            assert len(near.recv(300, socket.MSG_WAITALL)) == 300
            assert len(far.recv(1000, socket.MSG_WAITALL)) == 1000
            sent, received = counted(near) or (0, 0)
            assert sent in (1000, 1001)  # the kernel counts the opening of the connection as one
            assert received == 300
        assert counted(near) is None
    assert counted(None) is None


def test_the_order_that_is_relied_on() -> None:
    """mitmproxy keeps a site's transport until its end, and tells of the end in the same turn of
    the loop."""
    source = inspect.getsource(server.ConnectionHandler.open_connection)
    assert source.index("self.transports[command.connection] = ConnectionIO(") < source.index(
        "ServerConnectedHook"
    )
    assert source.index("await self.handle_connection(") < source.index("ServerDisconnectedHook")
