"""Squid's native access.log."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.trace.event import BadRecordError, TraceFault
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.squid import event_of, read

GET = "1793610001.250   1250 10.0.0.7 TCP_MISS/200 51234 GET http://x.com/a?b=1 ana HIER_DIRECT/1.2.3.4 text/html"
CONNECT = "1793613600.000 3600000 10.0.0.7 TCP_TUNNEL/200 9000000 CONNECT graph.facebook.com:443 - HIER/1.2.3.4 -"


def test_the_logged_time_is_the_end() -> None:
    """The start is the time less the duration, which is in milliseconds."""
    event = event_of(GET)
    assert event is not None
    assert (event.at, event.duration) == (1793610000.0, 1.25)
    assert (event.user, event.host, event.path, event.query, event.status) == (
        "ana",
        "x.com",
        "/a",
        "b=1",
        200,
    )


def test_connect_is_a_tunnel() -> None:
    """With its bytes and its hour; without a user the address names the person."""
    event = event_of(CONNECT)
    assert event is not None
    assert (event.kind, event.host, event.bytes, event.duration) == (
        "tunnel",
        "graph.facebook.com",
        9_000_000,
        3600.0,
    )
    assert (event.at, event.user) == (1793610000.0, "ip:10.0.0.7")


def test_a_refused_connect_is_no_tunnel() -> None:
    """A tunnel that Squid denied carried nothing."""
    event = event_of(CONNECT.replace("TCP_TUNNEL/200", "TCP_DENIED/407"))
    assert event is not None
    assert (event.kind, event.status) == ("request", 407)


def test_names_are_decoded_and_the_option_fills_gaps() -> None:
    """Squid escapes user names; `user` stands for those without one."""
    escaped, filled = event_of(GET.replace(" ana ", " a%20b ")), event_of(CONNECT, "bo")
    assert escaped is not None
    assert filled is not None
    assert (escaped.user, filled.user) == ("a b", "bo")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1793610001.250 12 10.0.0.7", TraceFault.MISSING),
        (GET.replace("1793610001.250", "yesterday"), TraceFault.TYPE),
        (GET.replace("1250 10", "-3 10"), TraceFault.DURATION),
        (GET.replace("1250 10", "nan 10"), TraceFault.DURATION),
        (GET.replace("51234", "-5"), TraceFault.SIZE),
        (GET.replace("/200", "/abc"), TraceFault.TYPE),
        (GET.replace("http://x.com/a?b=1", "nothing"), TraceFault.URL),
        (GET.replace("1793610001.250", "0.5"), TraceFault.TIME),
    ],
)
def test_wrong_columns_have_their_reason(line: str, reason: TraceFault) -> None:
    """Too few columns, no numbers, nonsense."""
    with pytest.raises(BadRecordError) as caught:
        event_of(line)
    assert caught.value.reason is reason


def test_aborted_connections_are_skipped_not_counted_as_bad(tmp_path: Path) -> None:
    """Squid logs clients that hang up before a request; that is not traffic and no damage."""
    aborted = GET.replace("http://x.com/a?b=1", "error:transaction-end-before-headers")
    path, report = tmp_path / "a", ReadReport()
    path.write_bytes(f"{GET}\n{aborted}\n\xff\n".encode("latin-1"))
    assert len(list(read(Source(path, report), None, report))) == 1
    assert report.skipped.total() == 1
    assert report.problems == {TraceFault.ENCODING: 1}
