"""`proxy_addon/proxy/addon.py`: each hook called by hand, with engines that work and engines that
raise."""

from __future__ import annotations

import pytest
from mitmproxy import http, tls
from mitmproxy.connection import Server
from mitmproxy.exceptions import AddonHalt
from mitmproxy.proxy import context, layer, server_hooks
from mitmproxy.proxy.layers import modes
from mitmproxy.test import taddons, tflow
from prometheus_client.exposition import generate_latest

from tests.proxy.harness import PAGE, ProxyHarness, breaks, connect, inside, request

LIMITED = "http://www.facebook.com/"
ME = "ip:127.0.0.1"
IMAGE = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}
FETCH = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Origin": "https://news.example"}


def reason(flow: http.HTTPFlow) -> str | None:
    """The code of our refusal."""
    return flow.response.headers.get("X-Allowance-Reason") if flow.response else None


async def ask(harness: ProxyHarness, flow: http.HTTPFlow) -> http.HTTPFlow:
    """The hook that decides."""
    await harness.addon.requestheaders(flow)
    return flow


async def test_whole_exchange(harness: ProxyHarness) -> None:
    """All hooks of an exchange as mitmproxy calls them: streamed, metered, forgotten; nothing
    private in it."""
    flow = request(LIMITED, headers=PAGE | {"Proxy-Authorization": "Basic ZG9yYTpzZWNyZXQ="})
    flow.response = None
    with taddons.context() as tctx:
        await tctx.master.addons.invoke_addon(
            harness.addon, server_hooks.ClientConnectedHook(flow.client_conn)
        )
        await ask(harness, flow)
        assert callable(flow.request.stream)
        assert flow.response is None
        flow.response = http.Response.make(200, b"", {"content-type": "text/html"})
        harness.addon.responseheaders(flow)
        assert callable(flow.response.stream)
        assert flow.response.stream(b"hello") == b"hello"
        harness.addon.response(flow)
    assert "Proxy-Authorization" not in flow.request.headers
    assert "secret" not in str(flow.metadata)
    assert harness.addon.connections.of(flow.client_conn).open == 0
    assert harness.addon.in_flight.flight(flow) is None
    assert [visit.platform for visit in harness.visits] == ["facebook"]


@pytest.mark.parametrize("already", ["response", "error", "dead"])
async def test_flows_of_others(harness: ProxyHarness, already: str) -> None:
    """What another add-on has answered, and what is broken or over, is left alone."""
    flow = request("http://www.tiktok.com/")
    if already == "response":
        flow.response = http.Response.make(204)
    elif already == "error":
        flow.error = tflow.terr()
    else:
        flow.live = False
    status = flow.response.status_code if flow.response else None
    await ask(harness, flow)
    assert (flow.response.status_code if flow.response else None) == status
    assert "allowance_open" not in flow.metadata


@pytest.mark.parametrize(
    ("on_failure", "passes"), [("allow", True), ("block", False), ("last-known", False)]
)
@pytest.mark.parametrize(
    "methods", [("ask",), ("limited",), ("person",), ("ask", "failure"), ("ask", "balance")]
)
async def test_engine_that_raises(
    tmp_path, on_failure: str, passes: bool, methods: tuple[str, ...]
) -> None:
    """Whatever part of the engine fails: nothing limited passes but by `on_failure: allow`, and it
    is counted."""
    harness = ProxyHarness(tmp_path, on_failure=on_failure)
    harness.break_engine(*methods)
    flow = await ask(harness, request(LIMITED, headers=PAGE))
    if "failure" in methods:
        passes = False  # who cannot even read the verdict is strict
    assert (flow.response is None) is passes
    if not passes:
        assert reason(flow) == "unavailable"
    assert harness.counted("errors_total", where="requestheaders") >= 1
    harness.close()


async def test_last_known_verdict(harness: ProxyHarness) -> None:
    """With `last-known`, who was allowed a moment ago goes on, and who was refused stays
    refused."""
    await ask(harness, request(LIMITED, headers=PAGE))
    await ask(harness, request("http://www.tiktok.com/", headers=PAGE))
    harness.break_engine()
    assert (await ask(harness, request(LIMITED, headers=PAGE))).response is None
    assert reason(await ask(harness, request("http://www.tiktok.com/", headers=PAGE))) == "blocked"
    assert reason(await ask(harness, request("http://x.com/", headers=PAGE))) == "unavailable"


