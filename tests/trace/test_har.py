"""HAR 1.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proxy_addon.trace.event import BadRecordError, TraceFault
from proxy_addon.trace.har import events_of, read
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source

ENTRY: dict[str, Any] = {
    "pageref": "page_1",
    "startedDateTime": "2026-11-02T09:00:00.500+01:00",
    "time": 1250.5,
    "request": {
        "method": "POST",
        "url": "https://www.linkedin.com/voyager/api/graphql?q=1",
        "headers": [{"name": "Sec-Fetch-Dest", "value": "empty"}, {"name": ":path", "value": "/"}],
        "bodySize": 120,
    },
    "response": {
        "status": 200,
        "bodySize": -1,
        "_transferSize": 4321,
        "content": {"size": 9000, "mimeType": "application/json; charset=utf-8"},
    },
}


def _har(entries: list[Any], **log: Any) -> str:
    return json.dumps(
        {"log": {"version": "1.2", "pages": [{"title": '"entries": ['}], **log, "entries": entries}}
    )


def _read(path: Path, user: str | None = None) -> tuple[list[Any], ReadReport]:
    report = ReadReport()
    return list(read(Source(path, report), user, report)), report


def test_an_entry_is_a_request() -> None:
    """Time with its zone, milliseconds, wire size before content size, headers by name."""
    (event,) = events_of(ENTRY, "ana")
    assert (event.at, event.duration, event.bytes, event.bytes_up) == (
        1793606400.5,
        1.2505,
        4321,
        120,
    )
    assert (event.user, event.method, event.host, event.path) == (
        "ana",
        "POST",
        "www.linkedin.com",
        "/voyager/api/graphql",
    )
    assert event.headers == {"sec-fetch-dest": "empty"}
    assert event.content_type == "application/json; charset=utf-8"


def test_unknown_sizes_fall_back_to_the_content() -> None:
    """-1 means not known."""
    response = ENTRY["response"] | {"_transferSize": -1}
    (event,) = events_of(ENTRY | {"response": response, "time": -1})
    assert (event.bytes, event.duration, event.user) == (9000, 0.0, "har")


def test_websocket_messages_follow_their_handshake() -> None:
    """Each message is an event of its own at its own time; the handshake does not last as long as
    they do."""
    messages = [
        {"type": "send", "time": 1793606401.0, "opcode": 1, "data": "hällo"},
        {"type": "receive", "time": 1793606402.0, "opcode": 1, "data": "ok"},
    ]
    handshake, sent, received = events_of(ENTRY | {"_webSocketMessages": messages})
    assert handshake.duration == 0.0
    assert (sent.kind, sent.direction, sent.bytes_up, sent.at) == (
        "websocket",
        "client",
        6,
        1793606401.0,
    )
    assert (received.direction, received.bytes) == ("server", 2)


@pytest.mark.parametrize(
    "change",
    [{"_fromCache": "memory"}, {"request": ENTRY["request"] | {"url": "data:image/png;base64,x"}}],
)
def test_what_never_went_out_is_skipped(change: dict[str, Any]) -> None:
    """The browser's cache and data URLs are not traffic."""
    assert events_of(ENTRY | change) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"startedDateTime": "soon"}, TraceFault.TIME),
        ({"startedDateTime": None}, TraceFault.TIME),
        ({"time": 1e12}, TraceFault.DURATION),
        ({"time": "long"}, TraceFault.TYPE),
        ({"request": None}, TraceFault.MISSING),
        ({"response": []}, TraceFault.TYPE),
        ({"_webSocketMessages": [{"type": "ping"}]}, TraceFault.KIND),
        ({"request": ENTRY["request"] | {"headers": [3]}}, TraceFault.TYPE),
    ],
)
def test_a_wrong_entry_has_its_reason(change: dict[str, Any], reason: TraceFault) -> None:
    """Entries are judged one by one."""
    with pytest.raises(BadRecordError) as caught:
        events_of(ENTRY | change)
    assert caught.value.reason is reason


def test_a_file_of_many_entries(tmp_path: Path) -> None:
    """Pages with misleading titles do not confuse the walk; a bad entry is counted by its
    number."""
    path = tmp_path / "a.har"
    path.write_text(_har([ENTRY, {"request": 1}, ENTRY], comment="x"))
    events, report = _read(path, "bo")
    assert [e.user for e in events] == ["bo", "bo"]
    assert [(p.number, p.reason) for p in report.first] == [(2, TraceFault.TYPE)]


def test_a_truncated_file_gives_what_came_before(tmp_path: Path) -> None:
    """The break is named with the entry in which it is."""
    path = tmp_path / "a.har"
    text = _har([ENTRY] * 5)
    path.write_text(text[: int(len(text) * 0.7)])
    events, report = _read(path)
    assert len(events) == 3
    assert report.first[0].number == 4
    assert report.first[0].reason is TraceFault.SYNTAX
