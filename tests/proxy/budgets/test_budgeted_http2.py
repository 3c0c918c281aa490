"""`proxy_addon/proxy/budgets/budgeted_http2.py`, in real proxies: floods over HTTP/2."""

from __future__ import annotations

from itertools import islice
from types import SimpleNamespace

import pytest
from h2.errors import ErrorCodes
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events
from mitmproxy.test import taddons, tflow

from proxy_addon.proxy.budgets.shares import Budgets
from proxy_addon.proxy.layers.http2_site import Http2SiteSide
from tests.e2e.client import fresh_address
from tests.proxy.budgets import floods
from tests.proxy.harness import Serving

HOST = "www.facebook.com"
MOST = 20_000


def flood(proxy: Serving, how: floods.Flood, source: str, most: int = MOST) -> floods.Ending:
    """What becomes of a connection that floods."""
    status, tunnel = proxy.client.tunnel(HOST, source=source)
    assert status == 200
    connection = proxy.client.tls(tunnel, HOST, alpn=["h2"])
    return floods.send(connection, how(HOST), most)


def refused(proxy: Serving, budget: str) -> float:
    """How often this was refused."""
    return proxy.harness.counted("refused_total", budget=budget)


@pytest.mark.parametrize(
    ("how", "budget"), floods.COUNTED.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_flood_is_ended(proxy: Serving, how: floods.Flood, budget: str) -> None:
    """It gets GOAWAY and is counted; its person gets 429 for a while, and nobody else notices."""
    source, other = fresh_address(), fresh_address()
    ending = flood(proxy, how, source)
    assert ending.closed and ending.code == ErrorCodes.ENHANCE_YOUR_CALM
    assert refused(proxy, budget) == 1
    status, tunnel = proxy.client.tunnel(HOST, source=source)
    assert status == 429
    assert b"try again" in tunnel.recv(1000)
    assert proxy.client.tunnel("news.example", source=source)[0] == 200
    assert proxy.client.open(f"https://{HOST}/", source=other, http2=True).status == 200
    assert refused(proxy, "flooded") == 1
    assert proxy.harness.counted("errors_total", where="layer") == 0


@pytest.mark.parametrize("how", [floods.rapid_reset, floods.made_resets])
def test_what_is_taken_back_at_once_is_not_asked(proxy: Serving, how: floods.Flood) -> None:
    """Hardly any of the streams that end as soon as they are opened reaches the site: those that
    the network has cut in two."""
    before = len(proxy.origins.record.to(HOST))
    assert flood(proxy, how, fresh_address()).sent >= 300
    assert len(proxy.origins.record.to(HOST)) - before < 30


@pytest.mark.parametrize("how", [floods.continuations, floods.header_bomb])
def test_heads_without_end(proxy: Serving, how: floods.Flood) -> None:
    """A head that does not end, or that becomes a thousand times as long when it is read, ends the
    connection."""
    ending = flood(proxy, how, fresh_address())
    assert ending.closed
    assert ending.code in (ErrorCodes.PROTOCOL_ERROR, ErrorCodes.ENHANCE_YOUR_CALM)


def test_no_more_than_a_hundred_streams(proxy: Serving) -> None:
    """A client that opens streams without end, and reads no answers, is ended."""
    ending = flood(proxy, floods.requests, fresh_address())
    assert ending.closed
    assert ending.code == ErrorCodes.PROTOCOL_ERROR


def test_ordinary_use_is_not_a_flood(proxy: Serving) -> None:
    """Two hundred streams that were reset, as a browser does when somebody leaves a page twice, and
    two thousand pings are answered, and the connection goes on."""
    source = fresh_address()
    for how, most in ((floods.rapid_reset, 200), (floods.pings, 2000)):
        status, tunnel = proxy.client.tunnel(HOST, source=source)
        assert status == 200
        connection = proxy.client.tls(tunnel, HOST, alpn=["h2"])
        connection.settimeout(60)
        pieces = how(HOST)
        connection.sendall(floods.PREFACE + floods.SettingsFrame(0).serialize())
        connection.sendall(b"".join(next(pieces) for _ in range(most)))
        last = floods.PingFrame(0, b"lastping").serialize()
        connection.sendall(last)
        received = b""
        while b"lastping" not in received:
            data = connection.recv(65_536)
            assert data, floods.code_of(received)
            received += data
        connection.close()
    assert refused(proxy, "resets") == refused(proxy, "frames") == 0


@pytest.mark.parametrize(
    "how", [floods.pings, floods.settings, floods.unknown, floods.window_updates]
)
def test_a_site_that_floods(how: floods.Flood) -> None:
    """Its connection ends with GOAWAY; what was asked of it has failed, and its visitor is not
    refused anything."""
    client, now = tflow.tclient_conn(), 1000.0
    counted: list[str] = []
    office = Budgets(SimpleNamespace(refused=counted.append), lambda: now)
    office.connected(client)
    office.belongs(client, "ana")
    with taddons.context(Proxyserver()) as options:
        ctx = context.Context(client, options.options)
    ctx.server = tflow.tserver_conn()
    site = Http2SiteSide(ctx)
    commanded = list(site.handle_event(events.Start()))
    pieces = islice(how(HOST), 1, 5000)
    flood = floods.SettingsFrame(0).serialize() + b"".join(pieces)
    commanded += site.handle_event(events.DataReceived(ctx.server, flood))
    for _ in range(1000):
        turns = [each for each in commanded if isinstance(each, commands.RequestWakeup)]
        if not turns:
            break
        commanded = [each for each in commanded if each not in turns]
        commanded += site.handle_event(events.Wakeup(turns[-1]))
    sent = b"".join(each.data for each in commanded if isinstance(each, commands.SendData))
    assert floods.code_of(sent.removeprefix(floods.PREFACE)) == ErrorCodes.ENHANCE_YOUR_CALM
    assert any(isinstance(each, commands.CloseConnection) for each in commanded)
    assert counted == ["frames"] and not office.refused(client)
