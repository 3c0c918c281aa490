"""Our own trace format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace.event import BadRecordError, ResponseTiming, TraceFault
from proxy_addon.trace.jsonl import event_of, read
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source

REQUEST = {
    "at": 1793610000.0,
    "user": "ana",
    "method": "GET",
    "url": "https://x.com/home?a=1",
    "headers": {"sec-fetch-dest": "document"},
    "status": 200,
    "content_type": "text/html",
    "bytes": 51234,
    "duration": 0.35,
}
MESSAGE = {
    "at": 1793610003.1,
    "user": "ana",
    "kind": "websocket",
    "url": "wss://web.whatsapp.com/ws/chat",
    "direction": "client",
    "bytes": 310,
}
TUNNEL = {
    "at": 1793610010.0,
    "user": "bo",
    "kind": "tunnel",
    "host": "api-eu.tiktokv.com",
    "duration": 12.5,
    "bytes_up": 5100,
    "bytes_down": 801000,
}


def test_the_three_examples_of_the_format() -> None:
    """A request, a WebSocket message and a tunnel, as the format is written down."""
    request, message, tunnel = (event_of(r) for r in (REQUEST, MESSAGE, TUNNEL))
    assert (request.kind, request.host, request.path, request.query) == (
        "request",
        "x.com",
        "/home",
        "a=1",
    )
    assert (request.status, request.content_type, request.bytes, request.duration) == (
        200,
        "text/html",
        51234,
        0.35,
    )
    assert (message.kind, message.host, message.direction, message.bytes_up) == (
        "websocket",
        "web.whatsapp.com",
        "client",
        310,
    )
    assert (tunnel.kind, tunnel.host, tunnel.bytes, tunnel.bytes_up) == (
        "tunnel",
        "api-eu.tiktokv.com",
        801000,
        5100,
    )


def test_a_line_may_say_how_an_answer_or_a_tunnel_came() -> None:
    """What a flow dump knows fits into a line; what is left out is unknown."""
    course = {"head": 0.2, "told": 900, "passed": [[0.2, 400], [1.5, 500]]}
    expected = ResponseTiming(0.2, 900, ((0.2, 400), (1.5, 500)))
    assert event_of(REQUEST | {"course": course}).course == expected
    assert event_of(TUNNEL | {"course": {"passed": [[0, 7]]}}).course == (0.0, 0, ((0.0, 7),))
    assert event_of(REQUEST | {"course": {}}).course == ResponseTiming(0.0, 0)
    assert event_of(REQUEST).course is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": -5}, TraceFault.TIME),
        ({"at": float("nan")}, TraceFault.TIME),
        ({"at": 1e300}, TraceFault.TIME),
        ({"at": None}, TraceFault.MISSING),
        ({"at": "now"}, TraceFault.TYPE),
        ({"user": None}, TraceFault.MISSING),
        ({"user": 5}, TraceFault.TYPE),
        ({"url": None}, TraceFault.MISSING),
        ({"url": "home"}, TraceFault.URL),
        ({"bytes": -1}, TraceFault.SIZE),
        ({"bytes": 10**30}, TraceFault.SIZE),
        ({"duration": 700_000}, TraceFault.DURATION),
        ({"duration": float("inf")}, TraceFault.DURATION),
        ({"status": 2000}, TraceFault.STATUS),
        ({"headers": [1]}, TraceFault.TYPE),
        ({"kind": "smoke"}, TraceFault.KIND),
        ({"kind": ["request"]}, TraceFault.KIND),
        ({"kind": "websocket"}, TraceFault.KIND),
        ({"kind": "tunnel"}, TraceFault.MISSING),
        ({"course": [1.0]}, TraceFault.TYPE),
        ({"course": {"head": -1.0}}, TraceFault.DURATION),
        ({"course": {"told": -1}}, TraceFault.SIZE),
        ({"course": {"passed": {}}}, TraceFault.TYPE),
        ({"course": {"passed": [[1.0]]}}, TraceFault.TYPE),
        ({"course": {"passed": [[2.0, 5], [1.0, 5]]}}, TraceFault.TIME),
    ],
)
def test_a_wrong_field_has_its_reason(change: dict[str, Any], reason: TraceFault) -> None:
    """Each kind of nonsense is refused under its own name."""
    with pytest.raises(BadRecordError) as caught:
        event_of(REQUEST | change)
    assert caught.value.reason is reason


def test_bad_lines_are_counted_and_good_ones_read(tmp_path: Path) -> None:
    """Another encoding, broken JSON, a list and an endless nesting are problems of their line
    only."""
    good = json.dumps(REQUEST).encode()
    lines = [
        good,
        b"\xff\xfe{",
        b"{",
        b"[1]",
        b"[" * 100_000,
        b"",
        good.replace(b"ana", "ü".encode()),
        "é".encode("latin-1"),
    ]
    path, report = tmp_path / "a", ReadReport()
    path.write_bytes(b"\r\n".join(lines))
    assert [e.user for e in read(Source(path, report), None, report)] == ["ana", "ü"]
    assert [(p.number, p.reason) for p in report.first] == [
        (2, TraceFault.ENCODING),
        (3, TraceFault.SYNTAX),
        (4, TraceFault.TYPE),
        (5, TraceFault.SYNTAX),
        (8, TraceFault.ENCODING),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=100)
@given(
    st.sampled_from([REQUEST, MESSAGE, TUNNEL]),
    st.dictionaries(st.sampled_from([*REQUEST, "kind", "host", "course"]), JSON),
)
def test_any_json_is_an_event_or_a_bad_record(
    record: dict[str, Any], change: dict[str, Any]
) -> None:
    """No combination of values raises anything else."""
    try:
        event = event_of(record | change)
    except BadRecordError:
        return
    assert event.at > 0
    assert event.duration >= 0
    assert event.bytes >= 0