async def test_failure_and_what_is_not_limited(harness: ProxyHarness) -> None:
    """A failure of the engine costs nobody a site that is not limited."""
    harness.break_engine()
    flow = await ask(harness, request("http://news.example/", headers=PAGE))
    assert (flow.response, flow.request.stream) == (None, True)


@pytest.mark.parametrize(
    ("on_failure", "passes"), [("allow", True), ("block", False), ("last-known", False)]
)
async def test_connect_with_an_engine_that_raises(tmp_path, on_failure: str, passes: bool) -> None:
    """CONNECT to a closed platform: the verdict of `on_failure`, counted; other tunnels are not
    touched."""
    harness = ProxyHarness(tmp_path, on_failure=on_failure)
    harness.break_engine()
    flow = connect("chatter.example:443")
    await harness.addon.http_connect(flow)
    assert (flow.response is None) is passes
    if not passes:
        assert (flow.response.status_code, reason(flow)) == (503, "unavailable")  # type: ignore[union-attr]
    assert harness.counted("errors_total", where="http_connect") == 1
    other = connect("news.example:443")
    await harness.addon.http_connect(other)
    assert other.response is None
    harness.close()


def tunnel(harness: ProxyHarness, data: bytes, hosts: tuple[str, ...]) -> layer.NextLayer:
    """The question what is inside a tunnel that begins with `data`."""
    client = tflow.tclient_conn()
    client.peername = ("127.0.0.1", 50000)
    client.timestamp_tls_setup, client.alpn = None, None
    conn = harness.addon.connections.of(client)
    conn.hosts, conn.cuttable = hosts, True
    with taddons.context() as tctx:
        ctx = context.Context(client, tctx.options)
    ctx.server = Server(address=("site", 443))
    asked = layer.NextLayer(ctx)
    asked.data_client = lambda: data  # type: ignore[method-assign]
    return asked


@pytest.mark.parametrize(
    ("on_failure", "passes"), [("allow", True), ("block", False), ("last-known", False)]
)
async def test_next_layer_with_an_engine_that_raises(
    tmp_path, on_failure: str, passes: bool
) -> None:
    """A tunnel about which nothing can be told is relayed or closed as `on_failure` says."""
    harness = ProxyHarness(tmp_path, on_failure=on_failure)
    harness.addon._tunnels._chooser._limited = breaks
    asked = tunnel(harness, b"\x00\x01\x02", ("news.example",))
    if passes:
        harness.addon.next_layer(asked)
    else:
        with pytest.raises(AddonHalt):
            harness.addon.next_layer(asked)
    assert (asked.layer is not None) is passes
    assert harness.counted("errors_total", where="next_layer") == 1
    harness.close()


async def test_next_layer_waits(harness: ProxyHarness) -> None:
    """While too few bytes are here, nobody else may choose either."""
    asked = tunnel(harness, b"\x16\x03", ("news.example",))
    with pytest.raises(AddonHalt):
        harness.addon.next_layer(asked)
    assert asked.layer is None
    asked.layer = layer.NextLayer(asked.context)
    harness.addon.next_layer(asked)  # what somebody has chosen stays


async def test_next_layer_is_not_ours_elsewhere(harness: ProxyHarness) -> None:
    """Under a mitmproxy that is not a forward proxy the choice is left to mitmproxy."""
    asked = tunnel(harness, b"GET / HTTP/1.1\r\n", ())
    harness.addon.connections.of(asked.context.client).cuttable = False
    asked.context.layers.append(modes.TransparentProxy(asked.context))
    harness.addon.next_layer(asked)
    assert asked.layer is None


