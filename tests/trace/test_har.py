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
        ({"startedDateTime": "1965-01-01T00:00:00Z"}, TraceFault.TIME),
        ({"startedDateTime": None}, TraceFault.MISSING),
        ({"startedDateTime": 5}, TraceFault.TYPE),
        ({"request": None}, TraceFault.MISSING),
        ({"request": {"method": "GET"}}, TraceFault.MISSING),
        ({"request": {"url": 3}}, TraceFault.TYPE),
        ({"request": {"url": "nowhere"}}, TraceFault.URL),
    ],
)
def test_without_address_or_time_there_is_no_event(
    change: dict[str, Any], reason: TraceFault
) -> None:
    """What was asked for, and when, is all that an entry needs."""
    with pytest.raises(BadRecordError) as caught:
        events_of(ENTRY | change)
    assert caught.value.reason is reason


def _answer(**fields: Any) -> dict[str, Any]:
    return {"response": ENTRY["response"] | fields}


def _asked(**fields: Any) -> dict[str, Any]:
    return {"request": ENTRY["request"] | fields}


NAMED = {"name": "Sec-Fetch-Dest", "value": "empty"}


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        ({"time": 1e12}, ["a duration"]),
        ({"time": "long"}, ["a duration"]),
        ({"time": -0.5}, ["a duration"]),
        ({"time": float("nan")}, ["a duration"]),
        ({"time": None}, []),
        ({"time": "1250.5"}, []),
        ({"response": []}, ["a response"]),
        ({"response": None}, []),
        (_answer(status=-1), []),
        (_answer(status="200"), []),
        (_answer(status=[200]), ["a status"]),
        (_answer(status=True), ["a status"]),
        (_answer(status=10**400), ["a status"]),
        (_answer(content=7), ["a content"]),
        (_answer(content={"size": -9, "mimeType": 4}), ["a type"]),
        (_answer(_transferSize=-9), ["a size"]),
        (_asked(bodySize=-342), ["a size"]),
        (_asked(bodySize={}), ["a size"]),
        (_asked(method=None), []),
        (_asked(headers=None), []),
        (_asked(headers={"Sec-Fetch-Dest": "empty"}), []),
        (_asked(headers="none"), ["headers"]),
        (_asked(headers=[3, NAMED]), ["a header"]),
        (_asked(headers=[{"value": "x"}, NAMED]), ["a header"]),
        (_asked(headers=[{"name": "Referer", "value": None}, NAMED]), ["a header"]),
        (_asked(headers=[{"name": 404, "value": "x"}, NAMED]), ["a header"]),
        ({"_webSocketMessages": 5}, ["messages"]),
        ({"_webSocketMessages": [{"type": "error"}, 5, {}]}, ["a WebSocket message"] * 3),
        ({"_webSocketMessages": [{"type": "send", "time": "x"}]}, ["a WebSocket message"]),
        ({"connection": 443}, []),
    ],
)
def test_an_odd_part_never_costs_the_record(change: dict[str, Any], left_out: list[str]) -> None:
    """It is left out and counted, and all the rest is used."""
    told: list[str] = []
    (event,) = events_of(ENTRY | change, None, told.append)
    assert told == left_out
    assert (event.host, event.at) == ("www.linkedin.com", 1793606400.5)
    assert 0 <= event.duration <= 1.2505
    assert event.status in (0, 200)
    if change.get("request", ENTRY["request"]).get("headers", "none") not in (None, "none"):
        assert event.headers == {"sec-fetch-dest": "empty"}


def test_messages_around_an_odd_one_are_used() -> None:
    """Chrome writes errors of a socket among its messages."""
    message = {"type": "send", "time": 1793606401.0, "opcode": 1, "data": "hello"}
    told: list[str] = []
    messages = [message, {"type": "error", "time": 1793606402.0}, message]
    found = events_of(ENTRY | {"_webSocketMessages": messages}, "ana", told.append)
    assert [event.kind for event in found] == ["request", "websocket", "websocket"]
    assert told == ["a WebSocket message"]


def test_a_page_of_which_no_headers_are_kept_is_a_page() -> None:
    """Some exporters leave headers out; the type of the answer says what it was."""
    asked = ENTRY["request"] | {"method": "GET", "headers": []}
    page = _answer(content={"size": 900, "mimeType": "text/html"})
    (event,) = events_of(ENTRY | {"request": asked} | page)
    assert event.headers == {"accept": "text/html"}


@pytest.mark.parametrize("wrapped", ["onInputData(%s);", "var har = %s;", "\n\n%s\n", "%s"])
def test_what_is_wrapped_in_a_program_is_read(tmp_path: Path, wrapped: str) -> None:
    """JSONP, as viewers of HAR files write it."""
    path = tmp_path / "a.har"
    path.write_text(wrapped % _har([ENTRY]))
    events, report = _read(path, "bo")
    assert len(events) == 1
    assert not report.unreadable


def test_a_file_of_many_entries(tmp_path: Path) -> None:
    """Pages with misleading titles do not confuse the walk; a bad entry is counted by its
    number."""
    path = tmp_path / "a.har"
    path.write_text(_har([ENTRY, {"request": 1}, ENTRY], comment="x"))
    events, report = _read(path, "bo")
    assert [e.user for e in events] == ["bo", "bo"]
    assert [(p.number, p.reason) for p in report.first] == [(2, TraceFault.MISSING)]


def test_a_truncated_file_gives_what_came_before(tmp_path: Path) -> None:
    """The break is named with the entry in which it is."""
    path = tmp_path / "a.har"
    text = _har([ENTRY] * 5)
    path.write_text(text[: int(len(text) * 0.7)])
    events, report = _read(path)
    assert len(events) == 3
    assert report.first[0].number == 4
    assert report.first[0].reason is TraceFault.SYNTAX
