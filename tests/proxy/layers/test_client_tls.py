"""Twin of proxy_addon/proxy/layers/client_tls.py: a handshake that failed, and what still comes."""

from __future__ import annotations

import logging

import pytest
from mitmproxy import connection, options
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers import ClientTLSLayer, ServerTLSLayer, tls
from mitmproxy.proxy.tunnel import TunnelState
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.client_tls import ClientTls

UNREADABLE = b"\x16\x03\x01\x00\x08\x01\x00\x00\x04junk"


def begun(kind: type[ClientTLSLayer]) -> tuple[ClientTLSLayer, connection.Client]:
    """A layer whose client has sent a ClientHello that is none."""
    client = tflow.tclient_conn()
    client.state = connection.ConnectionState.OPEN
    around = context.Context(client, options.Options())
    ServerTLSLayer(around)
    made = kind(around)
    list(made.handle_event(events.Start()))
    sent = list(made.handle_event(events.DataReceived(client, UNREADABLE)))
    assert any(isinstance(each, tls.TlsFailedClientHook) for each in sent)
    return made, client


def failed(kind: type[ClientTLSLayer]) -> tuple[ClientTLSLayer, connection.Client]:
    """The same, once the hook about it is over: the connection is to be closed."""
    made, client = begun(kind)
    hook = made._paused.command if made._paused else None
    assert isinstance(hook, tls.TlsFailedClientHook)
    after = list(made.handle_event(events.HookCompleted(hook)))
    assert any(isinstance(each, commands.CloseConnection) for each in after)
    assert (made.tls, made.tunnel_state) == (None, TunnelState.CLOSED)
    return made, client


def test_more_bytes_after_a_failure_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing happens, and nothing is raised."""
    layer, client = failed(ClientTls)
    with caplog.at_level(logging.DEBUG):
        assert list(layer.handle_event(events.DataReceived(client, b"more"))) == []


def test_mitmproxys_own_layer_would_raise() -> None:
    """The reason for this class; when this fails it can go."""
    layer, client = failed(ClientTLSLayer)
    with pytest.raises(AttributeError, match="bio_write"):
        list(layer.handle_event(events.DataReceived(client, b"more")))