@pytest.mark.parametrize(
    ("hook", "part"),
    [
        ("responseheaders", "answered"),
        ("websocket_start", "upgraded"),
        ("websocket_message", "message"),
        ("response", "closed"),
        ("error", "closed"),
        ("websocket_end", "closed"),
    ],
)
async def test_metering_that_raises(harness: ProxyHarness, hook: str, part: str) -> None:
    """Once something was let through, a failure of the meter is counted and breaks nothing."""
    flow = tflow.twebsocketflow()
    flow.websocket.messages[:] = flow.websocket.messages[:3]
    flow.client_conn.peername = ("127.0.0.1", 1)
    limited = request(LIMITED, headers=PAGE)
    flow.request = limited.request
    socket, flow.websocket, flow.response, flow.live = flow.websocket, None, None, True
    await ask(harness, flow)
    assert harness.addon.in_flight.flight(flow) is not None
    flow.response = http.Response.make(200)
    if hook.startswith("websocket"):
        flow.websocket = socket
    setattr(harness.enforcer, part, breaks)
    getattr(harness.addon, hook)(flow)
    where = "over" if part == "closed" else hook
    assert harness.counted("errors_total", where=where) == 1


async def test_body_meter_that_raises(harness: ProxyHarness) -> None:
    """A chunk passes even when it cannot be counted: mitmproxy would leave the client hanging."""
    flow = await ask(harness, request(LIMITED, headers=PAGE))
    flow.response = http.Response.make(200)
    harness.addon.responseheaders(flow)
    harness.enforcer.body = breaks  # type: ignore[method-assign]
    assert flow.response.stream(b"chunk") == b"chunk"  # type: ignore[operator]
    assert harness.counted("errors_total", where="body") == 1


def test_client_networks(harness: ProxyHarness, capsys: pytest.CaptureFixture[str]) -> None:
    """Clients of other networks are refused; each address is logged once; a failing check refuses,
    too."""
    for _ in range(3):
        client = tflow.tclient_conn()
        client.peername = ("203.0.113.9", 1)
        harness.addon.client_connected(client)
        assert client.error
    assert capsys.readouterr().out.count("client refused") == 1
    harness.services.clients.client_allowed = breaks  # type: ignore[method-assign]
    client = tflow.tclient_conn()
    harness.addon.client_connected(client)
    assert client.error
    assert harness.counted("errors_total", where="client_connected") == 1


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (("127.0.0.1", 80), True),
        (("::1", 80), True),
        (("169.254.169.254", 80), True),
        (("news.example", 80), False),
    ],
)
def test_server_connect(harness: ProxyHarness, address: tuple[str, int], refused: bool) -> None:
    """The last guard before a connection: numeric addresses never pass the resolver."""
    server = Server(address=address)
    harness.addon.server_connect(
        server_hooks.ServerConnectionHookData(server, tflow.tclient_conn())
    )
    assert bool(server.error) is refused
    harness.services.targets.check_host = breaks  # type: ignore[method-assign]
    server = Server(address=("news.example", 80))
    harness.addon.server_connect(
        server_hooks.ServerConnectionHookData(server, tflow.tclient_conn())
    )
    assert server.error
    assert harness.counted("errors_total", where="server_connect") == 1


async def test_nothing_is_retained(harness: ProxyHarness) -> None:
    """Of WebSocket and TCP messages only the last one is kept, limited or not, and when counting
    fails."""
    for target in (LIMITED, "http://news.example/"):
        flow = tflow.twebsocketflow()
        flow.request = request(target).request
        harness.addon.websocket_message(flow)
        assert len(flow.websocket.messages) == 1
    stream = tflow.ttcpflow()
    stream.messages *= 5
    harness.addon.tcp_message(stream)
    assert len(stream.messages) == 1
    asked = connect("chatter.example:443")
    await harness.addon.http_connect(asked)
    stream = tflow.ttcpflow(client_conn=asked.client_conn)
    stream.messages *= 5
    harness.enforcer.tunnel_bytes = breaks  # type: ignore[method-assign]
    harness.addon.tcp_message(stream)
    assert len(stream.messages) == 1
    assert harness.counted("errors_total", where="tcp_message") == 1


