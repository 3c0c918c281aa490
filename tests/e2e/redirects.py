"""For `mitmdump`: connections go where `HARNESS_RESOLVE` says. The harness tests itself on it."""

from __future__ import annotations

import os

from mitmproxy.proxy.server_hooks import ServerConnectionHookData


class Redirects:
    """What `--resolve` does in the product, for a proxy that has no such flag."""

    def __init__(self) -> None:
        pairs = (line.split("=") for line in os.environ["HARNESS_RESOLVE"].split())
        self.table = {source: target.rsplit(":", 1) for source, target in pairs}
        self.asked: dict[str, tuple[str, int]] = {}

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Change the address before the connection is opened."""
        assert data.server.address is not None
        target = self.table.get("{}:{}".format(*data.server.address[:2]))
        if target:
            self.asked[data.server.id] = data.server.address
            data.server.address = (target[0], int(target[1]))

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Put the name back: mitmproxy shares a connection only among requests for the address it
        shows."""
        vars(data.server)["address"] = self.asked.pop(data.server.id, data.server.address)


addons = [Redirects()]
