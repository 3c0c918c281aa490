"""A proxy's log, line by line: the forms that offices have, and laws that hold for any damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy_addon.trace.access_log import WAY_OUT, event_of, is_log_line, read
from proxy_addon.trace.event import BadRecordError, TraceEvent, TraceFault
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source

GET = "1793610001.250   1250 10.0.0.7 TCP_MISS/200 51234 GET http://x.com/a?b=1 ana HIER_DIRECT/1.2.3.4 text/html"
CONNECT = "1793613600.000 3600000 10.0.0.7 TCP_TUNNEL/200 9000000 CONNECT graph.facebook.com:443 - HIER/1.2.3.4 -"
ENDED = "02/Nov/2026:09:00:01 +0000"
COMMON = (
    f'10.0.0.7 - ana [{ENDED}] "GET http://x.com/a?b=1 HTTP/1.1" 200 51234 TCP_MISS:HIER_DIRECT'
)
COMBINED = COMMON.replace(" TCP", ' "http://x.com/" "Mozilla/5.0" TCP')
CUSTOM = (
    f"1793610001.250 [{ENDED}] 1250 10.0.0.7 - ana GET http://x.com/a?b=1 HTTP/1.1 - 200 51234 "
    "TCP_MISS HIER_DIRECT/1.2.3.4 text/html"
)
E2GUARDIAN = "1793610001.250 1250 10.0.0.7 TCP_MISS/0 51234 - https://x.com ana DEFAULT_PARENT/ -"
FORMS = {
    "native": GET,
    "ISO time": GET.replace("1793610001.250", "2026-11-02T09:00:01.250"),
    "syslog": f"Nov  2 09:00:01 gw (squid-1): {GET}",
    "RFC 5424": f"<134>1 2026-11-02T09:00:01Z gw squid 812 - - {GET}",
    "common behind syslog": f"2026-11-02T09:00:01Z gw squid[8]: {COMMON}",
    "common": COMMON,
    "combined": COMBINED,
    "custom": CUSTOM,
    "e2guardian": E2GUARDIAN,
    "nine columns": GET.removesuffix(" text/html"),
    "blanks in the URL": GET.replace("b=1", "b=1 2 bo"),
}


def one(line: str, user: str | None = None) -> TraceEvent:
    """A line that is a request."""
    event = event_of(line, user)
    assert event is not None
    return event


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS.keys())
def test_each_form_is_the_same_request(line: str) -> None:
    """Person, host, time and bytes."""
    event = one(line)
    assert is_log_line(line)
    assert (event.user, event.host, event.bytes, event.client) == (
        "ana",
        "x.com",
        51234,
        "10.0.0.7",
    )
    assert event.at == pytest.approx(1793610000.6, abs=0.7)


def test_the_logged_time_is_the_end() -> None:
    """The start is the time less the duration, which is in milliseconds."""
    event = one(GET)
    assert (event.at, event.duration) == (1793610000.0, 1.25)
    assert (event.path, event.query, event.status) == ("/a", "b=1", 200)


def test_connect_is_a_tunnel() -> None:
    """With its bytes and its hour; without a user the address names the person."""
    event = one(CONNECT)
    assert (event.kind, event.host, event.bytes, event.duration) == (
        "tunnel",
        "graph.facebook.com",
        9_000_000,
        3600.0,
    )
    assert (event.at, event.user) == (1793610000.0, "ip:10.0.0.7")
    assert one(CONNECT, "bo").user == "bo"


def test_a_refused_connect_is_no_tunnel() -> None:
    """A tunnel that Squid denied carried nothing."""
    event = one(CONNECT.replace("TCP_TUNNEL/200", "TCP_DENIED/403"))
    assert (event.kind, event.status) == ("request", 403)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1793610001.250 12 10.0.0.7", TraceFault.MISSING),
        (GET.replace("1793610001.250", "yesterday"), TraceFault.TYPE),
        (GET.replace("1250 10", "nan 10"), TraceFault.DURATION),
        (GET.replace("51234", "-5"), TraceFault.SIZE),
        (GET.replace("/200", "/abc"), TraceFault.TYPE),
        (GET.replace("http://x.com/a?b=1", "nothing"), TraceFault.URL),
        (GET.replace("1793610001.250", "0.5"), TraceFault.TIME),
        (COMMON.replace("Nov", "Xxx"), TraceFault.TIME),
        (GET.replace("b=1", "b" * 70_000), TraceFault.TOO_LONG),
        ("hello world", TraceFault.FORMAT),
        ("1793610001|GET|10.0.0.7|http://x.com/|200|5|ana|x|y", TraceFault.MISSING),
    ],
)
def test_wrong_lines_have_their_reason(line: str, reason: TraceFault) -> None:
    """Too few columns, no numbers, nonsense."""
    with pytest.raises(BadRecordError) as caught:
        event_of(line)
    assert caught.value.reason is reason


def test_an_unknown_format_says_what_to_set() -> None:
    """In squid.conf."""
    with pytest.raises(BadRecordError) as caught:
        event_of("some line of something else, which no proxy has written")
    assert caught.value.detail == WAY_OUT
    assert "squid.conf" in WAY_OUT


def test_a_file_of_mixed_lines(tmp_path: Path) -> None:
    """Each line is judged by itself; what could not be read is counted by reason, and what is no
    request is no damage."""
    aborted = GET.replace("http://x.com/a?b=1", "error:transaction-end-before-headers")
    path, report = tmp_path / "a", ReadReport()
    lines = [*FORMS.values(), "# rotated", "", aborted, "nonsense", GET.replace("51234", "-5")]
    path.write_bytes("\r\n".join([*lines, ""]).encode() + b"\xff\n")
    assert len(list(read(Source(path, report), None, report))) == len(FORMS)
    assert report.skipped.total() == 1
    assert report.problems == {
        TraceFault.FORMAT: 1,
        TraceFault.SIZE: 1,
        TraceFault.ENCODING: 1,
    }


PIECES = st.sampled_from(
    [
        "-",
        " ",
        '"',
        "[",
        "]",
        "bob",
        "HIER_DIRECT/1",
        "TCP_MISS/200",
        "200",
        "10.9.9.9",
        "GET",
        "\t",
    ]
)


@settings(max_examples=400)
@given(
    st.sampled_from(list(FORMS.values())),
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 3), PIECES | st.text(max_size=3)), max_size=3
    ),
)
@example(GET, [(0, 3, "")])
def test_damage_never_breaks_the_reader(line: str, changes: list[tuple[int, int, str]]) -> None:
    """A mutated line is an event, no request, or one of the known reasons; nothing else is
    raised."""
    for at, removed, piece in changes:
        line = line[:at] + piece + line[at + removed :]
    try:
        event = event_of(line)
    except BadRecordError:
        return
    if event is not None:
        assert event.user
        assert event.duration >= 0
        assert event.host


@settings(max_examples=300)
@given(
    st.sampled_from(["native", "syslog", "ISO time", "RFC 5424", "common", "combined"]),
    st.text(alphabet=" ab-/\\[]()HIER_DIRECT1.:%", max_size=40),
)
def test_nobody_becomes_somebody_else_by_a_url(form: str, path: str) -> None:
    """Whatever is asked for: the line belongs to its person, or is not read."""
    line = FORMS[form].replace("a?b=1", f"a?b={path}")
    try:
        event = event_of(line)
    except BadRecordError:
        return
    assert event is not None
    assert (event.user, event.client) == ("ana", "10.0.0.7")


@settings(max_examples=300)
@given(st.sampled_from(list(FORMS.values())), st.data())
def test_a_lost_column_makes_no_other_person(line: str, data: st.DataObject) -> None:
    """With one column less the person is the same, known by the address, or the line is not
    read."""
    fields = line.split(" ")
    lost = data.draw(st.integers(0, len(fields) - 1))
    if fields[lost] in ("10.0.0.7", "ana", ""):
        return
    try:
        event = event_of(" ".join(fields[:lost] + fields[lost + 1 :]))
    except BadRecordError:
        return
    assert event is None or event.user in ("ana", "ip:10.0.0.7")