async def test_upgrade_to_something_else(harness: ProxyHarness) -> None:
    """A site that switches to a protocol that we cannot meter is cut off; Upgrade is not even asked
    for."""
    flow = request(LIMITED, headers=PAGE | {"Upgrade": "spdy", "Connection": "Upgrade"})
    await ask(harness, flow)
    assert "Upgrade" not in flow.request.headers
    flow.response = http.Response.make(101)
    harness.addon.response(flow)
    assert flow.error is not None
    assert harness.addon.in_flight.flight(flow) is None


async def test_page_hook(harness: ProxyHarness) -> None:
    """The page is served in `request`, and nobody can name another person by a header or in the
    query."""
    headers = {"X-Forwarded-User": "dora", "X-Allowance-Person": "dora"}
    flow = request("http://allowance.internal/me.json?user=dora", headers=headers)
    flow.response = None
    with taddons.context():
        await ask(harness, flow)
        await harness.addon.request(flow)
    assert flow.response is not None
    assert flow.response.json()["user"] == ME
    harness.services.enforcer.known = breaks  # type: ignore[method-assign]
    again = request("http://allowance.internal/me.json")
    again.response = None
    with taddons.context():
        await ask(harness, again)
        await harness.addon.request(again)
    assert again.response is not None
    assert again.response.status_code == 500


async def test_page_with_an_engine_that_raises(harness: ProxyHarness) -> None:
    """The page fails with our own words."""
    harness.break_engine("person")
    flow = await ask(harness, request("http://allowance.internal/"))
    assert flow.response is not None
    assert (flow.response.status_code, reason(flow)) == (503, "unavailable")


async def test_tunnelled_requests_belong_to_who_connected(harness: ProxyHarness) -> None:
    """Inside a tunnel it is CONNECT that tells who asks; a header in the tunnel counts for
    nothing."""
    outer = connect("www.facebook.com:443", address="127.0.3.1")
    await harness.addon.http_connect(outer)
    flow = await ask(
        harness, inside(outer, "https://www.facebook.com/", PAGE | {"X-Forwarded-User": "eve"})
    )
    flight = harness.addon.in_flight.flight(flow)
    assert flight is not None
    assert flight.person.name == "dora"
    assert "X-Forwarded-User" not in flow.request.headers


@pytest.mark.parametrize(
    ("headers", "kind", "empty"),
    [(PAGE, "text/html", False), (FETCH, "application/problem+json", False), (IMAGE, None, True)],
)
async def test_answers_by_kind(
    harness: ProxyHarness, headers: dict[str, str], kind: str | None, empty: bool
) -> None:
    """A page for a document, a problem for a script, nothing for an image: 403 with its reason each
    time."""
    flow = await ask(harness, request("http://www.tiktok.com/x", headers=headers))
    assert flow.response is not None
    assert (flow.response.status_code, reason(flow)) == (403, "blocked")
    assert flow.response.headers["Cache-Control"] == "no-store"
    assert (kind is None) or flow.response.headers["Content-Type"].startswith(kind)
    assert (flow.response.content == b"") is empty


def test_certificate_not_accepted(
    harness: ProxyHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client that rejects our certificate is counted each time and logged once for each
    platform."""
    for _ in range(3):
        client = tflow.tclient_conn()
        client.peername = ("127.0.0.1", 1)
        harness.addon.connections.of(client).hosts = ("www.facebook.com",)
        with taddons.context() as tctx:
            data = tls.TlsData(client, context.Context(client, tctx.options))
        harness.addon.tls_failed_client(data)
    assert harness.counted("tls_failed_total", platform="facebook") == 3
    assert capsys.readouterr().out.count("does not accept our certificate") == 1


async def test_no_person_in_metrics(harness: ProxyHarness) -> None:
    """After all kinds of requests by people with names, no name is in any label."""
    for address in ("127.0.3.1", "127.0.0.1"):
        for host in ("www.facebook.com", "www.tiktok.com", "news.example"):
            flow = await ask(harness, request(f"http://{host}/", headers=PAGE, address=address))
            harness.addon.error(flow)
    text = generate_latest(harness.metrics.registry).decode()
    assert 'platform="facebook"' in text
    for name in ("dora", "127.0", "ip:"):
        assert name not in text
