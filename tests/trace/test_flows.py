"""mitmproxy flow dumps."""

from __future__ import annotations

from pathlib import Path

from mitmproxy import dns, flow, http, tcp
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from proxy_addon.trace.event import ResponseTiming, TraceEvent, TraceFault
from proxy_addon.trace.flows import events_of, read
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source

AT = 1793610000.0


def _http(url: str = "https://x.com/home?a=1", body: bytes | None = b"12345") -> http.HTTPFlow:
    made = tflow.tflow(resp=True)
    headers = [(b"Sec-Fetch-Dest", b"document"), (b"Cookie", b"secret")]
    made.request = http.Request.make("GET", url, headers=headers)
    made.request.timestamp_start = made.request.timestamp_end = AT
    assert made.response
    made.response = http.Response.make(200, body or b"", {"Content-Type": "Text/HTML"})
    made.response.timestamp_end = AT + 2.5
    return made


def _read(
    path: Path, flows: list[flow.Flow], cut: int | None = None
) -> tuple[list[TraceEvent], ReadReport]:
    with path.open("wb") as out:
        writer = FlowWriter(out)
        for each in flows:
            writer.add(each)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    report = ReadReport()
    return list(read(Source(path, report), None, report)), report


def test_a_request_comes_back_from_a_dump(tmp_path: Path) -> None:
    """Start, end, address, telling headers, sizes; the client's address names the person."""
    (event,), report = _read(tmp_path / "a", [_http()])
    assert (event.at, event.duration, event.host, event.path, event.query) == (
        AT,
        2.5,
        "x.com",
        "/home",
        "a=1",
    )
    assert (event.bytes, event.status, event.content_type) == (5, 200, "text/html")
    assert event.headers == {"sec-fetch-dest": "document"}
    assert event.user == "ip:127.0.0.1"
    assert not report.unreadable


def test_the_sign_in_names_the_person() -> None:
    """Before the option, which comes before the address."""
    signed_in = _http()
    signed_in.metadata["proxyauth"] = ("ana", "")
    assert events_of(signed_in, "bo")[0].user == "ana"
    assert events_of(_http(), "bo")[0].user == "bo"


def test_a_streamed_body_is_as_long_as_it_said() -> None:
    """Bodies that were passed on are not in the dump; the header is."""
    streamed = _http()
    assert streamed.response
    streamed.response.headers["content-length"] = "5000000"
    streamed.response.raw_content = None
    assert events_of(streamed)[0].bytes == 5_000_000


def test_what_the_proxy_noted_of_a_streamed_body_counts() -> None:
    """Without a Content-Length the notes say how much passed and when; the head said nothing of its
    size."""
    streamed = _http()
    assert streamed.response
    del streamed.response.headers["content-length"]
    streamed.response.raw_content = None
    streamed.response.timestamp_start = AT + 0.5
    streamed.metadata |= {"allowance_passed": [[AT + 1, 700], [AT + 2, 300]], "user": "ana"}
    event = events_of(streamed)[0]
    assert (event.user, event.bytes, event.course) == (
        "ana",
        1000,
        ResponseTiming(0.5, 0, ((1.0, 700), (2.0, 300))),
    )


def test_the_instants_that_the_proxy_noted_count() -> None:
    """In the order of its own clock a simulation decides as the proxy did."""
    noted = _http()
    noted.metadata["allowance_times"] = [AT + 0.2, AT + 0.7]
    event = events_of(noted)[0]
    assert event.course is not None
    assert (round(event.at - AT, 6), round(event.course.head, 6)) == (0.2, 0.5)


def test_noted_messages_come_before_those_that_were_kept(tmp_path: Path) -> None:
    """Our add-on keeps the last message only, and notes all of them; they survive the way through a
    file."""
    chat = tflow.twebsocketflow()
    assert chat.websocket
    chat.request.timestamp_start = AT
    chat.metadata["allowance_messages"] = [[AT + 5, 900, True], [AT + 6, 40, False]]
    events, report = _read(tmp_path / "a", [chat])
    assert [(e.at, e.kind, e.direction, e.bytes_up, e.bytes) for e in events[1:]] == [
        (AT + 5, "websocket", "client", 900, 0),
        (AT + 6, "websocket", "server", 0, 40),
    ]
    assert not report.unreadable


