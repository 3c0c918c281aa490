"""`proxy_addon/proxy/recording.py`: what a flow dump is given to say, and that simulating it
charges the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http, tcp
from mitmproxy.addons.save import Save
from mitmproxy.io import FlowReader
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from proxy_addon.proxy.recording import Recording
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.reader import open_traces
from tests.proxy.harness import NOON, PAGE, ProxyHarness, connect, request

FILM = "http://x.com/film"


@pytest.fixture
def recorder(harness: ProxyHarness, tmp_path: Path) -> Iterator[Recording]:
    """A recording that is on."""
    recording = Recording(harness.addon)
    save = Save()
    with taddons.context(save) as tctx:
        tctx.options.update(save_stream_file=str(tmp_path / "dump"))
        recording.configure({"save_stream_file"})
        yield recording
        save.done()


async def answered(
    harness: ProxyHarness, recorder: Recording, url: str, kind: str
) -> http.HTTPFlow:
    """A flow whose answer's head has come, without a length."""
    flow = request(url, headers=PAGE)
    flow.request.timestamp_start = harness.clock.now()
    await harness.addon.requestheaders(flow)
    flow.response = http.Response.make(200, b"", {"Content-Type": kind})
    del flow.response.headers["content-length"]
    flow.response.timestamp_start = harness.clock.now()
    harness.addon.responseheaders(flow)
    recorder.responseheaders(flow)
    return flow


def over(harness: ProxyHarness, flow: http.HTTPFlow) -> None:
    """The whole answer has come; nothing of it is kept."""
    assert flow.response is not None
    flow.response.raw_content = None
    flow.response.timestamp_end = harness.clock.now()
    harness.addon.response(flow)


async def test_a_body_in_seconds(harness: ProxyHarness, recorder: Recording) -> None:
    """Bytes are noted about once a second with their instant, and handed on as they are."""
    flow = await answered(harness, recorder, FILM, "video/mp4")
    assert flow.response is not None
    feed: Any = flow.response.stream
    for _ in range(10):
        harness.clock.advance(0.4)
        assert feed(b"abc") == b"abc"
    assert feed(b"") == b""
    noted = [(round(at - NOON, 1), size) for at, size in flow.metadata["allowance_passed"]]
    assert noted == [(1.2, 9), (2.4, 9), (3.6, 9), (4.0, 3)]
    assert flow.metadata["user"] == "ip:127.0.0.1"


async def test_messages(harness: ProxyHarness, recorder: Recording) -> None:
    """When, how long, from whom; the content is not kept."""
    flow = await answered(harness, recorder, "http://x.com/live", "text/plain")
    flow.websocket = tflow.twebsocketflow().websocket
    assert flow.websocket is not None
    for text, from_client in ((b"hello", True), (b"yo", False)):
        flow.websocket.messages.append(WebSocketMessage(Opcode.TEXT, from_client, text, NOON))
        harness.addon.websocket_message(flow)
        recorder.websocket_message(flow)
        harness.clock.advance(1)
    assert flow.metadata["allowance_messages"] == [[NOON, 5, True], [NOON + 1, 2, False]]
    assert len(flow.websocket.messages) == 1


async def test_a_tunnel(harness: ProxyHarness, recorder: Recording) -> None:
    """What follows at once in the same direction is one entry."""
    asked = connect("chatter.example:443")
    await harness.addon.http_connect(asked)
    harness.addon.connections.of(asked.client_conn).hosts = ("chatter.example",)
    stream = tflow.ttcpflow(client_conn=asked.client_conn)
    for size, from_client, later in (
        (10, True, 0.0),
        (500, False, 0.2),
        (500, False, 0.3),
        (500, False, 2.0),
    ):
        harness.clock.advance(later)
        stream.messages.append(tcp.TCPMessage(from_client, bytes(size)))
        recorder.tcp_message(stream)
    noted = [
        (round(at - NOON, 1), size, up) for at, size, up in stream.metadata["allowance_messages"]
    ]
    assert noted == [(0.0, 10, True), (0.2, 1000, False), (2.5, 500, False)]


async def test_nothing_without_a_dump(harness: ProxyHarness) -> None:
    """Where nobody writes a dump nothing is noted."""
    recording = Recording(harness.addon)
    with taddons.context(Save()):
        recording.configure(set())
    flow = await answered(harness, recording, FILM, "video/mp4")
    flow.websocket = tflow.twebsocketflow().websocket
    recording.websocket_message(flow)
    stream = tflow.ttcpflow()
    recording.tcp_message(stream)
    assert not flow.metadata.keys() & {"allowance_passed", "allowance_messages", "user"}
    assert not stream.metadata


async def test_who_was_refused_is_named(harness: ProxyHarness, recorder: Recording) -> None:
    """A block page belongs to a person as well: the name is that of the connection."""
    outer = connect("www.tiktok.com:443", address="127.0.3.1")
    await harness.addon.http_connect(outer)
    flow = request("https://www.tiktok.com/", headers=PAGE)
    flow.client_conn = outer.client_conn
    await harness.addon.requestheaders(flow)
    recorder.responseheaders(flow)
    assert flow.response is not None
    assert flow.metadata["user"] == "dora"
    assert "allowance_passed" not in flow.metadata


async def test_simulating_the_dump_charges_the_same(
    harness: ProxyHarness, recorder: Recording, tmp_path: Path
) -> None:
    """A page, and a film that stalls in its middle and says no length: the file tells what the
    proxy saw."""
    save = Save()
    with taddons.context(save) as tctx:
        tctx.configure(save, save_stream_file=str(tmp_path / "film.flows"))
        page = await answered(harness, recorder, "http://x.com/", "text/html")
        over(harness, page)
        save.response(page)
        harness.clock.advance(5)
        film = await answered(harness, recorder, FILM, "video/mp4")
        assert film.response is not None
        feed: Any = film.response.stream
        for wait in [*[0.5] * 60, 400.0, *[0.5] * 60]:
            harness.clock.advance(wait)
            feed(bytes(50_000))
        over(harness, film)
        save.response(film)
        save.done()
    with (tmp_path / "film.flows").open("rb") as file:
        assert len(list(FlowReader(file).stream())) == 2
    simulated = simulate_events(harness.rules, open_traces([tmp_path / "film.flows"]))
    harness.clock.advance(60)  # the tail is over
    mine = harness.enforcer.balance(
        harness.enforcer.person("ip:127.0.0.1", None, NOON), "short", harness.clock.now()
    ).spent
    spent = simulated.to_json(harness.rules.zone)["users"]["ip:127.0.0.1"]["allowances"]["short"][
        "spent"
    ]
    assert mine == pytest.approx(spent, abs=0.1)
    assert 60 < mine < 90
