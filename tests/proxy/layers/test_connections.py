"""`proxy_addon/proxy/layers/connections.py`: what is remembered of a connection, and for how
long."""

from __future__ import annotations

import gc

from mitmproxy import options
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.connections import Connections, TunnelOptions


def test_remembered_until_it_is_gone() -> None:
    """A connection is known from first sight until it is closed."""
    connections, client = Connections(), tflow.tclient_conn()
    assert connections.known(client) is None
    made = connections.of(client)
    assert connections.of(client) is connections.known(client) is made
    assert [pair[0] for pair in connections.all()] == [client]
    connections.remove(client)
    connections.remove(client)
    assert (connections.known(client), len(connections)) == (None, 0)


def test_a_hook_after_the_end() -> None:
    """mitmproxy calls some hooks of a connection after it was closed: it does not come back."""
    connections, client = Connections(), tflow.tclient_conn()
    connections.of(client)
    connections.remove(client)
    assert connections.of(client).hosts == ()
    assert len(connections) == 0


def test_nothing_is_kept_for_nobody() -> None:
    """A connection that mitmproxy has let go of is let go of here, too."""
    connections, client = Connections(), tflow.tclient_conn()
    connections.of(client)
    del client
    gc.collect()
    assert len(connections) == 0


def test_options() -> None:
    """A tunnel has a connection strategy of its own; everything else is mitmproxy's."""
    shared = options.Options()
    one, other = TunnelOptions(shared), TunnelOptions(shared)
    one.connection_strategy = "eager"
    assert (one.connection_strategy, other.connection_strategy) == ("eager", "lazy")
    shared.update(http2=False)
    assert not other.http2
