"""`proxy_addon/proxy/traffic.py`: the kernel's counts, pinned on real sockets.

That mitmproxy calls the hooks in the order that is needed is proved by
`tests/dashboards/test_office_hour.py`.
"""

from __future__ import annotations

import inspect
import socket

from mitmproxy.proxy import server

from proxy_addon.proxy.traffic import counted


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
