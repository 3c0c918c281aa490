"""The small form of a flow dump."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from proxy_addon.core.types import Interval
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.event import NO_HEADERS, ResponseTiming, TraceEvent
from proxy_addon.trace.jsonl import event_of
from tests.real_sessions import small_form
from tests.real_sessions.recorded_session import RULES, rules

AT = 1_795_917_697.988756
COURSE = ResponseTiming(0.123457, 0, ((0.2, 4_000), (1.25, 900_000)))
ANSWER = TraceEvent(
    AT,
    "ana",
    "request",
    "GET",
    "https",
    "film.test",
    "/a.ts",
    "part=1",
    {"sec-fetch-dest": "empty", "referer": "https://film.test/"},
    200,
    "video/mp2t",
    904_000,
    12,
    1.25,
    course=COURSE,
)
EVENTS = [
    ANSWER,
    ANSWER._replace(course=None, query="", headers=NO_HEADERS, status=0, bytes=0, content_type=""),
    TraceEvent(
        AT + 1,
        "ana",
        "websocket",
        "",
        "https",
        "chat.test",
        "/socket",
        bytes_up=310,
        direction="client",
    ),
    TraceEvent(
        AT + 2, "ana", "websocket", "", "https", "chat.test", "/socket", bytes=9, direction="server"
    ),
    TraceEvent(
        AT + 3,
        "ana",
        "tunnel",
        "CONNECT",
        "",
        "film.test",
        "",
        bytes=90_000,
        bytes_up=5,
        duration=8.0,
        course=ResponseTiming(0.0, 0, ((0.0, 5), (8.0, 90_000))),
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_is_read_as_it_was_written(event: TraceEvent) -> None:
    """Nothing that the meter sees is lost: every field comes back."""
    assert event_of(json.loads(json.dumps(small_form.record_of(event)))) == event


def test_others_and_other_hosts_are_left_out(tmp_path: Path) -> None:
    """What the browser asks its maker for, and who is not of the session, are not kept."""
    target = tmp_path / "a.jsonl.gz"
    others = [ANSWER._replace(user="ip:127.0.3.1"), ANSWER._replace(host="update.example.com")]
    assert small_form.write([*others, *EVENTS], ["ana"], target) == len(EVENTS)
    lines = gzip.decompress(target.read_bytes()).decode().splitlines()
    assert [event_of(json.loads(line)) for line in lines] == EVENTS


def test_the_same_events_make_the_same_file(tmp_path: Path) -> None:
    """No clock is in it, so that a session that is written again is no change."""
    for name in ("a", "b"):
        small_form.write(EVENTS, ["ana"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_meter_judges_both_alike() -> None:
    """A stream that comes in two gulps is charged by its course, not as if it came evenly."""
    read = [event_of(json.loads(json.dumps(small_form.record_of(event)))) for event in EVENTS]
    before, after = simulate_events(rules(), EVENTS), simulate_events(rules(), read)
    spans = before.users["ana"].by_allowance()
    assert spans == after.users["ana"].by_allowance()
    assert isinstance(spans["daily"][0], Interval)


def test_rules_know_nothing_of_the_software() -> None:
    """The platforms of the sessions are hosts only: no path of theirs is known beforehand."""
    for platform in rules().platforms.values():
        assert all(host.endswith(small_form.OURS) for host in platform.hosts), platform
    assert "background" not in (RULES / "platforms" / "tests.yaml").read_text()