def test_a_noted_tunnel() -> None:
    """Of a metered tunnel the notes say what passed and when, in each of its stretches."""
    tunnel = tflow.ttcpflow()
    tunnel.server_conn.sni = "graph.facebook.com"
    tunnel.metadata["allowance_messages"] = [
        [AT, 5, True],
        [AT + 2, 1000, False],
        [AT + 60, 7, False],
    ]
    first, second = events_of(tunnel)
    assert (first.bytes, first.bytes_up, first.duration) == (1000, 5, 2.0)
    assert first.course == ResponseTiming(0.0, 0, ((0.0, 5), (2.0, 1000)))
    assert (second.at, second.bytes, second.duration) == (AT + 60, 7, 0.0)


def test_notes_that_are_nonsense_are_counted(tmp_path: Path) -> None:
    """A flow with broken notes is left out and named; the others are read."""
    broken = _http()
    broken.metadata["allowance_passed"] = [["soon", 7]]
    events, report = _read(tmp_path / "a", [broken, _http()])
    assert len(events) == 1
    assert [(p.number, p.reason) for p in report.first] == [(1, TraceFault.TYPE)]


def test_no_answer_is_status_zero() -> None:
    """A connection that failed is a request all the same."""
    failed = _http()
    failed.response = None
    assert (events_of(failed)[0].status, events_of(failed)[0].bytes) == (0, 0)


def test_websocket_messages_follow_their_handshake(tmp_path: Path) -> None:
    """One event a message, with direction and size."""
    chat = tflow.twebsocketflow()
    assert chat.websocket
    chat.request.timestamp_start = AT
    chat.websocket.messages = [
        WebSocketMessage(Opcode.TEXT, True, b"hello", AT + 5),
        WebSocketMessage(Opcode.TEXT, False, b"yo", AT + 6),
    ]
    events, _ = _read(tmp_path / "a", [chat])
    assert [(e.kind, e.direction, e.bytes_up, e.bytes) for e in events[1:]] == [
        ("websocket", "client", 5, 0),
        ("websocket", "server", 0, 2),
    ]


def test_a_tunnel_is_its_busy_stretches(tmp_path: Path) -> None:
    """An hour of silence between two stretches is not spread over."""
    tunnel = tflow.ttcpflow()
    tunnel.server_conn.sni = "graph.facebook.com"
    tunnel.messages = [
        tcp.TCPMessage(True, b"ab", AT),
        tcp.TCPMessage(False, b"x" * 1000, AT + 2),
        tcp.TCPMessage(False, b"y" * 10, AT + 3600),
    ]
    events, _ = _read(tmp_path / "a", [tunnel])
    assert [(e.kind, e.host, e.at, e.duration, e.bytes, e.bytes_up) for e in events] == [
        ("tunnel", "graph.facebook.com", AT, 2.0, 1000, 2),
        ("tunnel", "graph.facebook.com", AT + 3600, 0.0, 10, 0),
    ]


def test_name_look_ups_are_no_traffic() -> None:
    """DNS flows give nothing and are not a problem."""
    looked_up = tflow.tdnsflow()
    assert isinstance(looked_up, dns.DNSFlow)
    assert events_of(looked_up) == []


def test_a_truncated_dump_gives_what_came_before(tmp_path: Path) -> None:
    """The break is counted once, at its flow."""
    events, report = _read(tmp_path / "a", [_http(), _http()], cut=10)
    assert len(events) == 1
    assert [(p.number, p.reason) for p in report.first] == [(2, TraceFault.CUT_OFF)]


def test_a_flow_that_is_none_is_counted_and_passed(tmp_path: Path) -> None:
    """A sound frame with nonsense in it does not end the file; a length beyond all measure does."""
    path, report = tmp_path / "a", ReadReport()
    with path.open("wb") as out:
        out.write(b"14:4:type;4:what;}")
        FlowWriter(out).add(_http())
        out.write(b"999999999999:")
    assert len(list(read(Source(path, report), None, report))) == 1
    assert [(p.number, p.reason) for p in report.first] == [
        (1, TraceFault.SYNTAX),
        (3, TraceFault.CUT_OFF),
    ]
